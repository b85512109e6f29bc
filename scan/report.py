"""The report of a scan: where serials are and how they can be joined, as plain values, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from scan.container import ScanLabel
from scan.places import Place
from scan.shared import SharedKey
from scan.tally import Find
from scan.words import JOINABLE, Language, say, say_trace

FORMAT = "jpki-scan-report-1"


@dataclass(frozen=True, slots=True)
class Finding:
    """A find at a place; `rows` is how many rows were looked at there, 0 for octets of a file."""

    place: Place
    find: Find
    rows: int

    @property
    def joinable(self) -> str:
        """How it can be joined with what others hold (a key of `scan.words.JOINABLE`)."""
        return JOINABLE[self.find.trace]


@dataclass(frozen=True, slots=True)
class Gap:
    """What could not be looked at, and why."""

    place: Place
    why: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a scan tells."""

    label: ScanLabel
    at: datetime
    systems: tuple[str, ...]
    octets: int
    places: int
    findings: tuple[Finding, ...]
    shared: tuple[SharedKey, ...]
    gaps: tuple[Gap, ...]

    @property
    def clean(self) -> bool:
        """Whether all could be looked at and nothing was found."""
        return not (self.findings or self.shared or self.gaps)


def as_json(report: Report) -> str:
    """One JSON document."""
    document: dict[str, Any] = {
        "format": FORMAT,
        "audit": report.label.audit,
        "at": moment_text(report.at),
        "filter": {
            "made": moment_text(report.label.made),
            "expires": moment_text(report.label.expires),
            "certificates": report.label.certificates,
            "hashed": report.label.plain,
            "salted": report.label.salted,
        },
        "systems": list(report.systems),
        "octets": report.octets,
        "places": report.places,
        "findings": [_finding(finding) for finding in report.findings],
        "shared": [_shared(key) for key in report.shared],
        "unread": [{**asdict(gap.place), "why": gap.why} for gap in report.gaps],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def as_text(report: Report, language: Language = "en") -> Iterator[str]:
    """Lines for a terminal."""
    yield say(
        "head",
        language,
        audit=report.label.audit,
        at=moment_text(report.at),
        octets=report.octets,
        places=report.places,
    )
    yield say(
        "filter",
        language,
        certificates=report.label.certificates,
        plain=report.label.plain,
        salted=report.label.salted,
        expires=moment_text(report.label.expires),
    )
    for finding in report.findings:
        yield say("finding", language, place=finding.place, **told(finding, language))
    for key in report.shared:
        yield say("shared", language, one=key.one, other=key.other, common=key.common, chance=f"{key.chance:.2g}")
    for gap in report.gaps:
        yield say("gap", language, place=gap.place, why=gap.why)
    if not report.findings and not report.shared:
        yield say("nothing", language)


def told(finding: Finding, language: Language) -> dict[str, object]:
    """What is said of a finding, in words."""
    find = finding.find
    unit = "rows" if finding.rows else "octets"
    return {
        "trace": say_trace(find.trace, language),
        "form": find.form,
        "hits": say(f"count-{unit}", language, hits=find.hits, rows=finding.rows),
        "different": find.different,
        "first": say(f"first-{unit}", language, first=", ".join(map(str, find.first))),
        "joinable": say(finding.joinable, language),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    find = finding.find
    return {
        **asdict(finding.place),
        "trace": find.trace.value,
        "form": find.form,
        "hits": find.hits,
        "different": find.different,
        "rows": finding.rows or None,
        "unit": "row" if finding.rows else "octet",
        "first": list(find.first),
        "joinable": finding.joinable,
    }


def _shared(key: SharedKey) -> dict[str, Any]:
    return {
        "one": asdict(key.one),
        "other": asdict(key.other),
        "different": [key.one_different, key.other_different],
        "common": key.common,
        "by_chance": key.chance,
    }


def moment_text(moment: datetime) -> str:
    """A moment in UTC, as RFC 3339 has it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """By place, what was found most first."""
    return tuple(sorted(findings, key=lambda each: (str(each.place), -each.find.hits, each.find.form)))
