"""What the command prints: text for people in two languages, JSON for programs, and the exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jpki_verify.messages import Language, message
from jpki_verify.rejection import Rejected, Verdict
from jpki_verify.store import Evidence
from jpki_verify.transaction import Transaction
from jpki_verify.upkeep import Kept
from jpki_verify.verifier import Confirmed

_LABELS: Mapping[str, tuple[str, str]] = {
    "handle": ("Handle", "ハンドル"),
    "kind": ("Kind", "種類"),
    "source": ("Status by", "確認方法"),
    "as_of": ("As of", "失効情報の時点"),
    "checked_at": ("Checked at", "確認日時"),
    "passed_over": ("Could not tell", "利用できなかった確認方法"),
    "since": ("Since", "日時"),
    "detail": ("Detail", "詳細"),
    "next": ("Next", "次にすること"),
    "checks": ("Checked", "確認した項目"),
    "challenge": ("Challenge", "チャレンジ"),
    "erased": ("Erased", "消去件数"),
    "receipt": ("Receipt", "控え"),
    "filters": ("Filters", "失効情報フィルター"),
}


@dataclass(frozen=True, slots=True)
class Printer:
    """How to speak."""

    language: Language
    as_json: bool

    def confirmed(self, found: Confirmed) -> Verdict:
        """Print that somebody is confirmed."""
        facts: dict[str, object] = {
            "handle": found.handle,
            "kind": found.kind.value,
            "source": found.source,
            "as_of": f"{found.as_of:%Y-%m-%dT%H:%M:%SZ}",
            "checked_at": f"{found.checked_at:%Y-%m-%dT%H:%M:%SZ}",
        }
        if found.passed_over:
            facts["passed_over"] = {name: reason.value for name, reason in found.passed_over}
        return self.outcome("confirmed", Verdict.CONFIRMED, facts)

    def rejected(self, rejected: Rejected) -> Verdict:
        """Print that something is not confirmed."""
        facts: dict[str, object] = {"detail": rejected.detail}
        if rejected.since:
            facts["since"] = f"{rejected.since:%Y-%m-%dT%H:%M:%SZ}"
        if rejected.passed_over:
            facts["passed_over"] = {name: reason.value for name, reason in rejected.passed_over}
        return self.outcome(rejected.code.value, rejected.code.verdict, facts)

    def outcome(self, code: str, verdict: Verdict, facts: Mapping[str, object]) -> Verdict:
        """Print an outcome with words of its own."""
        words = message(code, self.language)
        if self.as_json:
            about = {"outcome": code, "verdict": _word(verdict), "title": words.title, "action": words.action}
            self._json({**about, **facts})
        else:
            self._lines(words.title, facts)
            self._line("" if verdict is Verdict.CONFIRMED and "handle" not in facts else words.action)
        return verdict

    def facts(self, facts: Mapping[str, object]) -> Verdict:
        """Print facts that need no verdict."""
        if self.as_json:
            self._json(facts)
        else:
            self._lines("", facts)
        return Verdict.CONFIRMED

    def kept(self, one: Kept) -> object:
        """A filter as it is kept: a line of text, or facts for programs."""
        as_of, until = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (one.as_of, one.until))
        if self.as_json:
            return {"issuer": one.issuer, "fetched": list(one.fetched), "as_of": as_of, "until": until}
        said = {"ja": f"{as_of}時点、{until}まで有効", "en": f"as of {as_of}, good until {until}"}[self.language]
        return f"{one.issuer}: {said}" + (f" ({', '.join(one.fetched)})" if one.fetched else "")

    def anchor(self, file: Path, digest: str, kind: str) -> Verdict:
        """Print a part of a settings file."""
        rows = {"file": str(file), "sha256": digest, "kind": kind}
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in rows.items()]
        self._line(
            "\n".join(
                ("", "# Compare the SHA-256 with what the authority told you by another way.", "[[anchor]]", *lines)
            )
        )
        return Verdict.CONFIRMED

    def evidence(self, row: Evidence) -> None:
        """Print evidence: a line of JSON, whatever the language, for it is for the authority."""
        shown = Transaction(row.digest, row.salt)
        facts = {
            "at": f"{row.at:%Y-%m-%dT%H:%M:%SZ}",
            "handle": row.handle,
            "kind": row.kind,
            "purpose": row.purpose,
            "source": row.source,
            "nonce": shown.commitment.hex(),
            "digest": row.digest.hex(),
            "salt": row.salt.hex(),
        }
        self._line(json.dumps(facts))

    def _lines(self, title: str, facts: Mapping[str, object]) -> None:
        self._line(title)
        for name, value in facts.items():
            label = _LABELS[name][self.language == "ja"]
            if isinstance(value, list) and not value:
                continue
            if isinstance(value, list):
                self._line(f"{label}:")
                for item in value:
                    self._line(f"  - {item}")
            elif isinstance(value, Mapping):
                self._line(f"{label}: " + ", ".join(f"{key} {one}" for key, one in value.items()))
            else:
                self._line(f"{label}: {value}")

    def _json(self, facts: Mapping[str, object]) -> None:
        self._line(json.dumps(facts, ensure_ascii=False, indent=2))

    def _line(self, text: str) -> None:
        if text:
            sys.stdout.write(text + "\n")


def _word(verdict: Verdict) -> str:
    return verdict.name.lower().replace("_", "-")
