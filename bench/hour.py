"""The hour that a storm squeezes into minutes: how much of everything happens in it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

_SECONDS = 3600
_PREFECTURES = 47


@dataclass(frozen=True, slots=True)
class Hour:
    """`pairs` are issued, `revocations` revoke both certificates of one, `checks` ask by OCSP; `connections` are opened
    and closed at once, `megabytes` of nonsense sent to the OCSP door, `slow` connections held open, and `kills`
    processes ended without warning."""

    pairs: int
    revocations: int
    checks: int
    connections: int
    megabytes: int
    slow: int
    kills: int

    def part(self, share: float) -> Hour:
        """That share of everything but the slow connections."""
        counts = {row.name: getattr(self, row.name) for row in fields(self) if row.name != "slow"}
        return replace(self, **{name: max(round(count * share), 1) for name, count in counts.items()})


HOUR = Hour(
    pairs=40 * _SECONDS // _PREFECTURES,
    revocations=10 * _SECONDS // _PREFECTURES,
    checks=3_000 * _SECONDS // _PREFECTURES,
    connections=100_000,
    megabytes=1_000,
    slow=200,
    kills=24,
)
"""Of a service that carries a prefecture, a forty-seventh of the nation of docs/capacity.md: at the peak of issuance,
on the day when all revocations come at once, with its checks of status; and with much that nobody wants."""
