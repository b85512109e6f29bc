"""A house that issues, an office of handles over it, and a bank."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.parties import Party
from tests.support.house import House
from tests.support.memory import MemoryStore
from tests.support.verifiers import add_verifier, make_office
from verifiers.handle_office import HandleOffice


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def house(memory: MemoryStore, tmp_path: Path) -> House:
    return House(memory.begin, memory, tmp_path / "crl", lambda key_id, octets, signature: True)


@pytest.fixture
def office(house: House) -> HandleOffice:
    return make_office(house.begin, house.clock)


@pytest.fixture
def bank(house: House) -> Party:
    return add_verifier(house.begin, "bank")
