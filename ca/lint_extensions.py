"""Extensions before the judge: in order, as critical as promised, saying what was promised; and those known already."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from cryptography import x509

from ca.extensions import EXTENSION_OIDS, FOUR_ITEMS
from ca.lint_values import items_fit, keeps_promise
from ca.octets import TbsFields, extension_parts, key_bits, place_of
from domain import der
from domain.certificates import Issuer
from domain.der import DerError
from policies.profile import ExtensionRow, Profile

_OPTIONAL = "authority-info-access"
"""Left out where no locations are configured."""

_KEY_ID_HEAD = der.sequence(EXTENSION_OIDS["subject-key-identifier"], der.octet_string(der.octet_string(bytes(20))))[
    :-20
]
_NAMES_HEAD = EXTENSION_OIDS["subject-alt-name"]
_ITEM_TYPES = tuple(der.oid(kind) for kind, _ in FOUR_ITEMS)

_Known = tuple[int, int, bytes, bytes]
_known: dict[_Known, tuple[ExtensionRow, Issuer]] = {}
"""Extensions that passed, by what their verdict rests on: row, issuer, the subject but for a holder's identifier, and
their octets. Rows and issuers go by identity; they are kept here, so that no other can take their place."""

_MOST_KNOWN = 32_768  # a few for each of 1,741 municipalities and each generation


def extension_faults(
    fields: TbsFields, certificate: x509.Certificate, profile: Profile, issuer: Issuer | None
) -> Iterator[str]:
    """What is wrong with the extensions of a certificate, which `certificate` is as cryptography reads it.

    Most extensions are the same octets in every certificate of one profile, issuer and municipality: cryptography looks
    into them once, and equal octets are right again. What is a holder's own is read every time: the key identifier is
    compared with that of the key, and the four items are taken apart by our strict reader. Anything else goes the
    long way. Raises one of `PARSING_FAULTS` when something cannot be read.
    """
    place = place_of(fields.subject)
    key_id = hashlib.sha1(key_bits(fields.spki), usedforsecurity=False).digest()
    rows = profile.extensions
    if len(rows) > len(fields.extensions):
        rows = tuple(row for row in rows if row.name != _OPTIONAL)
    if (
        issuer
        and len(rows) == len(fields.extensions)
        and all(
            _passes(row, element, place, key_id, issuer) for row, element in zip(rows, fields.extensions, strict=True)
        )
    ):
        return
    faults = tuple(_all_faults(fields, certificate, profile, key_id, issuer))
    yield from faults
    if issuer and not faults:
        if len(_known) > _MOST_KNOWN:
            _known.clear()
        for row, element in zip(rows, fields.extensions, strict=True):
            if not _is_of_holder(row):
                _known[id(row), id(issuer), place, element] = row, issuer


def _is_of_holder(row: ExtensionRow) -> bool:
    return row.name == "subject-key-identifier" or row.value == "four-items"


def _passes(row: ExtensionRow, element: bytes, place: bytes, key_id: bytes, issuer: Issuer) -> bool:
    if (id(row), id(issuer), place, element) in _known:
        return True
    if row.critical:
        return False
    if row.name == "subject-key-identifier":
        return element == _KEY_ID_HEAD + key_id
    return row.value == "four-items" and _names_fit(element)


def _names_fit(element: bytes) -> bool:
    """Whether this is a subjectAltName of the four items, written as DER has it."""
    try:
        start, end = der.only(element, der.SEQUENCE)
        if not element.startswith(_NAMES_HEAD, start):
            return False
        start, stop = der.expect(element, der.OCTET_STRING, start + len(_NAMES_HEAD), end)
        start, after = der.expect(element, der.SEQUENCE, start, stop)
        return stop == end == after and items_fit(*_texts(element, start, stop))
    except (DerError, UnicodeDecodeError):
        return False


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


def _all_faults(
    fields: TbsFields, certificate: x509.Certificate, profile: Profile, key_id: bytes, issuer: Issuer | None
) -> Iterator[str]:
    extensions = [extension_parts(element) for element in fields.extensions]
    found = [identifier for identifier, _, _ in extensions]
    rows = [row for row in profile.extensions if row.name != _OPTIONAL or EXTENSION_OIDS[row.name] in found]
    if found != [EXTENSION_OIDS[row.name] for row in rows]:
        yield "the extensions are not those of the profile in their order"
        return
    for row, (_, critical, octets), extension in zip(rows, extensions, certificate.extensions, strict=True):
        if critical is not row.critical:
            yield f"{row.name} is {'' if critical else 'not '}critical"
        if extension.value.public_bytes() != octets:
            yield f"{row.name} is not written in DER as another library writes it"
        if not keeps_promise(row, extension.value, octets, fields.subject, key_id, issuer):
            yield f"{row.name} does not say what the profile promises"
