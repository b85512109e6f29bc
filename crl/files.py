"""List files: a new one is written beside the old, made durable, and swapped in; readers see the old or the new."""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import Code, Refusal
from domain.lists import Scope


def read_current(directory: Path, scope: Scope) -> bytes | None:
    """The scope's file as published, or None when there is none."""
    try:
        return (directory / scope.path).read_bytes()
    except FileNotFoundError:
        return None


def map_current(directory: Path, scope: Scope) -> memoryview | None:
    """The same without reading it all: its pages come when they are looked at, and stay what they are when the scope
    gets another file."""
    return _map(directory / scope.path)


def _map(path: Path) -> memoryview | None:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return memoryview(b"")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except FileNotFoundError:
        return None


def swap_in(directory: Path, scope: Scope, der: bytes | memoryview, digest: bytes | None = None) -> None:
    """Put `der` in place of the scope's file, and its SHA-256 (`digest`, if it is known) beside it, as
    `sha256sum -c` reads it.

    After a crash at any point the old or the new file is there, whole; what is left beside it is overwritten next time.
    The digest follows its list by an instant, since two files cannot be swapped as one.
    """
    _swap_in(directory, directory / scope.path, der)
    swap_in_digest(directory, scope, digest or hashlib.sha256(der).digest())


def swap_in_beside(directory: Path, scope: Scope, word: str, der: bytes | memoryview) -> None:
    """Put `der` in place of the file that has `word` in its name behind the scope's area."""
    target = _beside(directory, scope, word)
    _swap_in(directory, target, der)
    _make_durable(target.parent)


def map_beside(directory: Path, scope: Scope, word: str) -> memoryview | None:
    """The file of `swap_in_beside`, as `map_current` has the scope's own."""
    return _map(_beside(directory, scope, word))


def _beside(directory: Path, scope: Scope, word: str) -> Path:
    return (directory / scope.path).with_suffix(f".{word}.crl")


def _swap_in(directory: Path, target: Path, der: bytes | memoryview) -> None:
    if not target.parent.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        _make_durable(directory)
    _replace(target, der)


def swap_in_digest(directory: Path, scope: Scope, digest: bytes) -> None:
    """Put the SHA-256 of the published file in place."""
    target = directory / scope.path
    line = f"{digest.hex()}  {target.name}\n"
    _replace(target.with_name(f"{target.name}.sha256"), line.encode("ascii"))
    _make_durable(target.parent)


@contextmanager
def fenced(directory: Path, token: int) -> Iterator[None]:
    """Have files changed by nobody else meanwhile, and by nobody with a lower token afterwards. Raises Refusal(BUSY)
    when somebody changes them now, or did under a higher token."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lease").open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal(Code.BUSY, "another publisher is writing its lists; try again in a minute") from None
        file.seek(0)
        last = file.read()
        if last.isdigit() and int(last) > token:
            raise Refusal(Code.BUSY, "another publisher wrote lists meanwhile; what was begun before is given up")
        if last != b"%d" % token:
            file.truncate(0)
            file.write(b"%d" % token)
            file.flush()
        yield


def _replace(target: Path, content: bytes | memoryview) -> None:
    """Write beside and rename: the rename is what readers see, so the content must be on disk before it."""
    beside = target.with_name(f".{target.name}.new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(target)


def _make_durable(folder: Path) -> None:
    """Renames and new names survive a power cut once their folder is synced."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
