"""The reaper: ends processes of a running authority without warning, one kind after the other, and watches the memory
of all of them."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from time import monotonic

KINDS = ("status worker", "api worker", "publisher", "status worker", "batches", "api master", "status master")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Reaper:
    """`supervisor` is the process of `jpki serve`. `peaks` are the most memory (MiB) of a process of each service, and
    `together` of all at one moment."""

    def __init__(self, supervisor: int, stop: threading.Event) -> None:
        self._supervisor, self._stop = supervisor, stop
        self.killed: Counter[str] = Counter()
        self.peaks: Counter[str] = Counter()
        self.together = 0

    def work(self, kills: int, seconds: float, first: int) -> None:
        """That many, spread over the time; the last of them long before its end, so that all can come back. `first` is
        the kind that is the first one's."""
        kinds, begun = islice(cycle(KINDS), first, None), monotonic()
        rest, kind = 0.8 * seconds / kills, next(kinds)
        while not self._stop.wait(0.25):
            self.watch()
            done = self.killed.total()
            if done < kills and monotonic() - begun > (done + 1) * rest and self.kill(kind):
                kind = next(kinds)

    def watch(self) -> None:
        """Look at the memory of all processes."""
        found = {(name, process): _memory(process) for name, process in self._processes()}
        for (name, _), memory in found.items():
            self.peaks[name] = max(self.peaks[name], memory)
        self.together = max(self.together, sum(found.values()))

    def kill(self, kind: str) -> bool:
        """Whether there was one to end."""
        name, _, part = kind.partition(" ")
        for service, process in self._processes():
            children = _children(process)
            if service != name or _parent(process) != self._supervisor:
                continue
            if part == "worker" and not children:
                return False  # it is only just starting
            victim = children[0] if part == "worker" else process
            os.kill(victim, signal.SIGKILL)
            self.killed[kind] += 1
            return True
        return False

    def _processes(self) -> Iterator[tuple[str, int]]:
        """Service and number of each, masters before their workers."""
        for process in _children(self._supervisor):
            if (name := _service(process)) is None:
                continue
            yield name, process
            for child in _children(process):
                yield name, child


def _service(process: int) -> str | None:
    """The service that a child of the supervisor is, by its command; None while it is only starting."""
    words = _read(process, "cmdline").split("\0")
    name = words[words.index("serve") + 1] if "serve" in words else ""
    return name or None


def _children(process: int) -> list[int]:
    return [int(child) for child in _read(process, f"task/{process}/children").split()]


def _parent(process: int) -> int:
    stat = _read(process, "stat").rpartition(")")[2].split()
    return int(stat[1]) if stat else 0


def _memory(process: int) -> int:
    """Resident memory in MiB; 0 for one that has just gone."""
    pages = _read(process, "statm").split()
    return int(pages[1]) * _PAGE >> 20 if pages else 0


def _read(process: int, name: str) -> str:
    try:
        return Path(f"/proc/{process}/{name}").read_text()
    except OSError:
        return ""
