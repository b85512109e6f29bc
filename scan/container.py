"""The file of a scan filter: a signed label, and behind it tables of keyed digests that are mapped, not read.

`JPKI-SCAN-1` and a line feed; the length of the label in eight octets; the label (JSON); the signature in 64 octets;
from the next page on the arrays of the tables, each beginning at a multiple of eight octets. The label names their
lengths and the SHA-256 of all that lies behind it, so that the one signature covers everything.
"""

from __future__ import annotations

import hashlib
import json
import mmap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from domain.errors import Code, Refusal
from scan.digest import WIDTHS, Part, key_check
from scan.table import DigestTable

MAGIC = b"JPKI-SCAN-1\n"
PAGE = 4096
_SIGNATURE = 64
_LONGEST_LABEL = 1 << 16
_PURPOSE = b"jpki scan filter v1\x00"
_ARRAYS: tuple[tuple[str, Any], ...] = (("bitmap", "<u1"), ("starts", "<u4"), ("remainders", "<u4"))

Sign = Callable[[bytes], bytes]
Verify = Callable[[bytes, bytes], bool]
"""(octets, signature) -> whether the authority made it."""


@dataclass(frozen=True, slots=True)
class ScanLabel:
    """For which audit a filter was made, when, until when it may be used, and what it covers: all of so many
    certificates as they are, `plain` of them as common hashes, `salted` of them as rarer and salted ones."""

    audit: str
    made: datetime
    expires: datetime
    certificates: int
    plain: int
    salted: int
    salt: bytes

    def require_usable(self, now: datetime) -> None:
        """Raises Refusal(CLOCK_BEHIND) before it was made, Refusal(OUT_OF_ORDER) after it has expired."""
        if now < self.made:
            raise Refusal(Code.CLOCK_BEHIND, "the clock is behind the scan filter; set the clock right")
        if now > self.expires:
            raise Refusal(Code.OUT_OF_ORDER, "the scan filter has expired; ask the authority for a new one")


@dataclass(frozen=True, slots=True, repr=False)
class ScanFilter:
    """A filter as opened: its label and a table for each part."""

    label: ScanLabel
    tables: Mapping[Part, DigestTable]


def write_filter(file: BinaryIO, made: ScanFilter, key: bytes, sign: Sign) -> str:
    """Write the filter; the SHA-256 (hex) of its label."""
    label = made.label
    arrays = [_array(made.tables[part], name) for part in Part for name, _ in _ARRAYS]
    content = {
        "audit": label.audit,
        "made": _text(label.made),
        "expires": _text(label.expires),
        "certificates": label.certificates,
        "plain": label.plain,
        "salted": label.salted,
        "salt": label.salt.hex(),
        "key_check": key_check(key, label.salt),
        "arrays": [len(array) for array in arrays],
        "body": _digest(_laid_out(arrays)),
    }
    octets = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    head = MAGIC + len(octets).to_bytes(8) + octets + sign(_PURPOSE + octets)
    file.write(head.ljust(_page_after(len(head)), b"\x00"))
    file.writelines(_laid_out(arrays))
    return hashlib.sha256(octets).hexdigest()


def open_filter(path: Path, key: bytes, verify: Verify | None) -> ScanFilter:
    """The filter in a file, every octet of it verified, unless there is nobody to verify it: then it was before.

    Raises Refusal(MALFORMED) for what is no filter or was damaged, Refusal(FOREIGN_ISSUER) when the authority did not
    sign it, Refusal(NOT_ADMITTED) for another filter's key.
    """
    content, octets, signature, at = _read_label(path)
    if verify is not None and not verify(_PURPOSE + octets, signature):
        raise Refusal(Code.FOREIGN_ISSUER, "the scan filter is not signed by the authority of this key; fetch it again")
    try:
        label = ScanLabel(
            audit=str(content["audit"]),
            made=_time(content["made"]),
            expires=_time(content["expires"]),
            certificates=int(content["certificates"]),
            plain=int(content["plain"]),
            salted=int(content["salted"]),
            salt=bytes.fromhex(content["salt"]),
        )
        lengths, wanted, check = [int(length) for length in content["arrays"]], content["body"], content["key_check"]
    except (KeyError, TypeError, ValueError):
        raise _no_filter("its label is not of this version") from None
    if check != key_check(key, label.salt):
        raise Refusal(Code.NOT_ADMITTED, "this is the key of another scan filter; take the key that came with it")
    with path.open("rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))[at:]
    kinds = [kind for _ in Part for _, kind in _ARRAYS]
    if len(lengths) != len(kinds) or (verify is not None and _digest([mapped]) != wanted):
        raise _no_filter("it was damaged; fetch it again")
    arrays: list[Any] = []
    place = 0
    for length, kind in zip(lengths, kinds, strict=True):
        arrays.append(np.frombuffer(mapped, kind, length, place))
        place += arrays[-1].nbytes + -arrays[-1].nbytes % 8
    tables = {part: DigestTable(WIDTHS[part], *arrays[3 * n : 3 * n + 3]) for n, part in enumerate(Part)}
    return ScanFilter(label, tables)


def _read_label(path: Path) -> tuple[dict[str, Any], bytes, bytes, int]:
    with path.open("rb") as file:
        head = file.read(len(MAGIC) + 8)
        length = int.from_bytes(head[len(MAGIC) :])
        if not head.startswith(MAGIC) or not 0 < length <= _LONGEST_LABEL:
            raise _no_filter("it does not begin as one")
        octets, signature = file.read(length), file.read(_SIGNATURE)
    try:
        content = json.loads(octets)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or len(signature) != _SIGNATURE:
        raise _no_filter("its label cannot be read")
    return content, octets, signature, _page_after(len(head) + length + _SIGNATURE)


def _array(table: DigestTable, name: str) -> NDArray[Any]:
    array: NDArray[Any] = getattr(table, name)
    return array


def _laid_out(arrays: Sequence[NDArray[Any]]) -> Iterator[bytes | memoryview]:
    for array in arrays:
        if len(array):
            yield np.ascontiguousarray(array).data.cast("B")
        yield bytes(-array.nbytes % 8)


def _digest(pieces: Iterator[bytes | memoryview] | Sequence[memoryview]) -> str:
    found = hashlib.sha256()
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()


def _page_after(length: int) -> int:
    return -(-length // PAGE) * PAGE


def _no_filter(why: str) -> Refusal:
    return Refusal(Code.MALFORMED, f"this is no scan filter: {why}")


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
