"""Segments: what a file of provision records looks like, octet for octet, and how one is read back.

    header   magic 8 · id 16 · begun 8 · key ids 2 × 8 · key for filing 80 · key for unlocking 80 · zeros to 256
    slots    64 octets each: AES-256-GCM over 48, with the number of the slot as nonce

A segment has a key of its own, which lies in the header twice: sealed (HPKE, RFC 9180) to the key that files records,
and to the key that only two officers together can use. Slots are filled in order; what follows the last is zeros.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from domain.errors import Code, Refusal
from domain.provisions import NAME_OCTETS

MAGIC = b"JPKIPRV1"
HEADER = 256
SLOT = 64
PLAIN = struct.Struct(">BBHHHIii16s12s")
"""mark, channel, issuer, purpose, answer (numbers of names), seconds, party, provider, asked, evidence."""
NAME = struct.Struct(f">BxH{NAME_OCTETS}s")
"""mark, number, text: said once in a segment, before the number is used."""
PROVISION_MARK, NAME_MARK = 1, 2
NOBODY = -1

_HEAD = struct.Struct(">8s16sq8s8s80s80s")
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_INFO = b"jpki provisions segment "
_FILING = struct.Struct(">8s16sq8s8s").size
_SEALED = 80
_EMPTY = bytes(SLOT)


@dataclass(frozen=True, slots=True)
class SealKeys:
    """The public keys (X25519, 32 octets) that the key of a segment is sealed to."""

    filing: bytes
    unlocking: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """`filing` is None once it was wiped: from then on only two officers open the segment."""

    id: bytes
    begun: int
    filing_key: bytes
    unlocking_key: bytes
    filing: bytes | None
    unlocking: bytes


class Sealed(NamedTuple):
    """The fields of `PLAIN` without their mark. `issuer`, `purpose` and `answer` are numbers of names."""

    channel: int
    issuer: int
    purpose: int
    answer: int
    seconds: int
    party: int
    provider: int
    asked: bytes
    evidence: bytes

    def __repr__(self) -> str:
        """Nothing of what was asked."""
        return "Sealed(…)"


@dataclass(frozen=True, slots=True)
class Content:
    """What a segment holds. `used` counts slots; `damaged` are the numbers of those that do not open,
    or are empty before one that is not.

    `torn` says that one more does not open behind them: whoever wrote it died in the middle, before the answer left.
    """

    names: dict[int, str]
    records: list[Sealed] = field(repr=False)
    used: int
    damaged: tuple[int, ...]
    torn: bool


def key_id(public: bytes) -> bytes:
    """8 octets that name a key."""
    return hashlib.sha256(public).digest()[:8]


def write_header(id_: bytes, begun: int, key: bytes, keys: SealKeys) -> bytes:
    """The first 256 octets of a segment with this key (32 octets)."""
    ids = (key_id(keys.filing), key_id(keys.unlocking))
    sealed = (_seal(key, keys.filing, id_), _seal(key, keys.unlocking, id_))
    return _HEAD.pack(MAGIC, id_, begun, *ids, *sealed).ljust(HEADER, b"\0")


def read_header(octets: bytes) -> Header | None:
    """None where there is none: whoever made the file died before it was written."""
    if len(octets) < HEADER or not octets.startswith(MAGIC):
        return None
    _, id_, begun, filing_key, unlocking_key, filing, unlocking = _HEAD.unpack_from(octets)
    return Header(id_, begun, filing_key, unlocking_key, filing if any(filing) else None, unlocking)


def open_key(sealed: bytes, private: bytes, id_: bytes) -> bytes:
    """The key of the segment. Raises Refusal(BAD_CONFIGURATION) when it was sealed to another key than this."""
    try:
        return _SUITE.decrypt(sealed, X25519PrivateKey.from_private_bytes(private), info=_INFO + id_)
    except (InvalidTag, ValueError):
        raise Refusal(
            Code.BAD_CONFIGURATION, "a segment of provision records was sealed to another key than the one at hand"
        ) from None


def read_content(octets: bytes, key: bytes) -> Content:
    """Everything in a segment of which these are the octets."""
    cipher = AESGCM(key)
    names: dict[int, str] = {}
    records: list[Sealed] = []
    damaged: list[int] = []
    empty: list[int] = []
    used = 0
    for number, at in enumerate(range(HEADER, len(octets) - SLOT + 1, SLOT)):
        slot = octets[at : at + SLOT]
        if slot == _EMPTY:
            empty.append(number)
            continue
        # Slots are filled in order, so one that is empty before this was emptied.
        damaged += empty
        empty.clear()
        used = number + 1
        try:
            plain = cipher.decrypt(number.to_bytes(12), slot, None)
        except InvalidTag:
            damaged.append(number)
            continue
        if plain[0] == NAME_MARK:
            _, place, text = NAME.unpack(plain)
            names[place] = text.rstrip(b"\0").decode("utf-8", "ignore")
        else:
            records.append(Sealed(*PLAIN.unpack(plain)[1:]))
    torn = used - 1 in damaged
    return Content(names, records, used - torn, tuple(damaged[:-1] if torn else damaged), torn)


def digest_of(octets: bytes) -> bytes:
    """SHA-256 of a segment, the same before and after its key for filing is wiped."""
    return hashlib.sha256(octets[:_FILING] + bytes(_SEALED) + octets[_FILING + _SEALED :]).digest()


def wiped(header: bytes) -> bytes:
    """A header without the key for filing."""
    return header[:_FILING] + bytes(_SEALED) + header[_FILING + _SEALED :]


def _seal(key: bytes, public: bytes, id_: bytes) -> bytes:
    return _SUITE.encrypt(key, X25519PublicKey.from_public_bytes(public), info=_INFO + id_)
