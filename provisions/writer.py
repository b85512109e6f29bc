"""The writer: provisions put into a segment of its own, in memory that outlives the process."""

from __future__ import annotations

import fcntl
import mmap
import os
import threading
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import Code, Refusal
from domain.ports import Clock, RandomSource
from domain.provisions import EVIDENCE_OCTETS, NAME_OCTETS, Provision
from provisions.segment import HEADER, NAME, NAME_MARK, NOBODY, PLAIN, PROVISION_MARK, SLOT, SealKeys, write_header

SLOTS = 1 << 18
"""In a segment of 16 MiB: some seconds of a worker that does nothing else."""
LASTS = timedelta(minutes=5)
"""A segment with records is followed by the next after this time, so that it can be filed."""
SUFFIX = ".provisions"

_NAMES = 3
"""New names that a record may need, each in a slot of its own."""

_pack, _pack_name = PLAIN.pack, NAME.pack


class _Names(dict[str, int]):
    """Numbers of the names that stand in the open segment; a new one is written before it is used."""

    def __init__(self, writer: SegmentWriter) -> None:
        super().__init__()
        self._writer = writer

    def __missing__(self, name: str) -> int:
        number = self[name] = len(self)
        self._writer.put(_pack_name(NAME_MARK, number, name.encode()[:NAME_OCTETS]))
        return number


class SegmentWriter:
    """`domain.provisions.Record`. Threads may share it; a forked child begins a segment of its own.

    A record is copied into a file that is mapped into memory: the operating system has it when the call returns, and
    keeps it whatever becomes of the process. A power cut takes what the system has not written out yet; who files the
    segments has it written every few seconds. Room for a whole segment is taken when it is begun, so a disk that is
    full refuses the next segment and breaks none. The lock on the file says that its writer lives.
    """

    def __init__(self, folder: Path, keys: SealKeys, clock: Clock, random: RandomSource, *, slots: int = SLOTS) -> None:
        self._folder = folder
        self._keys = keys
        self._clock = clock
        self._random = random
        self._slots = slots
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._map: mmap.mmap | None = None
        self._file = -1
        self._pid = os.getpid()
        self._next = self._last = 0
        self._when: datetime | None = None
        self._seconds = 0
        self._names = _Names(self)

    def __call__(self, provision: Provision) -> None:
        when, party, provider, purpose, issuer, channel, asked, answered, evidence = provision
        with self._lock:
            if self._next >= self._last or self._pid != os.getpid():
                self._begin()
            if when is not self._when:
                self._when, self._seconds = when, int(when.timestamp())
            names = self._names
            self.put(
                _pack(
                    PROVISION_MARK,
                    channel,
                    names[issuer],
                    names[purpose],
                    names[answered],
                    self._seconds,
                    NOBODY if party is None else party.id,
                    NOBODY if provider is None else provider.id,
                    asked,
                    evidence[:EVIDENCE_OCTETS],
                )
            )

    def put(self, plain: bytes) -> None:
        """The next slot. The caller holds the lock."""
        number = self._next
        at = HEADER + number * SLOT
        self._map[at : at + SLOT] = self._encrypt(number.to_bytes(12), plain, None)  # type: ignore[index]
        self._next = number + 1

    def turn(self) -> None:
        """Let go of a segment that has records and is old enough, for filing. To be called now and then."""
        with self._lock:
            if self._pid == os.getpid() and self._next and self._clock() - self._begun >= LASTS:
                self._let_go()

    def close(self) -> None:
        """Let go of the segment; a record that follows begins another."""
        with self._lock:
            if self._pid == os.getpid():
                self._let_go()

    def _let_go(self) -> None:
        if self._map is not None:
            self._map.close()
            os.close(self._file)
        self._forget()

    def _begin(self) -> None:
        if self._pid == os.getpid():
            self._let_go()
        else:
            self._forget()  # the parent's file stays the parent's, and so does its lock
        self._begun = self._clock()
        id_, key = self._random(16), self._random(32)
        path = self._folder / f"{self._begun:%Y%m%dT%H%M%SZ}-{id_.hex()}{SUFFIX}"
        size = HEADER + self._slots * SLOT
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                os.posix_fallocate(file, 0, size)
                os.pwrite(file, write_header(id_, int(self._begun.timestamp()), key, self._keys), 0)
                self._map = mmap.mmap(file, size)
            except BaseException:
                path.unlink()
                os.close(file)
                raise
        except OSError as error:
            raise Refusal(
                Code.STORE_UNAVAILABLE,
                f"provisions cannot be put on record ({error.strerror}): no answer leaves until there is room again",
            ) from None
        self._file = file
        self._encrypt = AESGCM(key).encrypt
        self._last = self._slots - _NAMES
