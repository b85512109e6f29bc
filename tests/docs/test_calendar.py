"""The page of the calendar says what the rules say."""

from __future__ import annotations

from tests.support.calendar_page import PAGE, render
from tests.support.documents import read


def test_the_page_is_what_the_rules_make_of_it() -> None:
    assert read(PAGE) == render(), "run: python -m tests.support.calendar_page"


def test_the_page_holds_the_known_cases() -> None:
    """Told by hand: a birthday to come, one today, a leap day, a renewal, and a birth date that is not known."""
    page = read(PAGE)
    for row in (
        "| 1980-06-15 | 2027-06-14 23:59:59 | 2031-06-15 23:59:59 |",
        "| 1980-06-15 | 2027-06-15 00:00:00 | 2032-06-15 23:59:59 |",
        "| 2000-02-29 | 2026-02-27 23:59:59 | 2030-02-28 23:59:59 | ? |",
        "| 2000-02-29 | 2027-02-28 00:00:00 | 2031-03-01 23:59:59 | ? |",
        "| 2027-06-15 23:59:59 | 2027-03-16 00:00:00 | yes | 2032-06-15 23:59:59 |",
        "| `XXXX-XX-XX` | `000000000` | 1873-01-01 and later | 2031-04-02 23:59:59 |",
    ):
        assert row in page
