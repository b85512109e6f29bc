"""The table of standings: what each may verify, what must be shown for it, and what it may declare as its purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.standings import Standing
from policies.tables import Row, Table, TableFaults

_KINDS = {kind.value: kind for kind in Kind}
_STANDINGS = {standing.value: standing for standing in Standing}
_SAID = ("title_ja", "title_en", "source", "verified")


@dataclass(frozen=True, slots=True)
class Said:
    """What every row says for people: two titles and where it is written."""

    title_ja: str
    title_en: str
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class StandingRule:
    """The kinds that those of a standing may verify, and the longest period of an approval in years."""

    standing: Standing
    kinds: frozenset[Kind]
    years: int
    said: Said


@dataclass(frozen=True, slots=True)
class Criterion:
    """What those of these standings must show."""

    id: str
    standings: frozenset[Standing]
    said: Said


@dataclass(frozen=True, slots=True)
class PurposeRule:
    """A purpose that those of these standings may declare, for certificates of these kinds."""

    id: str
    kinds: frozenset[Kind]
    standings: frozenset[Standing]
    said: Said


@dataclass(frozen=True, slots=True)
class VerifierRules:
    """The whole table."""

    standings: Mapping[Standing, StandingRule]
    criteria: Mapping[str, Criterion]
    purposes: Mapping[str, PurposeRule]

    def wanted(self, standing: Standing) -> tuple[str, ...]:
        """The criteria for a standing, in the order of the table."""
        return tuple(row.id for row in self.criteria.values() if standing in row.standings)

    def purposes_of(self, standing: Standing, kind: Kind) -> tuple[str, ...]:
        """What may be declared, in the order of the table."""
        rows = self.purposes.values()
        return tuple(row.id for row in rows if standing in row.standings and kind in row.kinds)

    def require(self, standing: Standing, purposes: Mapping[Kind, frozenset[str]]) -> None:
        """Raises Refusal(MALFORMED) for kinds and purposes that those of the standing cannot be approved for."""
        rule = self.standings[standing]
        if not purposes:
            raise Refusal(Code.MALFORMED, "say for which kinds of certificates, and for what", pointer="purposes")
        for kind, declared in purposes.items():
            if kind not in rule.kinds:
                raise Refusal(
                    Code.MALFORMED,
                    f"{rule.said.title_en} do not verify {kind.value} certificates ({rule.said.source})",
                    pointer="purposes",
                )
            allowed = self.purposes_of(standing, kind)
            if not declared or not declared <= set(allowed):
                raise Refusal(
                    Code.MALFORMED,
                    f"want purposes for {kind.value} certificates among: {', '.join(allowed)}",
                    pointer="purposes",
                )


def load_verifiers(content: Mapping[str, object]) -> VerifierRules:
    """The table as it stands in TOML. Raises TableFaults."""
    faults: list[str] = [
        f"{key}: nobody knows this key; is it misspelt?"
        for key in content
        if key not in ("standing", "criterion", "purpose")
    ]
    standings: dict[Standing, StandingRule] = {}
    for row in _rows(content, "standing", ("standing", "kinds", "years", *_SAID), faults):
        standing = row.choice("standing", _STANDINGS)
        kinds, years = row.choices("kinds", _KINDS), row.integer("years", 1, 20)
        if standing is not None:
            if standing in standings:
                row.fault(f"{standing.value} stands twice")
            standings[standing] = StandingRule(standing, kinds, years, _said(row))
    faults += [f"standing: {word} has no row" for word, value in _STANDINGS.items() if value not in standings]
    criteria: dict[str, Criterion] = {}
    for row in _rows(content, "criterion", ("criterion", "standings", *_SAID), faults):
        id_ = _id(row, "criterion", criteria)
        criteria[id_] = Criterion(id_, row.choices("standings", _STANDINGS), _said(row))
    purposes: dict[str, PurposeRule] = {}
    for row in _rows(content, "purpose", ("purpose", "kinds", "standings", *_SAID), faults):
        id_ = _id(row, "purpose", purposes)
        kinds, whose = row.choices("kinds", _KINDS), row.choices("standings", _STANDINGS)
        purposes[id_] = PurposeRule(id_, kinds, whose, _said(row))
    rules = VerifierRules(MappingProxyType(standings), MappingProxyType(criteria), MappingProxyType(purposes))
    if not faults:
        faults += _gaps(rules)
    if faults:
        raise TableFaults("verifiers", faults)
    return rules


def _gaps(rules: VerifierRules) -> list[str]:
    """Standings that nothing must be shown for, or that could ask for nothing."""
    return [
        *(
            f"criterion: none for {row.standing.value}"
            for row in rules.standings.values()
            if not rules.wanted(row.standing)
        ),
        *(
            f"purpose: none for {row.standing.value} and {kind.value} certificates"
            for row in rules.standings.values()
            for kind in row.kinds
            if not rules.purposes_of(row.standing, kind)
        ),
    ]


def _rows(content: Mapping[str, object], name: str, columns: tuple[str, ...], faults: list[str]) -> list[Row]:
    table = Table(name, faults)
    return table.rows({name: content.get(name)}, columns)


def _said(row: Row) -> Said:
    return Said(row.text("title_ja"), row.text("title_en"), row.text("source"), row.flag("verified"))


def _id(row: Row, column: str, known: Mapping[str, object]) -> str:
    id_ = row.text(column)
    if id_ in known:
        row.fault(f"{id_} stands twice")
    return id_
