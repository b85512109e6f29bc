"""The mark of the register: how often it was changed, in a file that all processes of a node see at once.

Two counters, of changes begun and of changes done. A change counts as begun before it is committed and as done after
that, so between the two, and after a process that died there, nobody believes what was read before.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import Code, Refusal

_FORM = struct.Struct("=QQ")


class RegisterMark:
    """Threads may share it, and children of a fork. Raises Refusal(STORE_UNAVAILABLE) where its file cannot be had."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._map: mmap.mmap | None = None

    def read(self) -> int | None:
        """A number that stays the same as long as nobody changes the register; None while somebody is at it."""
        counters = self._map or self._open()
        # In this order: a change that is begun and done in between shows.
        begun, done = _FORM.unpack_from(counters)
        return done if begun == done else None

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Around the commit of a change."""
        mine = self._count(begin=True, number=0)
        try:
            yield
        finally:
            self._count(begin=False, number=mine)

    def _count(self, *, begin: bool, number: int) -> int:
        counters = self._map or self._open()
        with self._path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            begun, done = _FORM.unpack_from(counters)
            if begin:
                begun += 1
            else:
                done = max(done, number)
            _FORM.pack_into(counters, 0, begun, done)
        return int(begun)

    def _open(self) -> mmap.mmap:
        try:
            return self._opened()
        except OSError as error:
            raise Refusal(
                Code.STORE_UNAVAILABLE, f"{self._path.name} cannot be opened or made ({error.strerror}); free its disk"
            ) from None

    def _opened(self) -> mmap.mmap:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(descriptor).st_size < _FORM.size:
                # With its room on the disk: a full one would end the process at the first count, not here.
                os.posix_fallocate(descriptor, 0, _FORM.size)
            self._map = mmap.mmap(descriptor, _FORM.size)
        finally:
            os.close(descriptor)
        return self._map
