"""Revocation filters: the status of every issued certificate, offline, in files that only their class can read.

The files are DER, signed by the authority. A certificate has a row in each of two systems of linear equations, placed
by its serial under the key of the class; it is in the set when its row gives zero in every column of both.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from asn1crypto import algos, core
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from jpki_verify.anchors import Anchor
from jpki_verify.certificates import Holder
from jpki_verify.ocsp_answer import Status, Word
from jpki_verify.rejection import Code, Reason, Rejected, Unusable
from jpki_verify.signatures import verify

_WIDTH = 128  # bits of a row
_SERIAL = 16  # octets
_CHANCE = 8  # octets of a salt; the others are made of them with the key
_PREFIX = b"jpki revocation filter\x00"
LARGEST_KEY = 256
_HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


class _Columns(core.SequenceOf):  # type: ignore[misc]
    _child_spec = core.OctetString


class _Ribbon(core.Sequence):  # type: ignore[misc]
    _fields = [("length", core.Integer), ("columns", _Columns)]  # noqa: RUF012


class _ToBeSigned(core.Sequence):  # type: ignore[misc]
    _fields = [  # noqa: RUF012
        ("version", core.Integer),
        ("signature", algos.SignedDigestAlgorithm),
        ("issuer", core.UTF8String),
        ("key_identifier", core.OctetString),
        ("verifiers", core.UTF8String),
        ("number", core.Integer),
        ("base", core.Integer, {"explicit": 0, "optional": True}),
        ("covers", core.GeneralizedTime),
        ("this_update", core.GeneralizedTime),
        ("next_update", core.GeneralizedTime),
        ("salt", core.OctetString),
        ("first", _Ribbon),
        ("second", _Ribbon),
    ]


class _File(core.Sequence):  # type: ignore[misc]
    _fields = [  # noqa: RUF012
        ("to_be_signed", _ToBeSigned),
        ("algorithm", algos.SignedDigestAlgorithm),
        ("signature", core.OctetBitString),
    ]


@dataclass(frozen=True, slots=True, repr=False)
class Ribbon:
    """`length` unknowns for each column, as bits, the first in the lowest bit of the first octet."""

    length: int
    columns: tuple[bytes, ...]

    def zero(self, fraction: int, coefficients: int) -> bool:
        """Whether the row that begins at that fraction (of 2³²) gives zero in every column."""
        start = fraction * (self.length - _WIDTH + 1) >> 32
        first, shift = divmod(start, 8)
        windows = (int.from_bytes(column[first : first + 17], "little") >> shift for column in self.columns)
        return not any((window & coefficients).bit_count() & 1 for window in windows)


@dataclass(frozen=True, slots=True, repr=False)
class Filter:
    """A filter whose signature was verified. `base` is None, or the number of the filter that it changes."""

    key_identifier: bytes
    verifiers: str
    number: int
    base: int | None
    covers: datetime
    this_update: datetime
    next_update: datetime
    salt: bytes
    first: Ribbon
    second: Ribbon

    def contains(self, key: bytes, serial: bytes) -> bool:
        """Whether a certificate that was issued when the filter was made is in the set. `key` is that of the class."""
        fractions = _block(key, self.salt, b"fractions", serial)
        places = int.from_bytes(fractions[4:8], "little"), int.from_bytes(fractions[12:16], "little")
        rows = (int.from_bytes(_block(key, self.salt, name, serial), "little") | 1 for name in (b"first", b"second"))
        ribbons = (self.first, self.second)
        return all(ribbon.zero(*row) for ribbon, row in zip(ribbons, zip(places, rows, strict=True), strict=True))


@dataclass(frozen=True, slots=True)
class ClassKey:
    """The key of a class. `word` is the class as its filters name it, or empty where that was not told."""

    word: str
    octets: bytes = field(repr=False)

    def opens(self, found: Filter) -> bool:
        """Whether the filter was made with this key: with another one it would say anything."""
        chance = found.salt[:_CHANCE]
        made = chance + hmac.digest(self.octets, _PREFIX + b"salt\x00" + chance, hashlib.sha256)[:_CHANCE]
        return self.word in ("", found.verifiers) and hmac.compare_digest(made, found.salt)


def read_class_key(path: Path) -> ClassKey:
    """The key in a file: 64 hex digits, behind the class and a colon if that was told. Raises FileNotFoundError, and
    Rejected(BAD_CONFIGURATION) for anything else that is no key."""
    word, _, digits = path.read_bytes()[:LARGEST_KEY].decode("ascii", "replace").strip().rpartition(":")
    try:
        octets = bytes.fromhex(digits)
    except ValueError:
        octets = b""
    if len(octets) != 32:
        raise Rejected(Code.BAD_CONFIGURATION, f"{path.name} is no key of a class of verifiers: want 64 hex digits")
    return ClassKey(word, octets)


class Filters:
    """The filters in a folder, as they are published: `<issuer>.base.filter` and `<issuer>.delta.filter`."""

    def __init__(self, folder: Path, key: Path, tolerance: timedelta) -> None:
        """`key` holds the key of the class (`read_class_key`); it may come later, with the filters."""
        self._folder, self._file, self._tolerance = folder, key, tolerance
        self._read: dict[tuple[Path, bytes], tuple[tuple[int, int], Filter | None]] = {}

    def status_of(self, holder: Holder, now: datetime) -> Status:
        """What the filters of the holder's authority say. Raises Unusable; NOT_COVERED for newer certificates."""
        key = self._class_key()
        base, delta = self._find(holder.anchor, key)
        newest = delta or base
        if newest.this_update > now + self._tolerance:
            raise Unusable(Reason.FROM_THE_FUTURE)
        if newest.next_update < now:
            raise Unusable(Reason.STALE)
        begins, value = holder.certificate.not_valid_before_utc, holder.certificate.serial_number
        if begins > newest.covers or value.bit_length() > 8 * _SERIAL:
            raise Unusable(Reason.NOT_COVERED)
        serial = value.to_bytes(_SERIAL)
        revoked = begins <= base.covers and base.contains(key.octets, serial)
        if delta is not None:
            revoked ^= delta.contains(key.octets, serial)
        return Status(Word.REVOKED if revoked else Word.GOOD, newest.this_update)

    def _class_key(self) -> ClassKey:
        """Read each time, since it may be another one with the next filters."""
        try:
            return read_class_key(self._file)
        except FileNotFoundError:
            raise Unusable(Reason.NO_FILTER) from None

    def _find(self, anchor: Anchor, key: ClassKey) -> tuple[Filter, Filter | None]:
        """The newest base for this key that the anchor signed, and the newest delta over it."""
        found = [self._open(path, anchor) for path in sorted(self._folder.glob("*.filter"))]
        mine = sorted((one for one in found if one is not None and key.opens(one)), key=lambda one: one.number)
        bases = [one for one in mine if one.base is None]
        if not bases:
            raise Unusable(Reason.NO_FILTER)
        base = bases[-1]
        deltas = [one for one in mine if one.base == base.number and one.verifiers == base.verifiers]
        return base, deltas[-1] if deltas else None

    def _open(self, path: Path, anchor: Anchor) -> Filter | None:
        """The filter in a file, read again when the file is another one."""
        try:
            about = path.stat()
            edition = about.st_mtime_ns, about.st_size
            kept = self._read.get((path, anchor.digest))
            if kept is None or kept[0] != edition:
                kept = edition, read_filter(path.read_bytes(), anchor)
                self._read[path, anchor.digest] = kept
        except OSError:
            raise Unusable(Reason.UNREADABLE) from None
        return kept[1]


def read_filter(octets: bytes, anchor: Anchor) -> Filter | None:
    """The filter in a file, or None for one of another authority. Raises Unusable(UNREADABLE or BAD_SIGNATURE)."""
    try:
        file = _File.load(octets, strict=True)
        inner, algorithm = file["to_be_signed"], file["algorithm"]
        if inner["key_identifier"].native != anchor.key_identifier:
            return None
        hasher = _HASHES[algorithm.hash_algo]
        same = inner["signature"].dump() == algorithm.dump() and inner["version"].native == 1
        if not same or not verify(anchor.key, hasher, inner.dump(), file["signature"].native):
            raise Unusable(Reason.BAD_SIGNATURE)
        return _filter_of(inner)
    except (ValueError, TypeError, KeyError):
        raise Unusable(Reason.UNREADABLE) from None


def _filter_of(inner: Any) -> Filter:
    return Filter(
        key_identifier=inner["key_identifier"].native,
        verifiers=inner["verifiers"].native,
        number=inner["number"].native,
        base=inner["base"].native,
        covers=inner["covers"].native.astimezone(UTC),
        this_update=inner["this_update"].native.astimezone(UTC),
        next_update=inner["next_update"].native.astimezone(UTC),
        salt=inner["salt"].native,
        first=_ribbon_of(inner["first"]),
        second=_ribbon_of(inner["second"]),
    )


def _ribbon_of(inner: Any) -> Ribbon:
    length, columns = inner["length"].native, tuple(inner["columns"].native)
    if length < _WIDTH or any(8 * len(column) < length for column in columns):
        raise ValueError("a column is too short")
    return Ribbon(length, columns)


def _block(key: bytes, salt: bytes, purpose: bytes, serial: bytes) -> bytes:
    """What AES makes of the serial, under a key for this filter and this purpose."""
    derived = hmac.digest(key, _PREFIX + purpose + b"\x00" + salt, hashlib.sha256)
    cipher = Cipher(algorithms.AES256(derived), modes.ECB())  # noqa: S305 - one block, of a serial that is given once
    return cipher.encryptor().update(serial)
