"""A program: `python -m tests.support.kit_kills FOLDER` kills the kit before each of SQLite's steps.

It does what the kit does with its file, each time in a process of its own, and prints what was left, a JSON object a
line.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jpki_verify.store import Erased, Evidence, Store
from tests.support.sqlite_steps import kill_before

NOW = datetime(2027, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)
LIFE = 400 * DAY
FILE = "jpki-verify.db"
STAYS, GOES, NEW = ("1-" + letter * 32 for letter in "abc")
PEOPLE = 60
"""Besides these, so that the file has pages to move."""


def evidence(handle: str, word: str, at: datetime = NOW) -> Evidence:
    octets = word.encode().ljust(32, b".")
    return Evidence(at, handle, "authentication", "log-in", "ocsp", at, octets, octets[:16])


def prepare(folder: Path) -> None:
    """Somebody who stays and somebody who is to be erased, each with a challenge, evidence and a reference."""
    store = Store(folder / FILE)
    for number in range(PEOPLE):
        store.remember(f"1-{number:032d}", "authentication", f"customer {number}" * 9, NOW)
    for handle, word, seen in ((STAYS, "stays", NOW), (GOES, "goes", NOW - LIFE)):
        store.remember(handle, "authentication", f"the one who {word}", seen)
        store.keep_evidence(evidence(handle, f"evidence of who {word}", seen), 30 * DAY)
        store.keep_challenge(f"challenge of who {word}".encode(), seen + DAY, seen)
    store.is_newest("signature-g1/13221.crl", 7)


ACTS: dict[str, Callable[[Path], object]] = {
    "begin a file": lambda folder: bool(Store(folder / "another.db")),
    "erase": lambda folder: counts(opened(folder).erase(NOW + DAY, LIFE)),
    "forget": lambda folder: opened(folder).forget(GOES),
    "remember": lambda folder: opened(folder).remember(NEW, "authentication", "the one who is new", NOW),
    "keep evidence": lambda folder: opened(folder).keep_evidence(evidence(NEW, "evidence of who is new"), 30 * DAY),
    "keep a challenge": lambda folder: opened(folder).keep_challenge(b"challenge of who is new", NOW + DAY, NOW),
    "take a challenge": lambda folder: opened(folder).take_challenge(b"challenge of who stays", NOW),
    "rename": lambda folder: opened(folder).rename({GOES: NEW}),
    "lose": lambda folder: opened(folder).lose([GOES]),
    "newest": lambda folder: opened(folder).is_newest("signature-g1/13221.crl", 9),
}


def opened(folder: Path) -> Store:
    return Store(folder / FILE)


def counts(erased: Erased) -> list[int]:
    return [erased.challenges, erased.accounts, erased.evidence]


def carry_out(folder: Path, act: str, last: int | None) -> tuple[dict[str, Any], bool]:
    """The answer, if there was one before the process was killed, and whether it was."""
    reading, writing = os.pipe()
    process_id = os.fork()
    if process_id == 0:
        os.environ["SQLITE_TMPDIR"] = str(folder)  # what is left there is searched, too
        steps = kill_before(last)
        try:
            said = ACTS[act](folder)
        except sqlite3.IntegrityError:  # it is there already
            said = None
        os.write(writing, json.dumps({"said": said, "steps": steps()}).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as tells:
        text = tells.read()
    _, status = os.waitpid(process_id, 0)
    assert status in (0, signal.SIGKILL), status
    return (json.loads(text) if text else {}), status == signal.SIGKILL


def facts(folder: Path) -> dict[str, Any]:
    """What a new process finds: rows, and which words lie in some file of the folder."""
    store = Store(folder / FILE)
    with closing(sqlite3.connect(folder / FILE)) as database:
        accounts = dict(database.execute("SELECT handle, reference FROM accounts").fetchall())
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        challenges = database.execute("SELECT count(*) FROM challenges").fetchone()[0]
        numbers = dict(database.execute("SELECT scope, number FROM lists").fetchall())
    if (folder / "another.db").exists():
        Store(folder / "another.db").remember(NEW, "authentication", "in another file", NOW)
    return {
        "accounts": {handle: accounts[handle] for handle in (STAYS, GOES, NEW) if handle in accounts},
        "others": len(accounts.keys() - {STAYS, GOES, NEW}),
        "evidence": sorted(one.handle for one in store.evidence()),
        "challenges": challenges,
        "numbers": numbers,
        "words": words(folder),
    }


def words(folder: Path) -> list[str]:
    """By the octets of every file that is there, journals too."""
    octets = b"\0".join(path.read_bytes() for path in sorted(folder.iterdir()))
    return [word for word in ("goes", GOES, "evidence of who goes", "the one who goes") if word.encode() in octets]


def main(root: Path) -> None:
    ready = root / "ready"
    ready.mkdir()
    prepare(ready)
    print(json.dumps({"act": "nothing", "before": facts(ready)}))
    for act in ACTS:
        last, killed = 0, True
        while killed:
            folder = root / "at work"
            shutil.copytree(ready, folder)
            answer, killed = carry_out(folder, act, last)
            left = words(folder)
            found = facts(folder)
            again = carry_out(folder, act, None)[0]["said"]
            told = {"act": act, "killed": killed, **answer, "left": left, "found": found, "again": again}
            print(json.dumps(told | {"end": facts(folder)}))
            shutil.rmtree(folder)
            last += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]))
