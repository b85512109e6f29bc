"""The authority holds no individual number (個人番号): no name, column, field or data file has a place for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.people import ResidentCode
from store.tables import metadata
from tests.support.documents import ROOT, packages

# The card is named after the number (個人番号カード, "My Number card") and does not bring it here.
_WORD = re.compile(
    r"個人番号(?!カード)|マイナンバー(?!カード)|my_?number|individual_?number|kojin_?bango|social_?security",
    re.IGNORECASE,
)
MENTIONED = {"domain/people.py": 1}
"""How often a file may name it: the check-digit rule of resident codes is that of the number, by inference."""


def sources() -> Iterator[Path]:
    for package in packages():
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def test_no_source_and_no_data_file_names_it() -> None:
    found: dict[str, int] = {}
    for path in sources():
        hits = _WORD.findall(path.read_text("utf-8"))
        if hits:
            found[str(path.relative_to(ROOT))] = len(hits)
    assert found == MENTIONED


def test_the_search_would_find_it() -> None:
    assert _WORD.search("個人番号")
    assert _WORD.search('Column("my_number", Text)')
    assert not _WORD.search("個人番号カード用")


def test_the_tables_hold_nothing_else_of_a_person_than_listed() -> None:
    (residents,) = [table for table in metadata.tables.values() if table.name == "residents"]
    assert {column.name for column in residents.columns} == {
        *("id", "code_index", "code_sealed", "municipality", "state", "changed_at"),
        *("name", "address", "birth_date", "birth_date_text", "sex", "items_digest"),
    }


def test_twelve_digits_are_no_resident_code() -> None:
    with pytest.raises(ValueError, match="eleven digits"):
        ResidentCode("123456789018")
