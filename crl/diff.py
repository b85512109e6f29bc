"""What the next list of a scope changes; no entry may disappear or turn back without an explanation."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crl.earlier import Earlier
from crl.rows import Rows
from domain.errors import Code, Refusal
from domain.revocation import CrlReason
from domain.serial import OCTETS

Said = tuple[int, CrlReason]
"""What an entry says of its certificate: seconds since 1970, and the reason."""


@dataclass(frozen=True, slots=True, repr=False)
class ListDifference:
    """How many entries appear (and how many of these are older than the comparison was told), how many change time or
    reason, and by serial (16 octets) what was said of those that disappear, and of those that `turned`: that change
    otherwise than from a hold into a revocation of the same time."""

    added: int
    added_old: int
    changed: int
    turned: Mapping[bytes, Said]
    removed: Mapping[bytes, Said]


class Comparison:
    """Compares the rows of the next list with those of an earlier one, both in the order of their serials, some at a
    time: no list need be in memory."""

    def __init__(self, before: Earlier, old: int = 0) -> None:
        """`old`: rows that appear count as old when their seconds are below."""
        self._before = before
        self._old = old
        self._added = self._added_old = self._changed = 0
        self._turned: dict[bytes, Said] = {}
        self._removed: dict[bytes, Said] = {}

    def feed(self, rows: Rows) -> None:
        """Go on with the next rows, of which there is at least one."""
        last, new = rows.serials[-1], np.ones(len(rows), np.bool_)
        while (old := self._before.up_to(last)) is not None:
            new[self._compare(old, rows)] = False
        if new.any():
            self.appear(rows[new])
        self._added += int(new.sum())
        self._added_old += int((rows.seconds[new] < self._old).sum()) if self._old else 0

    def appear(self, rows: Rows) -> None:
        """Hears of every entry that is new or says something else now."""

    def result(self) -> ListDifference:
        """The difference, when all rows were fed."""
        while (old := self._before.up_to(None)) is not None:
            self._removed.update(said_by(old))
        return ListDifference(self._added, self._added_old, self._changed, self._turned, self._removed)

    def _compare(self, old: Rows, new: Rows) -> NDArray[np.intp]:
        """Count what became of `old`; where in `new` those are that are still there."""
        places = np.searchsorted(new.serials, old.serials)
        there = new.serials[places] == old.serials  # the last of `new` is not before any of `old`
        if not there.all():
            self._removed.update(said_by(old[~there]))
            old, places = old[there], places[there]
        reasons, kept = new.reasons[places], new.seconds[places] == old.seconds
        changed = (reasons != old.reasons) | ~kept
        if changed.any():
            # What is revoked stays as it is; a hold that becomes final keeps its time.
            hold = np.uint8(CrlReason.CERTIFICATE_HOLD)
            self._changed += int(changed.sum())
            self.appear(new[places[changed]])
            self._turned.update(said_by(old[changed & ~((old.reasons == hold) & (reasons != hold) & kept)]))
        return places


def said_by(rows: Rows) -> Iterator[tuple[bytes, Said]]:
    """What each row says, by its serial (16 octets)."""
    serials = (serial.ljust(OCTETS, b"\x00") for serial in rows.serials.tolist())
    return zip(serials, zip(rows.seconds.tolist(), map(CrlReason, rows.reasons.tolist()), strict=True), strict=True)


def refuse_turning(found: ListDifference, explained: Container[bytes] = ()) -> None:
    """Raises Refusal(WOULD_SHRINK) when a revocation would become a hold or another revocation, unless its serial is
    among `explained`."""
    turned = sum(serial not in explained for serial in found.turned)
    if turned:
        raise Refusal(
            Code.WOULD_SHRINK,
            f"{turned} entries would change their time or reason otherwise than from a hold into a revocation: the "
            "database is older than the list, or was altered. Restore the revocations; to publish without them, move "
            "the published file away first",
            facts={"turned": turned},
        )


def refuse_shrinking(found: ListDifference, explained: Container[bytes]) -> None:
    """Raises Refusal(WOULD_SHRINK) when an entry disappears whose serial is not among `explained`."""
    unexplained = sum(serial not in explained for serial in found.removed)
    if unexplained:
        raise Refusal(
            Code.WOULD_SHRINK,
            f"{unexplained} of {len(found.removed)} disappearing entries are unexplained: no revocation of these "
            "certificates is on record, no such hold was lifted, and they had not expired before the last list. "
            "Restore the revocations; to publish without them, move the published file away first",
            facts={"unexplained": unexplained, "removed": len(found.removed)},
        )
