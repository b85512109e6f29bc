"""The sandbox: documents are read by another program, in a process for each, which can be killed and holds no keys."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any

from domain.errors import Code, Refusal
from domain.validations import Reason
from validation.finding import Examination, Finding, SigningTime, unread
from validation.reader import SECONDS, encode

AT_ONCE = 4
"""Documents that one process has read at once."""
WAITING = 4
"""Documents that wait for that, each with a thread of a service that has others to serve."""
_PATIENCE = 2.0 * SECONDS + 5
_LONGEST = 65_536

_log = logging.getLogger("jpki.validation")


class Sandbox:
    """The `Read` port of `validation.examine`. Threads may share it; a forked child starts a program of its own.

    `authorities` are certificates (DER) of those whose time stamps are believed, `program` the module that reads.
    """

    def __init__(self, authorities: Sequence[bytes] = (), program: str = "validation.reader") -> None:
        self._authorities, self._module = authorities, program
        self._room = BoundedSemaphore(AT_ONCE)
        self._door = BoundedSemaphore(AT_ONCE + WAITING)
        self._starting = Lock()
        self._program: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._pid = 0

    def __call__(self, examination: Examination) -> Finding:
        """What is to be said of a document. Raises Refusal(BAD_DOCUMENT), and Refusal(BUSY) while too many are read, or
        the program cannot be started."""
        if not self._door.acquire(blocking=False):
            raise Refusal(Code.BUSY, "too many documents are being read; send it again")
        try:
            with self._room:
                octets = self._ask(encode(examination, self._authorities))
        finally:
            self._door.release()
        if not octets:
            raise Refusal(Code.BUSY, "the program that reads documents does not answer; send it again")
        try:
            return self._finding(examination, json.loads(octets[1:]))
        except (ValueError, KeyError, TypeError):  # killed before it had said all, or not itself any more
            raise unread("to read it takes more time or memory than a document may") from None

    def _finding(self, examination: Examination, said: dict[str, Any]) -> Finding:
        if "error" in said:
            facts = {"format": examination.format.value, "error": said["error"]}
            _log.info("a document could not be read", extra={"facts": facts})
        if "refused" in said:
            raise unread(said["refused"])
        time = said["time"]
        return Finding(
            tuple(map(Reason, said["reasons"])),
            time and SigningTime(datetime.fromisoformat(time["at"]), time["proven"]),
        )

    @property
    def process_id(self) -> int | None:
        """Of the program, if it runs."""
        return self._program.pid if self._program and self._pid == os.getpid() else None

    def close(self) -> None:
        """End the program; it is started again when it is needed."""
        with self._starting:
            self._end()

    def _ask(self, octets: bytes) -> bytes:
        """What the reader answers: a dot when it begins, and the rest unless it was killed."""
        mine, theirs = socket.socketpair()
        with mine, theirs:
            self._hand_over(theirs)
            theirs.close()
            mine.settimeout(_PATIENCE)
            received = b""
            with suppress(OSError):  # killed while it was told, or too slow
                mine.sendall(octets)
                mine.shutdown(socket.SHUT_WR)
                while len(received) <= _LONGEST and (more := mine.recv(_LONGEST)):
                    received += more
        return received[:_LONGEST]

    def _hand_over(self, theirs: socket.socket) -> None:
        with self._starting:
            for _ in range(2):
                try:
                    socket.send_fds(self._started(), [b"."], [theirs.fileno()])
                except OSError:
                    self._end()  # it died; once more with another
                else:
                    return
        raise Refusal(Code.BUSY, "the program that reads documents does not start; send it again")

    def _started(self) -> socket.socket:
        if self._control is not None and self._pid == os.getpid():
            return self._control
        if self._control is not None:
            self._control.close()  # the parent's, who has its own end
            self._program = None
        control, given = socket.socketpair()
        with given:
            # Nothing of our own environment, which may hold secrets, nor of our descriptors.
            self._program = subprocess.Popen(
                [sys.executable, "-P", "-m", self._module],
                stdin=given.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)},
                cwd="/",
                start_new_session=True,
            )
        self._control, self._pid = control, os.getpid()
        return control

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._program is not None and self._pid == os.getpid():
            self._program.kill()
            self._program.wait()
        self._program = None
