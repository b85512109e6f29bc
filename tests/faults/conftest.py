"""Fixtures of the fault tests: the program that forks, and authorities with a past to copy and to spoil."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.faults import NOW, Forks, State, found, now, open_doors, settle
from tests.support.postgres import PostgresServer

ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]

Prepare = Callable[[Forks, State], None]


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """The program that forks the processes which are killed."""
    forks = Forks()
    yield forks
    forks.close()


@pytest.fixture(scope="session")
def new_state(
    forks: Forks, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Callable[[str], State]:
    """Makes the place for a state directory over a database of an engine; nothing is there yet."""

    def make(engine: str) -> State:
        path = tmp_path_factory.mktemp(engine) / "state"
        if engine == "sqlite":
            return State(path)
        server: PostgresServer = request.getfixturevalue("postgres")
        return State(path, server, server.new_database())

    return make


@pytest.fixture(scope="session")
def prepared(forks: Forks, new_state: Callable[[str], State]) -> Callable[[str, Prepare, datetime], State]:
    """Makes an authority over an engine, founded at a moment, and prepares it, once."""
    made: dict[tuple[str, Prepare], State] = {}

    def make(engine: str, prepare: Prepare, founded: datetime) -> State:
        if (engine, prepare) not in made:
            state = new_state(engine)
            found(forks, state, founded)
            prepare(forks, state)
            made[engine, prepare] = state
        return made[engine, prepare]

    return make


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    name: str = request.param
    return name


@pytest.fixture
def settled(engine: str, prepared: Callable[[str, Prepare, datetime], State]) -> State:
    """An authority with a past (`tests.support.faults.settle`), to be copied and never touched."""
    return prepared(engine, settle, NOW)


@pytest.fixture
def opened(engine: str, prepared: Callable[[str, Prepare, datetime], State]) -> State:
    """An authority to be served (`tests.support.faults.open_doors`), to be copied and never touched."""
    return prepared(engine, open_doors, now())


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """Where a copy may go."""
    return tmp_path / "copy"
