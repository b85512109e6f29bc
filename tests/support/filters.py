"""Filters published over a store of tests, and read as a verifier of the class of courts reads them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

from config.files import replace_public
from filters.checker import FilterChecker, Verdict
from filters.container import read_filter
from filters.publish import ClassKey, FilterOffice, publish_filters
from filters.shelf import Shelf, file_name
from keys.algorithms import verify
from tests.support.authority import TurnedClock
from tests.support.lists import G1, ISSUERS, SIGNERS, make_revocation
from tests.support.memory import MemoryStore

KEY = bytes(range(32))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BASE, DELTA = file_name("court", G1, delta=False), file_name("court", G1, delta=True)


class Office:
    def __init__(self, folder: Path) -> None:
        self.store, self.clock, self.folder = MemoryStore(), TurnedClock(), folder
        self.key = ClassKey("court", KEY)
        self.office = FilterOffice(
            issuers={G1: ISSUERS[G1]},
            signers=SIGNERS,
            key_of=lambda _: self.key,
            begin=self.store.begin,
            clock=self.clock,
            random=Random(1).randbytes,
            shelf=Shelf(folder),
            write=lambda name, octets: replace_public(folder / name, octets),
            lifetime=2 * DAY,
        )

    def octets(self, name: str) -> bytes | None:
        path = self.folder / name
        return path.read_bytes() if path.exists() else None

    def publish(self, *, fresh: bool = False, due: bool = False, verifiers: str = "court") -> list[str]:
        self.clock.forward(HOUR)
        return publish_filters(self.office, verifiers, fresh=fresh, due=due)

    def verdict(self, name: str) -> Verdict:
        base, delta = read_filter((self.folder / BASE).read_bytes()), self.octets(DELTA)
        newer = read_filter(delta) if delta else None
        if newer and newer.label.base != base.label.number:
            newer = None
        checker = FilterChecker(KEY, base, newer, lambda *parts: verify(ISSUERS[G1].spki, *parts))
        row = next(row for row in self.store.tables.certificates.values() if row.serial == make_revocation(name).serial)
        return checker.check(row.serial, row.validity.not_before, self.clock())
