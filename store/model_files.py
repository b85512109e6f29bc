"""The files of a status model as a process has them open: changes in LMDB, and the bases they stand beside."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import lmdb

from domain.certificates import IssuerId
from store.base import StatusBase

_LAST_BASE = b"base"
_MARK = b"issuer "
_NUMBER = struct.Struct(">Q")
_BASES = 1 << 24
"""Bases that may be made beside one file of changes."""

_SIZE = 64 << 30
"""The most the file of changes may grow to; it takes only what is in it."""


class ModelFiles:
    """Opened once. When they are taken away they are of no use any more: others have files of their own then, with the
    same names, but with other numbers for their bases, and for issuers perhaps.

    Threads may share them; a forked child may not use them. What another thread still reads stays open for it.
    """

    def __init__(self, folder: Path) -> None:
        """Made if there are none. Raises lmdb.Error and OSError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._path = folder, folder / "data.mdb"
        self._path.touch(mode=0o600)
        self._identity = _identity(self._path)
        # Without sync: what a power cut takes away is made again. The operating system keeps it when a process dies.
        self.environment: Any = lmdb.open(
            str(folder), map_size=_SIZE, max_dbs=3, max_readers=1024, sync=False, metasync=False, mode=0o600
        )
        if not self.are_there():
            raise FileNotFoundError("the files of the status model were taken away while they were opened")
        self.changes: Any = self.environment.open_db(b"changes")
        self.marks: dict[str, int] = {}
        self._issuers: dict[int, IssuerId] = {}
        self._base: tuple[int, StatusBase] | None = None
        self._read_marks()

    def are_there(self) -> bool:
        """Whether they are those that are found there now."""
        try:
            return _identity(self._path) == self._identity
        except OSError:
            return False

    def path(self, number: int) -> Path:
        """Where a base lies."""
        return self._folder / f"base-{number}"

    def base(self, number: int) -> StatusBase:
        """Raises FileNotFoundError for one that was replaced a moment ago."""
        known = self._base
        if known is None or known[0] != number:
            self._base = known = number, StatusBase(self.path(number))
        return known[1]

    def next_base(self) -> int:
        """A number no base had before, beside these changes or others: processes know bases by their numbers."""
        with self.environment.begin(write=True) as transaction:
            (last,) = _NUMBER.unpack(transaction.get(_LAST_BASE, _NUMBER.pack(0)))
            number = int(last) + 1 if self.is_ours(int(last)) else self._first
            transaction.put(_LAST_BASE, _NUMBER.pack(number))
        return number

    def is_ours(self, number: int) -> bool:
        """Whether the base of that number was made beside these changes."""
        return number // _BASES == self._first // _BASES

    @property
    def _first(self) -> int:
        """No file has the number of one that is open."""
        return (self._identity[1] % (1 << 39)) * _BASES

    def remove_all_but(self, number: int) -> None:
        """Bases that are read no longer."""
        for path in self._folder.glob("base-*"):
            if path != self.path(number) and self.are_there():
                path.unlink(missing_ok=True)

    def mark_of(self, issuer: str) -> int | None:
        """The number that stands for an issuer, if a process has met it."""
        if issuer not in self.marks:
            self._read_marks()
        return self.marks.get(issuer)

    def issuer(self, mark: int) -> IssuerId | None:
        """The issuer that number stands for."""
        if mark not in self._issuers:
            self._read_marks()
        return self._issuers.get(mark)

    def mark(self, transaction: Any, issuer: str) -> int:
        """The number that stands for an issuer; a new one if no process has met it, which is written, and may never be
        committed."""
        known = self.marks.get(issuer)
        if known is None:
            written = _marks_in(transaction)
            known = written.get(issuer)
            if known is None:
                known = max(written.values(), default=0) + 1
                transaction.put(_MARK + issuer.encode(), bytes((known,)))
        return known

    def _read_marks(self) -> None:
        with self.environment.begin() as transaction:
            self.marks.update(_marks_in(transaction))
        self._issuers.update((number, IssuerId(issuer)) for issuer, number in self.marks.items())


class Marks(Mapping[str, int]):
    """The numbers that stand for issuers; one that was not met before gets one."""

    def __init__(self, files: ModelFiles) -> None:
        self._files = files

    def __getitem__(self, issuer: str) -> int:
        known = self._files.marks.get(issuer)
        if known is None:
            with self._files.environment.begin(write=True) as transaction:
                known = self._files.mark(transaction, issuer)
            self._files.mark_of(issuer)  # now that it is there for good
        return known

    def __iter__(self) -> Iterator[str]:
        return iter(self._files.marks)

    def __len__(self) -> int:
        return len(self._files.marks)


def _marks_in(transaction: Any) -> dict[str, int]:
    return {key.removeprefix(_MARK).decode(): value[0] for key, value in transaction.cursor() if key.startswith(_MARK)}


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
