"""A town in memory, whose mass events take several steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.house import House
from tests.support.mass import Town
from tests.support.memory import MemoryStore


@pytest.fixture(autouse=True)
def short_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """About one certificate or resident a step, so that few of them make many steps."""
    monkeypatch.setattr("mass.preview.MOST", 1)


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def town(memory: MemoryStore, tmp_path: Path) -> Town:
    return Town(House(memory.begin, memory, tmp_path / "crl", lambda key_id, octets, signature: key_id == "memory"))
