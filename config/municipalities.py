"""The municipalities of Japan by code, from the packaged table `data/municipalities.csv`.

The table is data this project made (see `data/README.md`), but distribution points and subjects are built from it, so a
damaged or hand-edited row is refused here rather than signed later.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from domain.people import Municipality, MunicipalityCode

COLUMNS = ("code", "prefecture", "county", "name", "name_kana", "prefecture_romanised", "name_romanised", "source")

# What may stand in a subject or a distribution point: ASCII letters, one ending, at most one county before it.
_PREFECTURE = re.compile(r"Hokkaido|[A-Z][a-z]+-(?:to|fu|ken)")
_NAME = re.compile(r"(?:[A-Z][a-z]+-gun )?[A-Z][a-z]+-(?:shi|ku|cho|machi|son|mura)")


@cache
def load_municipalities() -> Mapping[MunicipalityCode, Municipality]:
    """All municipalities, in the order of their codes. Read once per process; the mapping cannot be changed."""
    text = (files("config") / "data" / "municipalities.csv").read_text(encoding="utf-8")
    return read_municipalities(text.splitlines())


def read_municipalities(lines: Iterable[str]) -> Mapping[MunicipalityCode, Municipality]:
    """The table in `lines` (first the column names), or ValueError with the line number and what is wrong with it."""
    reader = csv.reader(lines, strict=True)
    if tuple(next(reader, ())) != COLUMNS:
        raise ValueError(f"municipalities: the columns must be {', '.join(COLUMNS)}")
    found: dict[MunicipalityCode, Municipality] = {}
    codes_by_name: dict[tuple[str, str], MunicipalityCode] = {}
    prefectures: dict[str, tuple[str, str]] = {}
    for fields in reader:
        try:
            municipality = _municipality(fields)
            _refuse_contradiction(municipality, found, codes_by_name, prefectures)
        except ValueError as fault:
            raise ValueError(f"municipalities, line {reader.line_num}: {fault}") from fault
        found[municipality.code] = municipality
    return MappingProxyType(found)


def _municipality(fields: list[str]) -> Municipality:
    """One row by itself. The check digit is judged by the code's own type."""
    if len(fields) != len(COLUMNS):
        raise ValueError(f"{len(fields)} fields instead of {len(COLUMNS)}")
    row = dict(zip(COLUMNS, fields, strict=True))
    for column in ("prefecture", "name"):
        if not row[column] or row[column].strip() != row[column]:
            raise ValueError(f"{column} is empty or has space around it")
    for column, form in (("prefecture_romanised", _PREFECTURE), ("name_romanised", _NAME)):
        if form.fullmatch(row[column]) is None:
            raise ValueError(f"{column} {row[column]!r} is not of the form that certificates carry")
    return Municipality(
        code=MunicipalityCode(row["code"]),
        prefecture=row["prefecture"],
        name=row["name"],
        prefecture_romanised=row["prefecture_romanised"],
        name_romanised=row["name_romanised"],
    )


def _refuse_contradiction(
    new: Municipality,
    found: Mapping[MunicipalityCode, Municipality],
    codes_by_name: dict[tuple[str, str], MunicipalityCode],
    prefectures: dict[str, tuple[str, str]],
) -> None:
    """What one row cannot show: the two tables of names seen so far are compared with it and then extended."""
    if new.code in found:
        raise ValueError(f"code {new.code} appears twice")
    # Two municipalities of one name would share a distribution point, and with it a revocation list.
    first = codes_by_name.setdefault((new.prefecture_romanised, new.name_romanised), new.code)
    if first != new.code:
        raise ValueError(f"{new.name_romanised} of {new.prefecture_romanised} is already {first}")
    prefecture = (new.prefecture, new.prefecture_romanised)
    if prefectures.setdefault(new.code.area[:2], prefecture) != prefecture:
        raise ValueError(f"{new.code} lies in another prefecture than the codes before it")
