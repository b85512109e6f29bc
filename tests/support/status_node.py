"""A program: a status node over a database, that says on a line what it would tell of the serial on each line it reads.

`python -m tests.support.status_node URL FOLDER MAX_AGE SKEW`: seconds, and how far this machine's clock is wrong.
"""

from __future__ import annotations

import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path

from config.assemble import system_clock
from config.nodes import system_steady
from domain.certificates import IssuerId
from domain.errors import Refusal
from domain.serial import SerialNumber
from store.feed import StatusFeed
from store.follower import StatusFollower
from store.model import StatusModel
from store.model_status import ModelStatusLookup
from store.status import SqlStatusLookup

POLL = timedelta(seconds=0.1)


def main(url: str, folder: str, max_age: str, skew: str) -> None:
    wrong = timedelta(seconds=float(skew))

    def clock() -> datetime:
        return system_clock() + wrong

    model, feed = StatusModel(Path(folder) / "model"), StatusFeed(url)
    follower = StatusFollower(model, feed, clock, system_steady, Path(folder))
    source = SqlStatusLookup(url)
    lookup = ModelStatusLookup(model, source, clock, system_steady, timedelta(seconds=float(max_age)))
    threading.Thread(target=follower.run, args=(POLL, threading.Event()), daemon=True).start()
    print("ready", flush=True)
    for line in sys.stdin:
        if line == "fresh\n":
            print(lookup.is_fresh(), flush=True)
            continue
        issuer, serial = line.split()
        good = lookup.good_at(IssuerId(issuer), clock(), system_steady())(bytes.fromhex(serial))
        try:
            word: str = lookup.status_of(IssuerId(issuer), SerialNumber.of(bytes.fromhex(serial))).word
        except Refusal:
            word = "try-later"
        print("good" if good else word, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
