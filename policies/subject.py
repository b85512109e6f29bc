"""What a certificate says of its holder: the subject by scheme, the identifier in it, and the four items."""

from __future__ import annotations

from dataclasses import dataclass

from domain import oids
from domain.certificates import IssuerId
from domain.names import Name
from domain.people import BasicAttributes, Municipality, MunicipalityCode
from policies.characters import Substituted

IDENTIFIER_OCTETS = 12
"""Random octets that go into an identifier; it keeps 90 of their 96 bits."""
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]  # of base 32 (RFC 4648 §7), for ten bits each


@dataclass(frozen=True, slots=True)
class AuthorityNames:
    """The names of one authority: its DN (shared by all generations) and its Japanese alternative name."""

    subject: Name
    alternative: Name


@dataclass(frozen=True, slots=True, repr=False)
class FourItems:
    """The six otherName texts, ready to encode: name, address, sex digit, `EYYYYMMDD`, and a digit string a text
    with `1` where a substitute character stands."""

    name: str
    name_substitutes: str
    sex: str
    birth_date: str
    address: str
    address_substitutes: str


def holder_subject(scheme: str, municipality: Municipality, identifier: str) -> Name:
    """The subject of a holder's certificate. The person's name is in neither scheme; only signing has localities.

    Source: read-outs of test cards and a third-party generator modelled on a real certificate.
    """
    country, common_name = (oids.COUNTRY, "JP"), (oids.COMMON_NAME, identifier)
    match scheme:
        case "signature-holder":
            return (
                country,
                (oids.LOCALITY, municipality.prefecture_romanised),
                (oids.LOCALITY, municipality.name_romanised),
                common_name,
            )
        case "authentication-holder":
            return (country, common_name)
    raise ValueError(f"{scheme} is not a scheme for holders")


def responder_subject(authority: Name, issuer: IssuerId) -> Name:
    """The subject of an OCSP responder: C, O and first OU of its authority, and a CN that names the generation."""
    return (*authority[:3], (oids.COMMON_NAME, f"OCSP responder of {issuer}"))


def certificate_identifier(random: bytes, municipality: MunicipalityCode) -> str:
    """The CN of a holder's certificate: 14 random characters, the area of the municipality, 4 random characters.

    The form follows a test card (`997794E9AGCIEG13221003A`), of which only the area is understood. Each certificate
    gets its own `random` (12 octets), so that the names in a pair never tell that they belong together.
    """
    if len(random) != IDENTIFIER_OCTETS:
        raise ValueError(f"want {IDENTIFIER_OCTETS} random octets, got {len(random)}")
    bits = int.from_bytes(random) >> 6
    pairs = [_PAIRS[bits >> shift & 0x3FF] for shift in range(80, -1, -10)]
    return "".join((*pairs[:7], municipality.area, *pairs[7:]))


def four_items(attributes: BasicAttributes, name: Substituted, address: Substituted) -> FourItems:
    """The four items as the signing certificate carries them. `name` and `address` are those of `attributes`,
    in certificate characters."""
    return FourItems(
        name=name.text,
        name_substitutes=name.flags,
        sex=attributes.sex.value,
        birth_date=attributes.birth_date.certificate_text,
        address=address.text,
        address_substitutes=address.flags,
    )
