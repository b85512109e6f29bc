"""What a pair, a revocation and a provision take on a PostgreSQL server, as inputs of docs/capacity.md.

`python -m bench.capacity --database postgresql://…` wants an empty database whose server may be told to `VACUUM`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter, process_time

import psycopg

from bench import machine, report
from bench.callers import issue_at_once
from bench.figures import Value
from bench.house import ISSUER, add_residents, make_house
from bench.issuance import prepare
from bench.ocsp import VERIFIER
from bench.people import CITY
from ca.revoke import RevocationRequest, revoke_resident
from config.assemble import Services
from domain.applications import IssuanceApplication
from domain.errors import Code, Refusal
from domain.provisions import Channel, Provision
from domain.revocation import RevocationCause

CALLERS, RECORDS, WARM, RESIDENTS = 8, 100_000, 50, 20_000
_SIZES = """
SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


class Disk:
    """What tables with their indexes and what the log of the server have grown by, since it was last asked."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._sizes, self._log = self._measure()

    def grown(self) -> tuple[Mapping[str, int], int]:
        (before, log), (self._sizes, self._log) = (self._sizes, self._log), self._measure()
        return {table: size - before[table] for table, size in self._sizes.items()}, self._log - log

    def _measure(self) -> tuple[dict[str, int], int]:
        ((log,),) = self._connection.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchall()
        self._connection.execute("VACUUM")
        return {str(name): int(size) for name, size in self._connection.execute(_SIZES)}, int(log)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.capacity", description=__doc__)
    parser.add_argument("--database", required=True, help="the URL of an empty database")
    parser.add_argument("--pairs", type=int, default=1500, help="issued, and revoked again")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        found = machine.describe(Path(folder))
        services = make_house(Path(folder) / "house", arguments.database)
        values = measure(services, Disk(arguments.database), arguments.pairs)
        services.close()
    for value in values:
        print(f"{value.what}: {value.median:,.4g} {value.unit}")
    command = f"python -m bench.capacity --pairs {arguments.pairs}"
    print(report.keep({"capacity": values}, found, "capacity", command))


def measure(services: Services, disk: Disk, pairs: int) -> list[Value]:
    """All values, each of one round."""
    for application in prepare(services, 1_000_000, WARM):  # tables and their first pages, programs and their caches
        issue_at_once(services.authority, [application], 1)
    add_residents(services, 2_000_000, 1)
    disk.grown()
    add_residents(services, 3_000_000, RESIDENTS)
    resident = sum(disk.grown()[0].values()) / RESIDENTS
    applications = prepare(services, 4_000_000, pairs)
    disk.grown()
    issued = _timed(partial(issue_at_once, services.authority, applications, CALLERS))
    tables, log = disk.grown()
    revoked = _timed(partial(_revoke, services, applications))
    more, more_log = disk.grown()
    return [
        Value("pairs", f"pairs a second of one process, {CALLERS} callers", "pairs/s", [pairs / issued[0]]),
        Value("pair-processor", "… processor time of a pair, without the server's", "ms", [1000 * issued[1] / pairs]),
        Value("resident", "a resident, on disk", "octets", [resident]),
        Value("pair", "a pair on disk, all rows with their indexes", "octets", [sum(tables.values()) / pairs]),
        Value("certificate", "… of that a certificate", "octets", [tables["certificates"] / pairs / 2]),
        Value("pair-audit", "… of that audit rows", "octets", [tables["audit_rows"] / pairs]),
        Value("pair-feed", "… of that changes of status", "octets", [tables["status_changes"] / pairs]),
        Value("pair-log", "log of the server (WAL) for a pair", "octets", [log / pairs]),
        Value("revocations", "residents revoked a second by one process", "residents/s", [pairs / revoked[0]]),
        Value("revocation", "a resident revoked, on disk", "octets", [sum(more.values()) / pairs]),
        Value("revocation-row", "… of that a revocation", "octets", [more["revocations"] / pairs / 2]),
        Value("revocation-audit", "… of that audit rows", "octets", [more["audit_rows"] / pairs]),
        Value("change", "… of that a change of status", "octets", [more["status_changes"] / pairs / 2]),
        Value("revocation-log", "log of the server (WAL) for it", "octets", [more_log / pairs]),
        Value("provision", "a provision record in its segment", "octets", [_provision(services)]),
    ]


def _timed(act: Callable[[], object]) -> tuple[float, float]:
    """Seconds that went by, and of the processor."""
    started, processor = perf_counter(), process_time()
    act()
    return perf_counter() - started, process_time() - processor


def _revoke(services: Services, applications: list[IssuanceApplication]) -> None:
    cause = RevocationCause.HOLDER_REQUEST

    def revoke(one: IssuanceApplication) -> None:
        request = RevocationRequest(CITY, f"end-{one.key}", one.resident_code, cause)
        while True:
            try:
                revoke_resident(services.authority, request)
            except Refusal as refusal:  # as a municipality does, which hears that it shall try again
                if refusal.code is not Code.BUSY:
                    raise
            else:
                return

    with ThreadPoolExecutor(CALLERS) as threads:
        list(threads.map(revoke, applications))


def _provision(services: Services) -> float:
    """Octets of a record, from whole segments."""
    folder = services.settings.provisions.folder
    before = _octets(folder)
    for number in range(RECORDS):
        asked = number.to_bytes(16)
        services.record(Provision(services.clock(), VERIFIER, None, "log-in", ISSUER, Channel.OCSP, asked, "good"))
    services.record.close()
    return (_octets(folder) - before) / RECORDS


def _octets(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
