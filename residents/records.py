"""Resident records (住民票) as files bring them: one object in, one checked record out."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date

from domain.people import BasicAttributes, MunicipalityCode, ResidentCode
from residents import fields
from residents.fields import Fields

ITEMS = ("name", "address", "birth_date", "sex")
COLUMNS = ("resident_code", "municipality_code", *ITEMS)
_COLUMNS = frozenset(COLUMNS)


@dataclass(frozen=True, slots=True)
class ResidentRecord:
    """A record of the register that was read and checked, and not yet compared with the stored copy."""

    code: ResidentCode
    municipality: MunicipalityCode
    attributes: BasicAttributes


def read_record(
    content: Mapping[str, object], municipalities: Container[MunicipalityCode], today: date
) -> ResidentRecord:
    """The record in `content`, whose keys are COLUMNS and whose values are strings. `today` is the day in Japan.

    Raises FieldFaults with every fault, none of which tells a value.
    """
    source = Fields(content, _COLUMNS)
    code = source.take("resident_code", fields.resident_code)
    municipality = source.take("municipality_code", fields.municipality_code(municipalities))
    attributes = take_items(source, today)
    source.check()
    return ResidentRecord(code, municipality, attributes)


def take_items(source: Fields, latest_birth: date) -> BasicAttributes:
    """The four items; not to be used before `source.check()`."""
    return BasicAttributes(
        name=source.take("name", fields.name),
        address=source.take("address", fields.address),
        birth_date=source.take("birth_date", fields.birth_date(latest_birth)),
        sex=source.take("sex", fields.sex),
    )
