"""Provisions in memory: the part of `tests.support.memory` that keeps segments and the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from domain.errors import Code, Refusal
from domain.provisions import LedgerLine, Segment


class ProvisionTables(Protocol):
    segments: dict[bytes, Segment]
    epochs: dict[str, bytes]
    lines: dict[int, LedgerLine]
    challenges: dict[bytes, datetime]


class Provisions:
    def __init__(self, tables: ProvisionTables) -> None:
        self._tables = tables

    def segment(self, id_: bytes) -> Segment | None:
        return self._tables.segments.get(id_)

    def put_segment(self, segment: Segment) -> None:
        self._tables.segments[segment.id] = segment

    def segments(self) -> Iterator[Segment]:
        return iter(sorted(self._tables.segments.values(), key=lambda row: (row.begun_at, row.id)))

    def ended(self, node: str, before: datetime, limit: int) -> Sequence[Segment]:
        rows = [
            row
            for row in self._tables.segments.values()
            if row.node == node and row.digest and not row.erased_at and row.last_at < before
        ]
        return sorted(rows, key=lambda row: (row.last_at, row.id))[:limit]

    def epochs(self) -> Mapping[str, bytes]:
        return dict(sorted(self._tables.epochs.items()))

    def put_epoch(self, epoch: str, sealed: bytes) -> None:
        assert epoch not in self._tables.epochs
        self._tables.epochs[epoch] = sealed

    def erase_epoch(self, epoch: str) -> None:
        self._tables.epochs.pop(epoch, None)

    def add_lines(self, lines: Sequence[LedgerLine]) -> None:
        first = max(self._tables.lines, default=0) + 1
        self._tables.lines.update(enumerate(lines, start=first))

    def lines(self, epoch: str, tags: Sequence[bytes]) -> Sequence[LedgerLine]:
        rows = self._tables.lines.values()
        return [row for tag in tags for row in rows if (row.epoch, row.tag) == (epoch, tag)]

    def erase_lines(self, limit: int) -> int:
        lines = self._tables.lines
        first = min((row.epoch for row in lines.values()), default="")
        over = [key for key, row in lines.items() if row.epoch == first and first not in self._tables.epochs][:limit]
        for key in over:
            del lines[key]
        return len(over)

    def spend(self, challenge: bytes, at: datetime) -> None:
        if challenge in self._tables.challenges:
            raise Refusal(Code.ALREADY_APPLIED, "this challenge was answered already")
        self._tables.challenges[challenge] = at
