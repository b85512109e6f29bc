"""Fixtures of the fault tests: the program that forks, and authorities with a past to copy and to spoil."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.faults import Forks, State, found, settle
from tests.support.postgres import PostgresServer

ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]

Prepare = Callable[[str], State]


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
def prepared(forks: Forks, new_state: Prepare) -> Prepare:
    """Makes a settled authority over an engine, once."""
    made: dict[str, State] = {}

    def prepare(engine: str) -> State:
        if engine not in made:
            state = new_state(engine)
            found(forks, state)
            settle(forks, state)
            made[engine] = state
        return made[engine]

    return prepare


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn."""
    name: str = request.param
    return name


@pytest.fixture
def settled(engine: str, prepared: Prepare) -> State:
    """An authority with a past (`tests.support.faults.settle`), to be copied and never touched."""
    return prepared(engine)


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """Where a copy may go."""
    return tmp_path / "copy"
