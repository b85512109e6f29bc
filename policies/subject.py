"""What a certificate says of its holder: the subject by scheme, the identifier in it, and the four items."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import date

from domain import oids
from domain.certificates import IssuerId
from domain.errors import Code, Refusal
from domain.names import Name
from domain.people import BasicAttributes, Municipality, MunicipalityCode
from policies.characters import Substituted

IDENTIFIER_OCTETS = 12
"""Random octets that go into an identifier; it keeps 90 of their 96 bits."""

# First day, era digit. On the two days that belonged to two eras the law lets the new one begin (「…日以後ヲ改メテ」).
# Source: the imperial ordinances and cabinet orders on era names; digits from the read-out of cards.
ERAS = (
    (date(2019, 5, 1), "5"),  # 令和
    (date(1989, 1, 8), "4"),  # 平成
    (date(1926, 12, 25), "3"),  # 昭和
    (date(1912, 7, 30), "2"),  # 大正
    (date(1868, 1, 25), "1"),  # 明治
)


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
    text = base64.b32hexencode(random).decode()
    return text[:14] + municipality.area + text[14:18]


def four_items(attributes: BasicAttributes, name: Substituted, address: Substituted) -> FourItems:
    """The four items as the signing certificate carries them. `name` and `address` are those of `attributes`,
    in certificate characters. Raises Refusal(MALFORMED) as `era_birth_date` does."""
    return FourItems(
        name=name.text,
        name_substitutes=name.flags,
        sex=attributes.sex.value,
        birth_date=era_birth_date(attributes.birth_date),
        address=address.text,
        address_substitutes=address.flags,
    )


def era_birth_date(birth_date: date) -> str:
    """`EYYYYMMDD`: the era's digit and the Gregorian date, `319800217` for 17 February 1980.

    Raises Refusal(MALFORMED) for a date before the Meiji era.
    """
    for first_day, digit in ERAS:
        if birth_date >= first_day:
            return f"{digit}{birth_date:%Y%m%d}"
    raise Refusal(Code.MALFORMED, "the birth date lies before the Meiji era", pointer="birth_date")
