"""Every implementation of the storage ports: what the contracts ask for holds for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.memory import MemoryStore
from tests.support.sealers import HeardKeys
from tests.support.stores import Store, postgres_store, sqlite_store


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A fresh store of each kind in turn."""
    match request.param:
        case "memory":
            memory = MemoryStore()
            memory.keys = HeardKeys()
            yield Store(memory.begin, memory, keys=memory.keys)
        case "sqlite":
            with sqlite_store(tmp_path) as store:
                yield store
        case _:
            with postgres_store(request.getfixturevalue("postgres_url")) as store:
                yield store
