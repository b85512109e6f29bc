"""Residents, their codes, their four items, and their municipality."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from domain.birth import BirthDate


class Sex(Enum):
    """性別 as the certificate writes it. The value for "neither" is unverified in public sources, so both are kept."""

    MALE = "1"
    FEMALE = "2"
    UNKNOWN = "3"
    NOT_APPLICABLE = "9"


@dataclass(frozen=True, slots=True, order=True)
class MunicipalityCode:
    """団体コード: five digits and a check digit, for example `132217` (清瀬市).

    Weights 6,5,4,3,2; the formula was checked against all 1,741 municipalities.
    """

    value: str

    def __post_init__(self) -> None:
        if len(self.value) != 6 or not self.value.isascii() or not self.value.isdigit():
            raise ValueError("a municipality code has six digits")
        if self.value[5] != _municipality_check_digit(self.value[:5]):
            raise ValueError("the municipality code's check digit is wrong")

    @classmethod
    def of_area(cls, area: str) -> MunicipalityCode:
        """The code whose first five digits are `area`."""
        return cls(area + _municipality_check_digit(area))

    @property
    def area(self) -> str:
        """The five digits without the check digit, as certificates and file names use them."""
        return self.value[:5]

    def __str__(self) -> str:
        return self.value


def _municipality_check_digit(area: str) -> str:
    total = sum(int(digit) * weight for digit, weight in zip(area, (6, 5, 4, 3, 2), strict=True))
    return str((11 - (total if total < 11 else total % 11)) % 10)


@dataclass(frozen=True, slots=True)
class Municipality:
    """市町村・特別区, with the names that subjects and distribution points carry (`Tokyo-to`, `Kiyose-shi`)."""

    code: MunicipalityCode
    prefecture: str
    name: str
    prefecture_romanised: str
    name_romanised: str


@dataclass(frozen=True, slots=True, repr=False)
class ResidentCode:
    """住民票コード: ten digits and a check digit. Revocation is keyed by it; nothing prints it.

    The check-digit rule is that of the 個人番号 applied to ten digits: inferred from specimens, the ordinance
    text was not seen.
    """

    digits: str

    def __post_init__(self) -> None:
        if len(self.digits) != 11 or not self.digits.isascii() or not self.digits.isdigit():
            raise ValueError("a resident code has eleven digits")
        if self.digits[10] != resident_check_digit(self.digits[:10]):
            raise ValueError("the resident code's check digit is wrong")

    def __repr__(self) -> str:
        return "ResidentCode(…)"

    __str__ = __repr__


def resident_check_digit(body: str) -> str:
    """The check digit of a ten-digit resident code body: weights 2…7 then 2…5 from the right, modulo 11."""
    total = sum(int(digit) * (n + 1 if n <= 6 else n - 5) for n, digit in enumerate(reversed(body), start=1))
    remainder = total % 11
    return "0" if remainder <= 1 else str(11 - remainder)


@dataclass(frozen=True, slots=True, repr=False)
class NoCode(ResidentCode):
    """Stands where a resident code would for somebody who does not exist: nobody's code, and nothing that anybody can
    type or send as one. As long as a code, so that what is sealed looks alike."""

    OCTETS: ClassVar[int] = 10

    def __post_init__(self) -> None:
        if not re.fullmatch("-[a-z2-7]{10}", self.digits):
            raise ValueError("this is a resident code, or neither")

    @classmethod
    def drawn_from(cls, random: bytes) -> NoCode:
        """The one made of `OCTETS` random octets."""
        return cls("-" + "".join("abcdefghijklmnopqrstuvwxyz234567"[octet % 32] for octet in random))


def code_of(text: str) -> ResidentCode:
    """The code that is written so, or what stands in its place. Only for what was sealed. Raises ValueError."""
    return NoCode(text) if text.startswith("-") else ResidentCode(text)


@dataclass(frozen=True, slots=True, repr=False)
class BasicAttributes:
    """基本4情報: name, address, birth date and sex, as the resident register writes them."""

    name: str
    address: str
    birth_date: BirthDate
    sex: Sex

    def __repr__(self) -> str:
        return "BasicAttributes(…)"

    def differing_items(self, other: BasicAttributes) -> tuple[str, ...]:
        """Names (never values) of the items in which the two differ, in the order of this class."""
        items = ("name", "address", "birth_date", "sex")
        return tuple(item for item in items if getattr(self, item) != getattr(other, item))


class ResidentState(Enum):
    """Whether the resident register still holds the person. MOVING: has moved out (転出), not moved in (転入) yet.
    ABROAD_CONTINUED: moved abroad and went on using the card (継続利用)."""

    PRESENT = "present"
    MOVING = "moving"
    DEAD = "dead"
    REMOVED = "removed"
    ABROAD = "abroad"
    ABROAD_CONTINUED = "abroad-continued"

    @property
    def ended(self) -> bool:
        """Whether the record has ended, and every certificate with it."""
        return self in (ResidentState.DEAD, ResidentState.REMOVED, ResidentState.ABROAD)


@dataclass(frozen=True, slots=True)
class Resident:
    """One stored copy of a resident record (住民票). `id` is this authority's own and means nothing outside it."""

    id: int
    municipality: MunicipalityCode
    attributes: BasicAttributes
    state: ResidentState
