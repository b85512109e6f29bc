"""The figures behind a made-up town: each says where it comes from, and together they make sense."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from importlib.resources import files

import pytest

from config.municipalities import load_municipalities
from config.rules import load_variants
from domain.people import MunicipalityCode
from policies.characters import substitute
from town.agenda import Agenda, kinds_of
from town.chance import Chance
from town.people import Registry
from town.rates import load_names, load_rates

TODAY = date(2016, 1, 1)


def test_every_row_says_where_it_comes_from() -> None:
    content = tomllib.loads((files("config") / "data" / "town" / "rates.toml").read_text("utf-8"))
    rows = [row for table in content.values() for row in table]
    assert len(rows) > 20
    assert all(row["source"] for row in rows)


def test_ages_are_a_whole_population_and_shares_of_cards_only_grow() -> None:
    rates = load_rates()
    assert sum(share for _, share in rates.ages) == pytest.approx(1)
    days = [TODAY + timedelta(days=30 * n) for n in range(-2, 160)]
    shares = [rates.card_share(day) for day in days]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == 0.8


def test_as_many_die_in_a_year_as_the_statistics_say() -> None:
    """13.0 of a thousand, by the ages of the population; rounded tables are near."""
    rates, chance = load_rates(), Chance(5)
    people = [Registry(chance, rates, load_names()).settle(TODAY) for _ in range(5000)]
    expected = sum(rates.death(TODAY.year - person.born.latest.year) for person in people) / len(people)
    assert 0.009 < expected < 0.017


def test_houses_stand_in_municipalities_that_there_are() -> None:
    names = load_names()
    assert len(names.areas) == 5
    assert names.areas.keys() <= load_municipalities().keys()
    assert "松山" in names.areas[MunicipalityCode("132217")]


def test_no_name_or_house_needs_a_substitute_character() -> None:
    names = load_names()
    areas = (area for some in names.areas.values() for area in some)
    for text in (*names.families, *names.men, *names.women, *areas):
        assert substitute(load_variants(), "name", text).text == text


def test_the_same_seed_gives_the_same_people_and_the_same_month() -> None:
    def month(seed: int) -> list[tuple[str, str]]:
        chance, rates = Chance(seed), load_rates()
        registry, agenda = Registry(chance, rates, load_names()), Agenda(chance, rates)
        people = [registry.settle(TODAY) for _ in range(400)]
        agenda.draw_month(TODAY, people, 0)
        days = [agenda.take(TODAY + timedelta(days=n)) for n in range(31)]
        return [(what, person.items.name) for day in days for what, person in day]

    assert month(1) == month(1)
    assert month(1) != month(2)
    assert {"card"} <= {what for what, _ in month(1)}


def test_children_are_given_one_certificate() -> None:
    registry = Registry(Chance(1), load_rates(), load_names())
    adult = next(person for _ in range(99) if (person := registry.settle(TODAY)).born.latest.year < 1990)
    child = registry.bear(adult, TODAY)
    assert (len(kinds_of(child, TODAY)), len(kinds_of(adult, TODAY))) == (1, 2)
    assert child.items.address == adult.items.address
