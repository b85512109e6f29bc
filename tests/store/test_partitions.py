"""Tables in partitions, as a nation's database would have them: the store works on them as on plain ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from psycopg.errors import FeatureNotSupported, ForeignKeyViolation

from domain.errors import Code, Refusal
from domain.revocation import CrlReason
from store.feed import START, StatusFeed
from store.schema import create
from tests.support.documents import ROOT
from tests.support.postgres import PostgresServer
from tests.support.stores import NOW, Store, add_certificate, make_certificate, revocation_of, sql_store

pytestmark = pytest.mark.postgresql

MIGRATION = (ROOT / "docs" / "partitions.sql").read_bytes()


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    """A new database that had a certificate and a revocation before it was parted."""
    name = postgres.new_database()
    create(postgres.url(name))
    with sql_store(postgres.url(name)) as store:
        record = add_certificate(store.begin, "earlier holder")
        with store.begin() as work:
            work.certificates.complete([(record.issuer, record.serial, b"certificate")])
            work.revocations.put(revocation_of(record), "receipt", NOW)
            work.commit()
    with postgres.connect(name) as connection, connection.transaction():
        connection.execute(MIGRATION)
    yield name
    postgres.drop_database(name)


@pytest.fixture
def store(postgres: PostgresServer, database: str) -> Iterator[Store]:
    with sql_store(postgres.url(database)) as store:
        yield store


def test_issuing_revoking_following_and_pruning_work_over_partitions(store: Store, tmp_path: Path) -> None:
    records = [add_certificate(store.begin, f"holder {number}") for number in range(6)]
    with store.begin() as work:
        work.certificates.complete([(record.issuer, record.serial, b"certificate") for record in records])
        work.commit()
    with store.begin() as work:
        for record in records[:4]:
            work.revocations.put(revocation_of(record, reason=CrlReason.KEY_COMPROMISE), "receipt", NOW)
        work.commit()
    words = [store.status.status_of(record.issuer, record.serial).word for record in records]
    assert words == ["revoked"] * 4 + ["good"] * 2
    feed = StatusFeed(store.url)
    changes = feed.after(START, 99)
    assert changes is not None
    earlier = len(changes.rows) - 10
    assert [row[5] is not None for row in changes.rows[earlier:]] == [True] * 4 + [False] * 2 + [True] * 4
    with feed.everything({record.issuer: 1 for record in records}, 0) as (position, blocks):
        assert position == changes.position
        assert sum(len(block) for block in blocks) == 12
    feed.close()
    with store.begin() as work:
        assert work.status_changes.prune(99, kept=4) == earlier + 6  # type: ignore[attr-defined]
        work.commit()


@pytest.mark.parametrize(("member", "code"), [("resident_id", Code.LIVE_PAIR), ("spki_digest", Code.KEY_USED_BEFORE)])
def test_nothing_happens_twice_over_partitions_and_the_refusal_has_its_name(
    store: Store, member: str, code: Code
) -> None:
    first = add_certificate(store.begin)
    same = {member: getattr(first, member)}
    with pytest.raises(Refusal) as refused, store.begin() as work:
        work.certificates.reserve([make_certificate(work, "a second", **same)])
    assert refused.value.code is code


def test_the_next_one_follows_when_the_first_has_ended_over_partitions(store: Store) -> None:
    first = add_certificate(store.begin)
    with store.begin() as work:
        work.certificates.end(first.issuer, first.serial, NOW + timedelta(days=1))
        work.certificates.reserve([make_certificate(work, "a second", resident_id=first.resident_id)])
        work.commit()


def test_a_revocation_stands_over_partitions(store: Store) -> None:
    record = add_certificate(store.begin)
    with store.begin() as work:
        work.revocations.put(revocation_of(record), "receipt", NOW)
        work.commit()
    with pytest.raises(Refusal) as refused, store.begin() as work:
        work.revocations.put(revocation_of(record), "another", NOW)
    assert refused.value.code is Code.ALREADY_APPLIED


def test_a_revocation_of_no_certificate_is_refused_over_partitions(postgres: PostgresServer, database: str) -> None:
    statement = "UPDATE revocations SET issuer = 'nobody'"
    with postgres.connect(database) as connection, pytest.raises(ForeignKeyViolation):
        connection.execute(statement)


@pytest.mark.parametrize(
    "columns", ["spki_digest", "application_id, kind", "resident_id, kind, carrier"], ids=lambda text: f"unique {text}"
)
def test_what_has_no_serial_in_it_cannot_be_unique_over_parts_by_serial(
    postgres: PostgresServer, database: str, columns: str
) -> None:
    with postgres.connect(database) as connection, pytest.raises(FeatureNotSupported):
        connection.execute(f"CREATE UNIQUE INDEX ON certificates ({columns})".encode())
