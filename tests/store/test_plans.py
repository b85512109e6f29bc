"""Plans of PostgreSQL: what is asked of a few rows does not have it read through a table that grew meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import Integer, Text, bindparam, column, select, table

from domain.certificates import IssuerId
from domain.revocation import CrlReason
from mass.certificates import share
from store.certificates import Certificates
from store.direct import Connections
from store.engine import open_writer
from store.feed import START, StatusFeed
from store.lists import Lists
from store.notices import Notices
from store.statements import Statements
from store.status_changes import StatusChanges
from tests.support.stores import postgres_store

pytestmark = pytest.mark.postgresql

ISSUER = IssuerId("signature-g1")
MANY = 5000
KEPT = 6
"""Times that a statement must be asked before the server may keep a plan."""

_FILL = """
INSERT INTO residents (id, code_index, code_sealed, municipality, name, address, birth_date, sex, state, changed_at)
SELECT n, sha256(n::text::bytea), '', '132217', '', '', '1970-01-01', '1', 'present', 0 FROM generate_series(1, 3000) n;
INSERT INTO certificates (issuer, serial, state, kind, carrier, resident_id, application_id, municipality, not_before,
    not_after, spki_digest, profile_digest, reserved_at, der)
SELECT 'signature-g1', '\\x40'::bytea || substr(sha256(n::text::bytea), 1, 15), 'issued', 'signature', 'card', n, n,
    '132217', 0, 1, sha256(n::text::bytea), '', 0, '' FROM generate_series(1, 3000) n;
ANALYZE residents, certificates;
"""
_GROW = """
INSERT INTO revocations (issuer, serial, municipality, cause, reason, revoked_at, not_after, receipt, received_at)
SELECT issuer, serial, municipality, 'temporary-stop', 6, 0, 1, '', 0 FROM certificates;
INSERT INTO notices (sender, notice_id, content, resident_id, effective_on, received_at)
SELECT 'city', id::text, '', id, '2027-04-01', 0 FROM residents;
"""
_CHANGE = """
INSERT INTO status_changes (issuer, serial, link) SELECT issuer, serial, '\\x0000000000000000' FROM certificates;
"""
_SEQUENTIALLY = "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname IN ('certificates', 'revocations')"
_seen = table("pg_stat_xact_user_tables", column("relname", Text), column("seq_tup_read", Integer))
_READ = select(_seen.c.seq_tup_read).where(_seen.c.relname == bindparam("name"))


@pytest.fixture
def url(postgres_url: str) -> Iterator[str]:
    """A database with many certificates and residents; nothing was revoked, and no notice came."""
    with postgres_store(postgres_url):
        fill(postgres_url, _FILL)
        yield postgres_url
    with postgres_store(postgres_url):
        pass


def fill(url: str, statements: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")  # applications are not wanted
        connection.execute(statements)


def targets(statements: Statements) -> object:
    changes, lists = StatusChanges(statements), Lists(statements)
    found = Certificates(statements, lists, changes)
    return found.targets(ISSUER, *share(0, 64), None), found.targets_of(range(1, 11))


def newest_notices(statements: Statements) -> object:
    return Notices(statements).latest_effective_many(range(1, 11))


@pytest.mark.parametrize(
    ("asks", "grown"),
    [
        pytest.param(targets, "revocations", id="what stands for some certificates"),
        pytest.param(newest_notices, "notices", id="the newest notices of some residents"),
    ],
)
def test_what_was_asked_of_an_empty_table_does_not_read_all_of_it_when_it_is_full(
    asks: Callable[[Statements], object], grown: str, url: str
) -> None:
    engine = open_writer(url)
    for _ in range(KEPT):
        statements = Statements(engine, write=True)
        asks(statements)
        statements.close()
    fill(url, _GROW)
    statements = Statements(engine, write=True)
    asks(statements)
    read = statements.one(_READ, {"name": grown}).seq_tup_read
    statements.close()
    engine.dispose()
    assert read == 0


def test_following_changes_does_not_read_all_of_a_table_that_was_empty(url: str) -> None:
    feed, asked = StatusFeed(url), Connections(url)
    fill(url, _CHANGE)
    for _ in range(KEPT):
        feed.after(START, MANY)
    fill(url, _GROW)
    before = asked.rows(_SEQUENTIALLY, ())
    found = feed.after(START, MANY)
    feed._connections.rows("SELECT pg_stat_force_next_flush()", ())
    after = asked.rows(_SEQUENTIALLY, ())
    feed.close()
    asked.close()
    assert found is not None
    assert {row[5] for row in found.rows} == {CrlReason.CERTIFICATE_HOLD}
    assert after == before
