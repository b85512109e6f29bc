"""Tables in partitions, as a nation's database would have them: the store works on them as on plain ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.revocation import CrlReason
from store.feed import START, StatusFeed
from store.schema import create
from tests.support.postgres import PostgresServer
from tests.support.stores import NOW, Store, add_certificate, revocation_of, sql_store

pytestmark = pytest.mark.postgresql

PARTITION = """
ALTER TABLE status_changes RENAME TO plain_changes;
ALTER TABLE plain_changes DROP CONSTRAINT status_changes_key;
CREATE TABLE status_changes (LIKE plain_changes INCLUDING DEFAULTS,
    CONSTRAINT status_changes_key PRIMARY KEY (sequence))
    PARTITION BY RANGE (sequence);
CREATE TABLE status_changes_1 PARTITION OF status_changes FOR VALUES FROM (0) TO (4);
CREATE TABLE status_changes_2 PARTITION OF status_changes FOR VALUES FROM (4) TO (1000);
ALTER TABLE revocations RENAME TO plain_revocations;
ALTER TABLE plain_revocations DROP CONSTRAINT revocations_key;
CREATE TABLE revocations (LIKE plain_revocations INCLUDING DEFAULTS,
    CONSTRAINT revocations_key PRIMARY KEY (issuer, serial),
    FOREIGN KEY (issuer, serial) REFERENCES certificates (issuer, serial)) PARTITION BY HASH (serial);
CREATE TABLE revocations_1 PARTITION OF revocations FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE revocations_2 PARTITION OF revocations FOR VALUES WITH (MODULUS 2, REMAINDER 1);
"""


@pytest.fixture
def store(postgres: PostgresServer) -> Iterator[Store]:
    """A new database whose changes and revocations are in partitions."""
    name = postgres.new_database()
    create(postgres.url(name))
    with postgres.connect(name) as connection:
        connection.execute(PARTITION.encode())
    with sql_store(postgres.url(name)) as store:
        yield store
    postgres.drop_database(name)


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
    assert [row[5] is not None for row in changes.rows] == [True] * 4 + [False] * 2 + [True] * 4
    with feed.everything({record.issuer: 1 for record in records}, 0) as (position, blocks):
        assert position == changes.position
        assert sum(len(block) for block in blocks) == 10
    feed.close()
    with store.begin() as work:
        assert work.status_changes.prune(99, kept=4) == 6  # type: ignore[attr-defined]
        work.commit()
