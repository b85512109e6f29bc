"""`python -m bench.model`: a status model of 100,000 and one of ten million: look-ups, size, changes, start."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from config.nodes import system_steady
from domain.certificates import IssuerId
from domain.serial import OCTETS
from store.base import NOT_REVOKED, RECORD, Records
from store.feed import Position
from store.model import ModelState, StatusModel
from store.status_changes import LINK

ISSUER = IssuerId("signature-g1")
NOW, END, BLOCK, ASKED, CHANGED = 1_800_000_000, 1_900_000_000, 1 << 16, 200_000, 2_000
AGE = 10**12


def main() -> None:
    for count in (100_000, 10_000_000):
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
            _measure(Path(folder), count)


def _measure(folder: Path, count: int) -> None:
    model, asked = StatusModel(folder), list[bytes]()

    def blocks() -> Iterator[Records]:
        for start in range(0, count, BLOCK):
            block = np.zeros(min(BLOCK, count - start), RECORD)
            chance = np.frombuffer(os.urandom(OCTETS * len(block)), ">u8").astype(np.uint64).reshape(-1, 2)
            block["high"] = chance[:, 0] >> np.uint64(2) | np.uint64(1 << 62)
            block["low"], block["mark"] = chance[:, 1], model.marks[ISSUER]
            block["not_after"], block["reason"] = END, NOT_REVOKED
            asked.extend(record.tobytes()[:OCTETS] for record in block[:: max(count // ASKED, 1)])
            yield block

    begun = perf_counter()
    model.build(blocks(), Position(0, bytes(LINK)), NOW, system_steady())
    print(f"{count:,}: made of drawn records in {perf_counter() - begun:.1f} s")
    state = model.state()
    assert state
    state = model.apply(state, (), Position(1, bytes(LINK)), system_steady())
    model.close()
    begun = perf_counter()
    model = StatusModel(folder)
    good = model.good_at(ISSUER, NOW, AGE, system_steady)
    assert good(asked[0])
    print(f"  opened and asked once in {1000 * (perf_counter() - begun):.1f} ms")
    for _ in range(2):
        begun = process_time()
        assert all(map(good, asked))
    print(f"  a look-up: {1e6 * (process_time() - begun) / len(asked):.2f} µs")
    print(f"  a change: {_changes(model, state, asked):.1f} µs")
    print(f"  on disk: {sum(path.stat().st_blocks * 512 for path in folder.iterdir()) / 1e6:.0f} MB")
    model.close()


def _changes(model: StatusModel, state: ModelState, asked: list[bytes]) -> float:
    begun = process_time()
    for number, serial in enumerate(asked[:CHANGED], start=2):
        rows = [(str(ISSUER), serial, "issued", END, NOW, 1)]
        state = model.apply(state, rows, Position(number, bytes(LINK)), system_steady())
    return 1e6 * (process_time() - begun) / CHANGED


if __name__ == "__main__":
    main()
