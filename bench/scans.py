"""`python -m bench.scans`: what a scan of a made-up operator takes, what it misses, what it finds that is not there.

Without options a gigabyte and a million certificates; for a quiet machine with 3 GB of disk in /var/tmp.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
from bisect import bisect_left
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from time import perf_counter

import numpy as np

from config.scanning import System, scan
from domain.serial import OCTETS
from scan.report import Report
from tests.support.operator_files import HELD_OUT, KNOWN, LINES, text_of
from tests.support.scans import SCAN_KEY, keep_scan_filter, make_scan_filter

NOW = datetime(2027, 4, 1, tzinfo=UTC)
_FILES = (("orders.csv", 0), ("access.log", 1), ("events.jsonl", 2), ("images.txt", 3))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.scans", description=__doc__)
    parser.add_argument("--octets", type=int, default=10**9, help="of text, in files of four kinds")
    parser.add_argument("--certificates", type=int, default=10**6, help="in the filter")
    parser.add_argument("--planted", type=int, default=200, help="serials in each way of writing")
    parser.add_argument("--places", type=int, default=2000, help="small files with nothing in them")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="of everything that is made up")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as made:
        folder = Path(made)
        serials = _serials(wanted.certificates, wanted.seed)
        begun = perf_counter()
        path = keep_scan_filter(folder / "bench.scan", make_scan_filter(serials, hashes=16_000_000))
        print(
            f"a filter of {wanted.certificates:,} certificates: {perf_counter() - begun:.1f} s, {_size(path)}",
            flush=True,
        )
        _ordinary(folder / "big", wanted.octets, wanted.seed)
        begun, before = perf_counter(), _processor()
        report = _scan(path, folder / "big", wanted.processes)
        took, work = perf_counter() - begun, _processor() - before
        print(f"{report.octets:,} octets: {took:.1f} s by the clock, {work:.1f} s of processors", flush=True)
        print(f"finds where nothing was planted: {len(report.findings)} in {report.places} places", flush=True)
        _small(folder / "small", wanted.places, wanted.seed)
        report = _scan(path, folder / "small", wanted.processes)
        print(f"finds where nothing was planted: {len(report.findings)} in {report.places} places", flush=True)
        _recall(path, folder / "planted", serials, wanted.planted, wanted.processes, wanted.seed)


def _serials(count: int, seed: int) -> bytes:
    serials = np.random.default_rng(seed).integers(0, 256, (count, OCTETS), np.uint8)
    serials[:, 0] = serials[:, 0] & 0x3F | 0x40
    return serials.tobytes()


def _ordinary(folder: Path, octets: int, seed: int) -> None:
    folder.mkdir()
    for name, kind in _FILES:
        with (folder / name).open("wb") as file:
            file.writelines(text_of(10 * seed + kind, octets // len(_FILES), (LINES[kind],)))


def _small(folder: Path, places: int, seed: int) -> None:
    folder.mkdir()
    for number in range(places):
        (folder / f"{number}.txt").write_bytes(b"".join(text_of(10**6 * seed + number, 15_000)))


def _scan(path: Path, target: Path, processes: int) -> Report:
    return scan(
        [System.of(str(target))],
        path,
        SCAN_KEY,
        now=NOW + timedelta(days=1),
        sketch_key=os.urandom(32),
        processes=processes,
    )


def _recall(path: Path, folder: Path, serials: bytes, count: int, processes: int, seed: int) -> None:
    """Each way of writing in a file of its own, with lines between; those that the filter has as hashes too."""
    folder.mkdir()
    chance = Random(seed)
    chosen = chance.sample(range(len(serials) // OCTETS), count)
    some = [serials[OCTETS * number : OCTETS * (number + 1)] for number in chosen]
    spans: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    ways = {**KNOWN, **HELD_OUT}
    for number, write in enumerate(ways.values()):
        with (folder / f"{number}.txt").open("wb") as file:
            for serial in some:
                file.write(chance.choice(LINES)(chance) + b'"id": ')
                spans[f"{number}.txt"][0].append(file.tell())
                file.write(write(serial, chance))
                spans[f"{number}.txt"][1].append(file.tell())
                file.write(b";\n")
    report = _scan(path, folder, processes)
    places: dict[str, list[int]] = defaultdict(list)
    for finding in report.findings:
        places[finding.place.source] += finding.find.at.tolist()
    found, wrong = {}, 0
    for number, name in enumerate(ways):
        at, (begins, ends) = sorted(places[f"{number}.txt"]), spans[f"{number}.txt"]
        found[name] = sum(
            bisect_left(at, end) > bisect_left(at, begin) for begin, end in zip(begins, ends, strict=True)
        )
        wrong += sum(bisect_left(ends, place) != bisect_left(begins, place + 1) - 1 for place in at)
    hashed = [name for name in KNOWN if any(word in name for word in ("SHA", "MD5", "HMAC"))]
    plain = [name for name in KNOWN if name not in hashed]
    for title, some_ways in (("known", plain), ("held out", list(HELD_OUT))):
        share = sum(found[name] for name in some_ways) / len(some_ways) / count
        print(f"{title}: {share:.2%} of {len(some_ways)} ways x {count} serials found", flush=True)
    files = sum(bool(found[name]) for name in hashed)
    print(f"hashed: {files} of {len(hashed)} columns of {count} found; of a sample of certificates:", flush=True)
    print(f"places told where nothing was planted: {wrong}", flush=True)
    for name, number in found.items():
        if number < count:
            print(f"  {name}: {number} of {count}", flush=True)


def _processor() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.0f} MB"


if __name__ == "__main__":
    main()
