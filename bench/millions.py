"""Millions: one list of five million entries and one filter of ten million certificates, in time and memory. Needs 1 GB
of disk."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from bench.children import alone
from bench.figures import Value
from bench.house import SCOPE, make_house
from bench.lists import publish
from bench.plan import Plan
from config.assemble import Services
from domain.lists import Scope
from domain.serial import OCTETS, SerialNumber
from filters.build import build_filter
from filters.placement import Placement

ENTRIES, CERTIFICATES, REVOKED = 5_000_000, 10_000_000, 500_000
_COLUMNS = "issuer, serial, municipality, cause, reason, revoked_at, not_after, receipt, received_at"


def measure_millions(folder: Path, plan: Plan) -> list[Value]:
    """Each act in a process of its own."""
    services = make_house(folder)
    plan.tell(f"{ENTRIES:,} revocations put on record")
    alone(lambda: fill(services, SCOPE, ENTRIES))
    found = []
    acts: tuple[tuple[str, str, Callable[[Services], None]], ...] = (
        ("read", f"{ENTRIES:,} revocations read as columns", _read),
        ("list-first", f"a list of {ENTRIES:,} published, the first", publish),
        ("list-next", f"a list of {ENTRIES:,} published, the next", publish),
    )
    for name, what, act in acts:
        plan.tell(what)
        found += alone(partial(act, services)).values(f"millions-{name}", what)
    what = f"a filter of {CERTIFICATES:,} made, proved, and all asked again"
    plan.tell(what)
    made = alone(_filter)
    least = _least_octets()
    return [
        *found,
        *made.values("millions-filter", what),
        Value("millions-filter-octets", "its size", "octets", [made.gave]),
        Value("millions-filter-ratio", "its size, times the least possible", "", [made.gave / least]),
    ]


def fill(services: Services, scope: Scope, entries: int) -> None:
    """Revocations of a scope behind the store's back, without the certificates they are of, and its list registered."""
    assert scope.municipality is not None
    with services.begin() as work:
        work.lists.register(scope)
        work.commit()
    chance, now = random.Random(str((scope, entries))), int(services.clock().timestamp())
    place = scope.issuer, scope.municipality.value

    def rows() -> Iterator[tuple[object, ...]]:
        for serial in sorted(SerialNumber.drawn_from(chance.randbytes(OCTETS)).octets for _ in range(entries)):
            reason, moment = chance.choice((1, 3, 3, 3, 3, 4, 5, 0)), now - chance.randrange(31_536_000)
            yield place[0], serial, place[1], "holder-request", reason, moment, now + 155_520_000, "receipt", now

    connection = sqlite3.connect(services.database_url.removeprefix("sqlite:///"))
    connection.execute("PRAGMA synchronous = OFF")
    connection.executemany(f"INSERT INTO revocations ({_COLUMNS}) VALUES ({', '.join('?' * 9)})", rows())  # noqa: S608
    connection.commit()
    connection.close()


def _read(services: Services) -> None:
    with services.begin(write=False) as work:
        assert sum(map(len, work.revocations.blocks_of(SCOPE, None))) == ENTRIES


def _filter() -> float:
    """Octets of a filter that has no wrong answer for any of them."""
    serials = np.frombuffer(os.urandom(OCTETS * CERTIFICATES), np.uint8).reshape(-1, OCTETS).copy()
    serials[:, 0] = serials[:, 0] & 0x3F | 0x40
    octets, key = memoryview(serials.tobytes()), os.urandom(32)
    members, others = octets[: OCTETS * REVOKED], octets[OCTETS * REVOKED :]
    made = build_filter(key, members, others, os.urandom)
    placement = Placement(key, made.salt)
    assert made.contains(placement, members).all()
    assert not any(made.contains(placement, others[at : at + (1 << 24)]).any() for at in range(0, len(others), 1 << 24))
    return made.octets


def _least_octets() -> float:
    """By the entropy of which of them are revoked."""
    share = REVOKED / CERTIFICATES
    return float(-CERTIFICATES * (share * np.log2(share) + (1 - share) * np.log2(1 - share)) / 8)
