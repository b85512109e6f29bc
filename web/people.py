"""Shapes of what requests say about people: codes and the four items, read by the rules of `residents.fields`."""

from __future__ import annotations

from typing import Any

from domain.birth import LONGEST, PATTERN, SHORTEST, BirthDate
from domain.people import BasicAttributes, MunicipalityCode, ResidentCode, Sex
from policies.characters import LONGEST_ADDRESS, LONGEST_NAME
from residents import fields
from web.shapes import Shape, record, text, word

# A character may be two code points: an ideograph and its variation selector.
NAME_LIMIT = 2 * LONGEST_NAME
ADDRESS_LIMIT = 2 * LONGEST_ADDRESS


def _municipality_code(digits: str) -> MunicipalityCode:
    try:
        return MunicipalityCode(digits)
    except ValueError:
        raise ValueError("must be six digits with their check digit") from None


RESIDENT_CODE: Shape[ResidentCode] = text(
    fields.resident_code, 11, 11, "[0-9]{11}", "eleven digits", description="住民票コード, the last digit a check digit"
)
MUNICIPALITY_CODE: Shape[MunicipalityCode] = text(
    _municipality_code, 6, 6, "[0-9]{6}", "six digits", description="団体コード, the last digit a check digit"
)
BIRTH_DATE: Shape[BirthDate] = text(
    BirthDate.read,
    SHORTEST,
    LONGEST,
    PATTERN,
    "a day such as 1988-11-03, with XXXX or XX for what is unknown",
    description="生年月日; unknown parts (不詳) are X, and an era that is known without the year stands before them",
    examples=["1988-11-03", "1988-11-XX", "XXXX-XX-XX", "showa XXXX-XX-XX"],
)
TEXTS: dict[str, Shape[str]] = {
    "name": text(fields.name, 1, NAME_LIMIT),
    "address": text(fields.address, 1, ADDRESS_LIMIT),
}
"""Name and address."""
_OTHER_ITEMS: dict[str, Shape[Any]] = {"birth_date": BIRTH_DATE, "sex": word(Sex)}
ATTRIBUTES: Shape[BasicAttributes] = record(
    BasicAttributes, {**TEXTS, **_OTHER_ITEMS}, description="基本4情報, as the resident register writes them"
)
TYPED_ATTRIBUTES: Shape[BasicAttributes] = record(
    BasicAttributes,
    {
        "name": text(fields.as_typed(fields.name), 1, NAME_LIMIT),
        "address": text(fields.as_typed(fields.address), 1, ADDRESS_LIMIT),
        **_OTHER_ITEMS,
    },
    description="基本4情報, name and address in full or half width",
)
