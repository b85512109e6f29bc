"""What a preview counts, by municipality, kind, carrier and list, and how it is told: no personal data is in it."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ca.targets import TargetChange
from crl.entries import encode_rows
from crl.rows import Rows
from domain.certificates import IssuerId
from domain.lists import Scope
from domain.people import MunicipalityCode
from domain.revocation import Revocation, RevocationBlock

RATE = 2_000
"""Certificates or records a second that the estimate reckons with (docs/performance.md), rests included."""


class Counts:
    """Counts of an order's changes as they are gathered."""

    def __init__(self) -> None:
        self.by_issuer: Counter[IssuerId | None] = Counter()
        self.left: Counter[str] = Counter()
        self.passed: Counter[str] = Counter()
        self._certificates: Counter[tuple[str, str, str, str, str]] = Counter()
        self._records: Counter[str] = Counter()
        self._added: Counter[Scope] = Counter()
        self._entry: Revocation | None = None

    def certificates(self, source: IssuerId | None, changes: Iterable[TargetChange]) -> None:
        """Count changes found on the way through an issuer's certificates, or through residents (None)."""
        for change in changes:
            target, revocation = change.target, change.revocation
            self.by_issuer[source] += 1
            self._entry = revocation
            effect = "held" if revocation.on_hold else "revoked"
            reason = revocation.reason.name.lower().replace("_", "-")
            self._certificates[target.municipality.value, target.kind.value, target.carrier.value, effect, reason] += 1
            if target.standing is None:
                self._added[Scope(target.issuer, target.municipality)] += 1

    def records(self, municipality: MunicipalityCode, number: int) -> None:
        self._records[municipality.value] += number

    @property
    def changes(self) -> int:
        """Certificates and records that would change."""
        return self._certificates.total() + self._records.total()

    def to_json(self, entries: Mapping[Scope, int]) -> str:
        """The preview. `entries` are those of the published lists."""
        octets = _octets(self._entry) if self._entry else 0
        names = ("municipality", "kind", "carrier", "effect", "reason", "count")
        said: dict[str, Any] = {
            "changes": self.changes,
            "records": [{"municipality": code, "count": number} for code, number in sorted(self._records.items())],
            "certificates": [
                dict(zip(names, (*key, number), strict=True)) for key, number in sorted(self._certificates.items())
            ],
            "left": dict(sorted(self.left.items())),
            "passed": dict(sorted(self.passed.items())),
            "lists": [
                {
                    "list": scope.path,
                    "entries": entries.get(scope, 0),
                    "added": added,
                    "octets_added": added * octets,
                }
                for scope, added in sorted(self._added.items(), key=lambda item: item[0].path)
            ],
            "seconds": -(-self.changes // RATE),
        }
        return json.dumps(said)


def _octets(revocation: Revocation) -> int:
    """The size of its entry on a list."""
    seconds = array("q", [int(revocation.revoked_at.timestamp())])
    return len(encode_rows(Rows.of(RevocationBlock(revocation.serial.octets, seconds, bytes([revocation.reason])))))
