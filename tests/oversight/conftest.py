"""A house over a store in memory, new or after a life without fault, for planting faults in its tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.house import House, live
from tests.support.memory import MemoryStore


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def house(memory: MemoryStore, tmp_path: Path) -> House:
    return House(memory.begin, memory, tmp_path / "crl", lambda key_id, octets, signature: key_id == "memory")


@pytest.fixture
def lived(house: House) -> House:
    """After a life without fault: see `tests.support.house.live`."""
    live(house)
    return house
