"""Status look-ups: dead connections are replaced, outages are refusals, threads do not wait for each other."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from domain.certificates import IssuerId
from domain.errors import Code, Refusal
from store.status import SqlStatusLookup
from tests.support.people import serial_of
from tests.support.postgres import PostgresServer
from tests.support.stores import NOW, Store, add_certificate, revocation_of, sql_store, sqlite_store

ISSUER = IssuerId("signature-g1")


def revoke(store: Store, label: str = "holder") -> None:
    record = add_certificate(store.begin, label)
    with store.begin() as work:
        work.certificates.complete([(record.issuer, record.serial, b"certificate")])
        work.revocations.put(revocation_of(record), "receipt", NOW)
        work.commit()


def test_what_was_committed_is_told_at_once_by_a_connection_in_use(store: Store) -> None:
    assert store.status.status_of(ISSUER, serial_of("holder")).word == "unknown"
    revoke(store)
    assert store.status.status_of(ISSUER, serial_of("holder")).word == "revoked"


def test_threads_get_their_own_answers(store: Store) -> None:
    revoke(store)
    answers: list[tuple[str, str]] = []

    def ask(label: str) -> None:
        answers.extend((label, store.status.status_of(ISSUER, serial_of(label)).word) for _ in range(50))

    threads = [threading.Thread(target=ask, args=(label,)) for label in ("holder", "nobody") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(answers) == 300
    assert set(answers) == {("holder", "revoked"), ("nobody", "unknown")}


def test_after_closing_the_next_look_up_connects_anew(store: Store) -> None:
    revoke(store)
    assert isinstance(store.status, SqlStatusLookup)
    assert store.status.status_of(ISSUER, serial_of("holder")).word == "revoked"
    store.status.close()
    assert store.status.status_of(ISSUER, serial_of("holder")).word == "revoked"


@pytest.mark.postgresql
def test_an_ended_connection_costs_nobody_an_answer(postgres: PostgresServer, postgres_url: str) -> None:
    with sql_store(postgres_url) as store:
        assert store.status.status_of(ISSUER, serial_of("nobody")).word == "unknown"
        postgres.end_sessions()
        assert store.status.status_of(ISSUER, serial_of("nobody")).word == "unknown"


def test_a_database_that_is_not_there_is_an_outage(tmp_path: Path) -> None:
    lookups = [
        SqlStatusLookup(f"sqlite:///{tmp_path / 'missing.db'}"),
        SqlStatusLookup(f"postgresql://nobody@/nothing?host={tmp_path}"),
    ]
    for lookup in lookups:
        with pytest.raises(Refusal) as refused:
            lookup.status_of(ISSUER, serial_of("holder"))
        assert refused.value.code is Code.STORE_UNAVAILABLE
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_went_away_and_came_back_is_used_again(tmp_path: Path) -> None:
    with sqlite_store(tmp_path) as store:
        revoke(store)
    file, away = tmp_path / "jpki.db", tmp_path / "away.db"
    lookup = SqlStatusLookup(f"sqlite:///{file}")
    file.rename(away)
    with pytest.raises(Refusal):
        lookup.status_of(ISSUER, serial_of("holder"))
    away.rename(file)
    assert lookup.status_of(ISSUER, serial_of("holder")).word == "revoked"
    lookup.close()
