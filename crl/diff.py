"""What the next list of a scope changes; an entry may not disappear without an explanation."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crl.rows import Rows
from domain.errors import Code, Refusal
from domain.revocation import CrlReason
from domain.serial import OCTETS


@dataclass(frozen=True, slots=True, repr=False)
class ListDifference:
    """How many entries appear (and how many of these are older than the comparison was told), how many change time or
    reason (a hold became a revocation), how many of these are `softened` (a revocation became a hold), and the serials
    (16 octets) of those that disappear, with the reason they had."""

    added: int
    added_old: int
    changed: int
    softened: int
    removed: Mapping[bytes, CrlReason]


class Comparison:
    """Compares the rows of the next list with those of the published one, both in the order of their serials, some at a
    time: no list need be in memory."""

    def __init__(self, before: Iterator[Rows], old: int = 0) -> None:
        """`old`: rows that appear count as old when their seconds are below."""
        self._before = before
        self._old = old
        self._rest: Rows | None = next(before, None)
        self._added = self._added_old = self._changed = self._softened = 0
        self._removed: dict[bytes, CrlReason] = {}

    def feed(self, rows: Rows) -> None:
        """Go on with the next rows, of which there is at least one."""
        last, new = rows.serials[-1], np.ones(len(rows), np.bool_)
        while self._rest is not None:
            covered = int(np.searchsorted(self._rest.serials, last, "right"))
            new[self._compare(self._rest[:covered], rows)] = False
            if covered < len(self._rest):
                self._rest = self._rest[covered:]
                break
            self._rest = next(self._before, None)
        self._added += int(new.sum())
        self._added_old += int((rows.seconds[new] < self._old).sum()) if self._old else 0

    def result(self) -> ListDifference:
        """The difference, when all rows were fed."""
        while self._rest is not None:
            self._lose(self._rest)
            self._rest = next(self._before, None)
        return ListDifference(self._added, self._added_old, self._changed, self._softened, self._removed)

    def _compare(self, old: Rows, new: Rows) -> NDArray[np.intp]:
        """Count what became of `old`; where in `new` those are that are still there."""
        places = np.searchsorted(new.serials, old.serials)
        there = new.serials[places] == old.serials  # the last of `new` is not before any of `old`
        if not there.all():
            self._lose(old[~there])
            old, places = old[there], places[there]
        hold = np.uint8(CrlReason.CERTIFICATE_HOLD)
        reasons = new.reasons[places]
        self._changed += int(((reasons != old.reasons) | (new.seconds[places] != old.seconds)).sum())
        self._softened += int(((reasons == hold) & (old.reasons != hold)).sum())
        return places

    def _lose(self, old: Rows) -> None:
        reasons = map(CrlReason, old.reasons.tolist())
        serials = (serial.ljust(OCTETS, b"\x00") for serial in old.serials.tolist())
        self._removed.update(zip(serials, reasons, strict=True))


def refuse_shrinking(found: ListDifference, explained: Container[bytes]) -> None:
    """Raises Refusal(WOULD_SHRINK) when an entry disappears whose serial is not among `explained`."""
    unexplained = sum(serial not in explained for serial in found.removed)
    if unexplained:
        raise Refusal(
            Code.WOULD_SHRINK,
            f"{unexplained} of {len(found.removed)} disappearing entries are unexplained: no revocation of these "
            "certificates is on record, and they had not expired before the last list. Restore the revocations; to "
            "publish without them, move the published file away first",
            facts={"unexplained": unexplained, "removed": len(found.removed)},
        )
