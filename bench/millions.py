"""`python -m bench.millions`: one list of five million entries and one filter of ten million certificates, in time and
memory. For a quiet machine; takes some two minutes and 1 GB of disk in /var/tmp."""

from __future__ import annotations

import os
import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter

import numpy as np

from bench.house import SCOPE, make_house
from bench.lists import publish
from config.assemble import Services
from domain.lists import Scope
from domain.serial import OCTETS, SerialNumber
from filters.build import build_filter
from filters.placement import Placement

ENTRIES, CERTIFICATES, REVOKED = 5_000_000, 10_000_000, 500_000
_COLUMNS = "issuer, serial, municipality, cause, reason, revoked_at, not_after, receipt, received_at"


def main() -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        services = make_house(Path(folder) / "house")
        _alone("", lambda: fill(services, SCOPE, ENTRIES))
        _alone(f"{ENTRIES:,} revocations read as columns", lambda: _read(services))
        _alone(f"a list of {ENTRIES:,} published, the first", lambda: publish(services))
        _alone(f"a list of {ENTRIES:,} published, the next", lambda: publish(services))
    _alone(f"a filter of {CERTIFICATES:,} made, proved and asked for all again", _filter)


def _alone(what: str, act: Callable[[], object]) -> None:
    """Do it in a process of its own, and say how long it took and how much memory it had at most."""
    if (child := os.fork()) == 0:
        Path("/proc/self/clear_refs").write_text("5")
        begun = perf_counter()
        act()
        took = perf_counter() - begun
        (peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
        if what:
            print(f"{what}: {took:.1f} s, {int(peak.split()[1]) // 1024} MiB at most", flush=True)
        os._exit(0)
    _, code = os.waitpid(child, 0)
    assert code == 0, what


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


def _filter() -> None:
    serials = np.frombuffer(os.urandom(OCTETS * CERTIFICATES), np.uint8).reshape(-1, OCTETS).copy()
    serials[:, 0] = serials[:, 0] & 0x3F | 0x40
    octets, key = memoryview(serials.tobytes()), os.urandom(32)
    members, others = octets[: OCTETS * REVOKED], octets[OCTETS * REVOKED :]
    made = build_filter(key, members, others, os.urandom)
    placement, share = Placement(key, made.salt), REVOKED / CERTIFICATES
    assert made.contains(placement, members).all()
    assert not any(made.contains(placement, others[at : at + (1 << 24)]).any() for at in range(0, len(others), 1 << 24))
    least = -CERTIFICATES * (share * np.log2(share) + (1 - share) * np.log2(1 - share)) / 8
    print(f"the filter: {made.octets:,} octets, {made.octets / least:.2f} times the least possible", flush=True)


if __name__ == "__main__":
    main()
