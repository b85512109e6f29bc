"""A small town lives three years, and everything agrees; a lie of the authority is noticed."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from unittest.mock import patch
from xml.etree import ElementTree

import pytest

import cli.town
from config import rules
from domain.revocation import RevocationCause
from domain.status import GOOD
from store.status import SqlStatusLookup
from tests.support.authority import TurnedClock
from tests.support.terminal import Terminal
from town import life
from town.life import LifeFault, Town, next_generation, settings_text


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_waits_for_the_disk")
def test_a_small_town_lives_three_years_and_everything_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Years of many new cards, of the first phones, and here of new keys of the authorities."""
    for module in (life, cli.town):
        monkeypatch.setattr(module, "BEGINS", date(2022, 1, 1))
    monkeypatch.setattr(life, "GENERATION_YEARS", 2)
    directory, plot = tmp_path / "town", tmp_path / "town.svg"
    options = ["--residents", "300", "--years", "3", "--plot", str(plot), "--directory", str(directory)]
    said = Terminal(directory, TurnedClock()).do("demo", "town", *options)
    assert said.out.rstrip().endswith("database, OCSP, lists and audit trail agree")
    assert all(year in said.out for year in ("2022", "2023", "2024"))
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in said.out.splitlines() if "│" in line]
    told = {name: [int(value.replace(",", "")) for value in values] for name, *values in cells}
    ways = ("births", "deaths", "came", "left")
    for before, after, *changes in zip(
        [300, *told["residents"]], told["residents"], *(told[way] for way in ways), strict=False
    ):
        births, deaths, came, left = changes
        assert after == before + births - deaths + came - left
    drawn = ElementTree.fromstring(plot.read_text("utf-8"))  # noqa: S314
    assert len(drawn.findall("{http://www.w3.org/2000/svg}polyline")) == 8


@pytest.mark.usefixtures("nothing_waits_for_the_disk")
def test_a_town_notices_when_a_revoked_certificate_is_called_good(tmp_path: Path) -> None:
    town = Town(tmp_path / "town", 100, 1)
    try:
        person = town.people[99]
        assert person.witness
        town.office.load(town.people)
        town._new.clear()
        wish = town._new_card(person)
        town.office.issue([wish])
        town.office.ask(person)
        town.office.revoke(person, RevocationCause.CARD_LOST)
        town.office.ask(person)
        with (
            patch.object(SqlStatusLookup, "status_of", lambda *_: GOOD),
            pytest.raises(LifeFault, match="OCSP says good"),
        ):
            town.office.ask(person)
    finally:
        town.close()


def test_the_settings_of_a_town_have_todays_card_alone() -> None:
    text = settings_text(rules.template())
    assert re.findall(r'^generation = "(.+)"$', text, re.MULTILINE) == ["g1", "g1"]
    assert 'access = "open"' in text


def test_a_new_generation_takes_over_from_the_former_ones() -> None:
    text = next_generation(next_generation(settings_text(rules.template()), "g3"), "g5")
    assert text.count("[[issuer]]") == 6
    assert text.count("issuing = false") == 4
    before, _, newest = text.partition('id = "signature-g5"')
    assert before.count("issuing = false") == 4
    assert "issuing = false" not in newest
