"""Fixtures that more than one folder needs: a fresh store on each database, and tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from store.schema import create
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.stores import Store, postgres_store, sqlite_store
from tests.support.tokens import TOKENS, TokenStore

# How long an example takes says how busy the machine is, and nothing about what is tested.
settings.register_profile(
    "busy machine",
    parent=settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("busy machine")
settings.register_profile("nightly", parent=settings.get_profile("busy machine"), max_examples=5000)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for this process of the test run, started when first asked for."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres: PostgresServer) -> str:
    """The one database that tests share, one after the other; `postgres_store` empties it first."""
    url = postgres.url(postgres.new_database())
    create(url)
    return url


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenStore]:
    """SoftHSM's tokens of this process: a module reads once which there are."""
    store = TokenStore(tmp_path_factory.mktemp("tokens"))
    store.prepare()
    for label in TOKENS:
        store.add_token(label)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(store.configuration))
        yield store


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A fresh store on each database in turn."""
    if request.param == "sqlite":
        with sqlite_store(tmp_path) as made:
            yield made
    else:
        with postgres_store(request.getfixturevalue("postgres_url")) as made:
            yield made
