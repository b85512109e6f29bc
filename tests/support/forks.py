"""A program: `python -m tests.support.forks` does what it is ordered to, each order in a process forked for it.

It has everything imported and every key decrypted, which takes most of the time that a process of this project needs.
An order is a JSON object on a line: the state directory, the moment, the acts of `tests.support.acts` with their
arguments, and before which of its steps the process is killed or stands still. The answer is a line, too.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import IO, Any

from domain.errors import Refusal
from keys.software import SoftwareSigner
from tests.support.acts import ACTS, Facts, Workplace
from tests.support.disks import BLOWS, NO_DISK
from tests.support.steps import Steps, watched

Order = dict[str, Any]


@dataclass
class _Child:
    process_id: int
    says: IO[str]


def _start(order: Order, sign: int = signal.SIGKILL, gate: int | None = None) -> _Child:
    """A process that carries the order out, as soon as `gate` (a descriptor) can be read."""
    reading, writing = os.pipe()
    process_id = os.fork()
    if process_id == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as tells:
            blow = BLOWS.get(order.get("fault", ""), lambda: os.kill(os.getpid(), sign))
            steps = Steps(order["kinds"], order["last"], blow)
            _carry_out(order, steps, gate, lambda said: print(json.dumps(said), file=tells, flush=True))
        os._exit(0)
    os.close(writing)
    return _Child(process_id, os.fdopen(reading))


def _carry_out(order: Order, steps: Steps, gate: int | None, tell: Callable[[Facts], None]) -> None:
    place = _workplace(order)
    if gate is not None:
        _make_ready(place)
        os.read(gate, 1)
    with watched(steps):
        steps.begin()
        for name, arguments in order["acts"]:
            try:
                said = ACTS[name](place, **arguments)
            except Refusal as refusal:
                said = {"refusal": refusal.code.value, "detail": refusal.detail}
            except OSError as error:
                said = {"refusal": "no-disk"} if error.errno in NO_DISK else {"failed": traceback.format_exc()}
            except BaseException:
                said = {"failed": traceback.format_exc()}
            tell(said)
        steps.returned()
    tell({"steps": steps.taken})


def _workplace(order: Order) -> Workplace:
    return Workplace(Path(order["state"]), datetime.fromisoformat(order["now"]), order["lock_wait"])


def _make_ready(place: Workplace) -> object:
    """Make the parts that take long to make."""
    return place.services.authority, place.services.publisher, place.services.responder


def _end(child: _Child) -> Facts:
    """What the process told of each act, and the signal that ended it, or all the steps it took."""
    with child.says:
        said = [json.loads(line) for line in child.says]
    _, status = os.waitpid(child.process_id, 0)
    if os.WIFSIGNALED(status):
        return {"told": said, "steps": [], "signal": os.WTERMSIG(status)}
    return {"told": said[:-1], **said[-1], "signal": None}


def _alone(orders: list[Order]) -> list[Facts]:
    """One process after the other."""
    return [_end(_start(order)) for order in orders]


def _meanwhile(orders: list[Order]) -> list[Facts]:
    """The first process stands still before its last step, and goes on when the others are done."""
    first = _start(orders[0], signal.SIGSTOP)
    try:
        os.waitid(os.P_PID, first.process_id, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        others = _alone(orders[1:])
    finally:
        os.kill(first.process_id, signal.SIGCONT)
    return [_end(first), *others]


def _together(orders: list[Order]) -> list[Facts]:
    """All processes at once."""
    waiting, opening = os.pipe()
    children = [_start(order, gate=waiting) for order in orders]
    os.write(opening, bytes(len(children)))
    os.close(waiting)
    os.close(opening)
    return [_end(child) for child in children]


def _warm(orders: list[Order]) -> list[Facts]:
    """Decrypt the keys of a state directory, for all processes that will ever work there or in a copy of it."""
    for order in orders:
        place = _workplace(order)
        _make_ready(place)
        place.services.close()  # law is read from the database, and nobody may be at work in one that is copied
    return []


WAYS: dict[str, Callable[[list[Order]], list[Facts]]] = {
    "warm": _warm,
    "alone": _alone,
    "meanwhile": _meanwhile,
    "together": _together,
}


def main() -> None:
    SoftwareSigner.from_pem = staticmethod(cache(SoftwareSigner.from_pem))  # type: ignore[method-assign]
    for line in sys.stdin:
        command = json.loads(line)
        orders = command["orders"]
        print(json.dumps(WAYS[command["way"]](orders)), flush=True)


if __name__ == "__main__":
    main()
