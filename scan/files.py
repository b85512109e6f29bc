"""Files as they lie at an operator: what there is, of what kind, and their octets piece by piece."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO, cast

PIECE = 1 << 18
"""Octets that are looked at together: what is made of them stays within the caches of a processor."""

CONTEXT = 2048
"""Octets before and behind a piece that are looked at too, so that nothing is cut in two."""

MOST_INSIDE = 1 << 36
"""More than so many octets are not unpacked from one file."""

Piece = tuple[bytes, int, int, int]
"""Octets; from where up to where they are the piece; and where the piece begins in the file."""

UNPACKING = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, NotImplementedError)
"""What unpacking raises for files that are damaged, cut off, or locked."""


class Kind(Enum):
    """What a file is, by its first octets."""

    PLAIN = b""
    SQLITE = b"SQLite format 3\x00"
    GZIP = b"\x1f\x8b"
    BZIP2 = b"BZh"
    XZ = b"\xfd7zXZ\x00"
    ZIP = b"PK\x03\x04"
    PG_DUMP = b"PGDMP"


class TooMuch(Exception):
    """More is packed into a file than anybody would unpack."""


def kind_of(path: Path) -> Kind:
    """Raises OSError."""
    with path.open("rb") as file:
        head = file.read(16)
    return next(kind for kind in reversed(Kind) if head.startswith(kind.value))


def files_under(root: Path, on_gap: Callable[[Path, str], None]) -> Iterator[tuple[Path, int]]:
    """Every file under a folder and its octets, links not followed; what cannot be read is told with the reason."""
    if root.is_file():
        yield root, root.stat().st_size
        return
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            on_gap(folder, told(error))
            continue
        for entry in entries:
            path = Path(entry.path)
            if entry.is_symlink():
                if why := _link(path, root):
                    on_gap(path, why)
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            elif stat.S_ISREG((found := entry.stat(follow_symlinks=False)).st_mode):
                yield path, found.st_size
            else:
                on_gap(path, "it is no file: a pipe, a socket or a device")


def _link(path: Path, root: Path) -> str:
    """Why a link leaves something unread; nothing when it leads to what is read anyway."""
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return "it is a symbolic link to nothing, or to itself"
    within = target.is_relative_to(root.resolve())
    return "" if within else "it is a symbolic link out of the folder; name what it leads to"


def pieces_of(file: BinaryIO, start: int = 0, end: int | None = None) -> Iterator[Piece]:
    """The octets of a file, or of a stretch of it; a file without an end is read from the beginning."""
    before = b""
    if start:
        file.seek(max(0, start - CONTEXT))
        before = file.read(min(start, CONTEXT))
    place, here = start, file.read(PIECE)
    while here and (end is None or place < end):
        behind = file.read(PIECE)
        size = len(here) if end is None else min(len(here), end - place)
        yield before + here + behind[:CONTEXT], len(before), len(before) + size, place
        place += len(here)
        before, here = here[-CONTEXT:], behind


def unpacked(path: Path, kind: Kind) -> Iterator[tuple[str, Iterator[Piece]]]:
    """What is packed into a file, each with its name in it, empty if it has none. Raises some of `UNPACKING`, and
    TooMuch."""
    if kind is Kind.ZIP:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if not member.is_dir():
                    with archive.open(member) as file:
                        yield member.filename, _bounded(cast(BinaryIO, file))
        return
    openers: dict[Kind, Any] = {Kind.GZIP: gzip.open, Kind.BZIP2: bz2.open, Kind.XZ: lzma.open}
    with closing(cast(BinaryIO, openers[kind](path, "rb"))) as file:
        yield "", _bounded(file)


def _bounded(file: BinaryIO) -> Iterator[Piece]:
    for piece in pieces_of(file):
        if piece[3] > MOST_INSIDE:
            raise TooMuch
        yield piece


def told(error: BaseException) -> str:
    """Why a file cannot be read, without its name and without anything of it."""
    if isinstance(error, PermissionError):
        return "permission is denied"
    if isinstance(error, EOFError):
        return "it is cut off"
    if isinstance(error, TooMuch):
        return f"more than {MOST_INSIDE >> 30} GiB are packed into it; unpack it and give what is wanted"
    if isinstance(error, RuntimeError):
        return "it is locked with a password"
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno).lower()
    return "it is damaged"
