"""The shelf: filters as they lie in their folder, read whole when they are asked for, their labels kept until then."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from domain.certificates import IssuerId
from domain.der import DerError
from filters.container import FilterLabel, read_filter

_Identity = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Copy:
    """One file on the shelf. `digest` is the SHA-256 in hex of its `octets` octets."""

    path: Path
    label: FilterLabel
    digest: str
    octets: int


def file_name(verifiers: str, issuer: IssuerId, *, delta: bool) -> str:
    """`court/signature-g1.base.filter` or `….delta.filter`."""
    return f"{verifiers}/{issuer}.{'delta' if delta else 'base'}.filter"


class Shelf:
    """Files are replaced by renaming: one opening reads one file from end to end. What was worked out about a file is
    kept for as long as it is the same one (device, inode, size, time)."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._kept: dict[str, tuple[_Identity, Copy | None]] = {}

    def find(self, verifiers: str, issuer: IssuerId, *, delta: bool) -> Copy | None:
        """What lies there, or None where nothing does, or what does is damaged: nobody can have used it."""
        name = file_name(verifiers, issuer, delta=delta)
        path = self._directory / name
        try:
            stat = path.stat()
        except FileNotFoundError:
            return None
        identity = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
        kept = self._kept.get(name)
        if kept is None or kept[0] != identity:
            with path.open("rb") as file:
                stat = os.fstat(file.fileno())
                octets = file.read()
            identity = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
            kept = self._kept[name] = (identity, _copy(path, octets))
        return kept[1]

    def read(self, copy: Copy) -> bytes | None:
        """The octets of a copy, or None when another has taken its place."""
        try:
            octets = copy.path.read_bytes()
        except FileNotFoundError:
            return None
        return octets if hashlib.sha256(octets).hexdigest() == copy.digest else None

    def pair(self, verifiers: str, issuer: IssuerId) -> tuple[Copy | None, Copy | None]:
        """The base, and the delta over it if there is one."""
        base, delta = (self.find(verifiers, issuer, delta=one) for one in (False, True))
        return base, delta if base is not None and delta is not None and _belongs(delta, base) else None


def _copy(path: Path, octets: bytes) -> Copy | None:
    try:
        label = read_filter(octets).label
    except DerError:
        return None
    return Copy(path, label, hashlib.sha256(octets).hexdigest(), len(octets))


def _belongs(delta: Copy, base: Copy) -> bool:
    mine, its = delta.label, base.label
    same = (mine.key_identifier, mine.verifiers) == (its.key_identifier, its.verifiers)
    return same and mine.base == its.number
