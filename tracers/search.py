"""The search for tracers in a file that leaked: as numbers and texts in many forms, hashed, or cut in half."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from tracers.register import Tracer

_PIECE = 8 << 20
_OVERLAP = 1 << 12
_HASHES = ("md5", "sha1", "sha256", "sha512")
_HEAD = 8
_BITS = 22
_ODD = np.uint64(0x9E3779B97F4A7C15)

View = Callable[[bytes], bytes]
_URL = bytes.maketrans(b"-_", b"+/")


def _only(letters: bytes) -> bytes:
    """What is deleted so that these octets are left."""
    return bytes(octet for octet in range(256) if octet not in letters)


_DECIMAL = b"0123456789"
_HEX = _DECIMAL + b"abcdefABCDEF"
_BASE64 = bytes(octet for octet in range(256) if chr(octet).isalnum() and octet < 128) + b"+/"
_NOT_HEX, _NOT_DECIMAL, _NOT_BASE64 = map(_only, (_HEX, _DECIMAL, _BASE64))

VIEWS: Mapping[str, View] = {
    "octets": lambda octets: octets,
    "hex": lambda octets: octets.replace(b"0x", b"").replace(b"0X", b"").translate(None, _NOT_HEX).lower(),
    "decimal": lambda octets: octets.translate(None, _NOT_DECIMAL),
    "base64": lambda octets: octets.translate(_URL).translate(None, _NOT_BASE64),
}
"""How a file is looked at: separators, quotes, line breaks and escapes go, so that every way of writing is one."""


@dataclass(frozen=True, slots=True, repr=False)
class Needle:
    """Octets to be found in one of the views, whose they are, and how they would have been written."""

    view: str
    octets: bytes
    tracer: Tracer
    form: str


def needles_of(serial: bytes, tracer: Tracer) -> Iterator[Needle]:
    """Every form of one serial that is looked for."""
    plain = {"as octets": serial, "backwards": serial[::-1], "first half": serial[:8], "second half": serial[8:]}
    texts = {
        "hex": serial.hex().encode(),
        "upper-case hex": serial.hex().upper().encode(),
        "hex with colons": serial.hex(":").encode(),
        "decimal": str(int.from_bytes(serial)).encode(),
        "octets": serial,
    }
    for name in _HASHES:
        plain |= {
            f"{name} of {form}": hashlib.new(name, text, usedforsecurity=False).digest() for form, text in texts.items()
        }
    for form, octets in plain.items():
        yield Needle("octets", octets, tracer, form)
        yield Needle("hex", octets.hex().encode(), tracer, f"{form}, in hex")
        for shift in range(3):
            # What stands before shifts the letters; those at the ends depend on what stands around.
            text = base64.b64encode(bytes(shift) + octets)[-(-8 * shift // 6) :].rstrip(b"=")[:-1]
            yield Needle("base64", text, tracer, f"{form}, in base64")
    yield Needle("decimal", texts["decimal"], tracer, "in decimal")


def search(file: BinaryIO, serials: Mapping[bytes, Tracer]) -> dict[tuple[Tracer, str], int]:
    """How often each tracer was found, by form. A file of any size, read in pieces."""
    needles = [needle for serial, tracer in serials.items() for needle in needles_of(serial, tracer)]
    heads = {name: _Heads(needle for needle in needles if needle.view == name) for name in VIEWS}
    found: dict[tuple[Tracer, str], set[int]] = {}
    for start, piece in _pieces(file):
        for name, view in VIEWS.items():
            for needle, place in heads[name].hits(view(piece)):
                # A place in a view of overlapping pieces is not a place in the file: it only tells hits apart.
                found.setdefault((needle.tracer, needle.form), set()).add(start + place)
    return {what: len(places) for what, places in found.items()}


class _Heads:
    """Needles by their first eight octets, and the slots that any of these falls into."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        self.table: dict[bytes, list[Needle]] = {}
        for needle in needles:
            self.table.setdefault(needle.octets[:_HEAD], []).append(needle)
        self._slots = np.zeros(1 << _BITS, np.bool_)
        self._slots[_slot(np.frombuffer(b"".join(self.table), "<u8"))] = True

    def hits(self, octets: bytes) -> Iterator[tuple[Needle, int]]:
        """Needles and where they are."""
        for offset in range(_HEAD):
            words = np.frombuffer(octets, "<u8", max(0, len(octets) - offset) // _HEAD, min(offset, len(octets)))
            for word in np.flatnonzero(self._slots[_slot(words)]).tolist():
                place = offset + _HEAD * word
                for needle in self.table.get(octets[place : place + _HEAD], ()):
                    if octets.startswith(needle.octets, place):
                        yield needle, place


def _slot(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return (words * _ODD) >> np.uint64(64 - _BITS)


def _pieces(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Pieces that overlap, so that nothing lies across a seam."""
    start, kept = 0, b""
    while more := file.read(_PIECE):
        piece = kept + more
        yield start, piece
        kept = piece[-_OVERLAP:]
        start += len(piece) - len(kept)
