"""A house with a registered bookshop, and resident 1 with a card."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.certificates import Kind
from tests.support.consents import SoftwareCard
from tests.support.house import House
from tests.support.memory import MemoryStore
from tests.support.validation import issue_card, make_validation, register_shop
from validation.parts import Validation


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def house(memory: MemoryStore, tmp_path: Path) -> House:
    house = House(memory.begin, memory, tmp_path / "crl", lambda *_: True)
    register_shop(house)
    return house


@pytest.fixture
def validation(house: House) -> Validation:
    return make_validation(house)


@pytest.fixture
def cards(house: House) -> dict[Kind, SoftwareCard]:
    return issue_card(house)


@pytest.fixture
def card(cards: dict[Kind, SoftwareCard]) -> SoftwareCard:
    """The signing certificate."""
    return cards[Kind.SIGNATURE]
