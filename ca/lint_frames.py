"""Frames: what certificates of a profile, issuer and place share octet for octet; and the judge of the rest."""

from __future__ import annotations

import hashlib

from cryptography import x509

from ca.extensions import EXTENSION_OIDS, FOUR_ITEMS
from ca.lint_fields import IDENTIFIER, VERSION_3, is_key, tells_items, validity_faults
from ca.lint_values import items_fit
from ca.octets import PARSING_FAULTS, TbsFields, key_bits, place_of
from domain import der
from domain.certificates import Issuer
from domain.der import DerError
from domain.serial import OCTETS
from domain.signing import assemble
from policies.profile import ExtensionRow, Profile

_HEAD = VERSION_3 + bytes((der.INTEGER, OCTETS))
_SERIAL = 4 + len(_HEAD)
_AREA = slice(-9, -4)
"""Of a subject: where the holder's identifier has the area of the municipality."""

_KEY_ID_HEAD = der.sequence(EXTENSION_OIDS["subject-key-identifier"], der.octet_string(der.octet_string(bytes(20))))[
    :-20
]
_NAMES_HEAD = EXTENSION_OIDS["subject-alt-name"]
_ITEM_TYPES = tuple(der.oid(kind) for kind, _ in FOUR_ITEMS)

_Piece = bytes | ExtensionRow
_Place = tuple[int, int, bytes, bytes]
_frames: dict[_Place, tuple[Profile, Issuer, tuple[_Piece, ...]]] = {}
"""The extensions of certificates that passed: octets that all holders of a place have, and between them the rows that
are a holder's own. By profile and issuer, which go by identity and are kept here so that no other can take their place,
and by the subject but for the identifier, and the area in that."""

_MOST_FRAMES = 16_384  # some for each of 1,741 municipalities


def learn(fields: TbsFields, profile: Profile, issuer: Issuer) -> None:
    """Keep what a certificate that passed has in common with its neighbours."""
    if place_of(fields.subject) is fields.subject:
        return
    rows = {EXTENSION_OIDS[row.name]: row for row in profile.extensions}
    pieces: list[_Piece] = []
    for element in fields.extensions:
        start, _ = der.only(element, der.SEQUENCE)
        row = rows[element[start : der.read(element, start)[2]]]
        if not row.critical and (row.name == "subject-key-identifier" or row.value == "four-items"):
            pieces.append(row)
        elif pieces and isinstance(pieces[-1], bytes):
            pieces[-1] += element
        else:
            pieces.append(element)
    if len(_frames) >= _MOST_FRAMES:
        _frames.clear()
    _frames[_place(fields.subject, profile, issuer)] = profile, issuer, tuple(pieces)


def _place(subject: bytes, profile: Profile, issuer: Issuer) -> _Place:
    return id(profile), id(issuer), subject[:-23], subject[_AREA]


def fits(tbs: bytes, profile: Profile, issuer: Issuer, algorithm: bytes) -> bool:
    """Whether a TBSCertificate is one that passed, but for what is a holder's own, and that is right, too.

    Equal octets are right again: in a place most of a certificate is what it was in the one before. A holder's own are
    serial, times, identifier, key and key identifier, and the four items, which our strict reader takes apart. True is
    what the whole judge (`ca.lint`) would say; False says nothing, and leaves it to that.
    """
    try:
        return _fits(tbs, profile, issuer, algorithm)
    except (IndexError, OverflowError, *PARSING_FAULTS):
        return False


def _fits(tbs: bytes, profile: Profile, issuer: Issuer, algorithm: bytes) -> bool:
    size, named = len(tbs), algorithm + issuer.subject
    validity = _SERIAL + OCTETS + len(named)
    times = validity + 2
    middle = times + 2 + tbs[times + 1]
    end = middle + 2 + tbs[middle + 1]
    if (
        tbs[:_SERIAL] != b"\x30\x82" + (size - 4).to_bytes(2) + _HEAD
        or not 0x40 <= tbs[_SERIAL] < 0x80
        or tbs[_SERIAL + OCTETS : validity] != named
        or tbs[validity:times] != bytes((der.SEQUENCE, end - times))
    ):
        return False
    subject = tbs[end : end + 2 + tbs[end + 1]]
    frame = _frames.get(_place(subject, profile, issuer))
    if frame is None or not IDENTIFIER.fullmatch(subject, len(subject) - 23):
        return False
    key = end + len(subject)
    wrapped = der.read(tbs, key)[2]
    spki, begin = tbs[key:wrapped], wrapped + 8
    return (
        any(is_key(spki, name) for name in profile.keys)
        and size - begin >= 0x100  # so that two octets are the shortest form of the lengths
        and tbs[wrapped:begin]
        == b"\xa3\x82" + (size - wrapped - 4).to_bytes(2) + b"\x30\x82" + (size - begin).to_bytes(2)
        and _follow(tbs, begin, frame[2], hashlib.sha1(key_bits(spki), usedforsecurity=False).digest())
        and not tells_items(tbs, profile)
        and not any(validity_faults(tbs[times:middle], tbs[middle:end], profile.validity, issuer))
        and x509.load_der_x509_certificate(assemble(tbs, algorithm, b"\x00")) is not None
    )


def _follow(tbs: bytes, offset: int, pieces: tuple[_Piece, ...], key_id: bytes) -> bool:
    """Whether there are these pieces, one after the other, and nothing else. Raises DerError."""
    for piece in pieces:
        if not isinstance(piece, bytes) and piece.value == "four-items":
            stop = der.read(tbs, offset)[2]
            if not _names_fit(tbs[offset:stop]):
                return False
            offset = stop
            continue
        octets = piece if isinstance(piece, bytes) else _KEY_ID_HEAD + key_id
        if not tbs.startswith(octets, offset):
            return False
        offset += len(octets)
    return offset == len(tbs)


def _names_fit(element: bytes) -> bool:
    """Whether this is a subjectAltName of the four items, written as DER has it. Raises one of `PARSING_FAULTS`."""
    start, end = der.only(element, der.SEQUENCE)
    if not element.startswith(_NAMES_HEAD, start):
        return False
    start, stop = der.expect(element, der.OCTET_STRING, start + len(_NAMES_HEAD), end)
    start, after = der.expect(element, der.SEQUENCE, start, stop)
    return stop == end == after and items_fit(*_texts(element, start, stop))


def _texts(octets: bytes, offset: int, end: int) -> list[str]:
    """The texts of the six otherNames that lie there, and nothing else."""
    texts = []
    for kind in _ITEM_TYPES:
        start, stop = der.expect(octets, 0xA0, offset, end)
        if not octets.startswith(kind, start):
            raise DerError("want another type")
        start, value_end = der.expect(octets, 0xA0, start + len(kind), stop)
        start, text_end = der.expect(octets, der.UTF8_STRING, start, value_end)
        if text_end != value_end or value_end != stop:
            raise DerError("there are octets after a text")
        texts.append(octets[start:stop].decode())
        offset = stop
    if offset != end:
        raise DerError("there are octets after the last name")
    return texts
