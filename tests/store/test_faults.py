"""Database errors in our words: each kind in its place, and no value in any text."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.errors import Code, Refusal
from domain.people import MunicipalityCode
from store.faults import DatabaseBug, fault_of
from tests.support.people import PERSON, serial_of
from tests.support.stores import NOW, Store, add_application, add_certificate, add_resident, digest_of, make_certificate


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("text of the driver")
    error.sqlite_errorcode = code
    error.sqlite_errorname = "SQLITE_NAME"
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (sqlite_error(sqlite3.SQLITE_BUSY), Code.BUSY),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), Code.BUSY),
        (sqlite_error(sqlite3.SQLITE_FULL), Code.STORE_UNAVAILABLE),
        (sqlite_error(sqlite3.SQLITE_READONLY_DBMOVED), Code.STORE_UNAVAILABLE),
        (sqlite_error(sqlite3.SQLITE_IOERR_FSYNC), Code.STORE_UNAVAILABLE),
        (sqlite_error(sqlite3.SQLITE_ERROR), None),
        (psycopg.errors.LockNotAvailable(), Code.BUSY),
        (psycopg.errors.QueryCanceled(), Code.BUSY),
        (psycopg.errors.DeadlockDetected(), Code.BUSY),
        (psycopg.errors.SerializationFailure(), Code.BUSY),
        (psycopg.errors.DiskFull(), Code.STORE_UNAVAILABLE),
        (psycopg.errors.TooManyConnections(), Code.STORE_UNAVAILABLE),
        (psycopg.errors.AdminShutdown(), Code.STORE_UNAVAILABLE),
        (psycopg.errors.CannotConnectNow(), Code.STORE_UNAVAILABLE),
        (psycopg.errors.ReadOnlySqlTransaction(), Code.STORE_UNAVAILABLE),
        (psycopg.errors.IdleInTransactionSessionTimeout(), Code.STORE_UNAVAILABLE),
        (psycopg.errors.DataCorrupted(), Code.STORE_UNAVAILABLE),
        (psycopg.OperationalError(), Code.STORE_UNAVAILABLE),
        (psycopg.errors.UndefinedTable(), None),
        (psycopg.errors.NotNullViolation(), None),
        (psycopg.ProgrammingError(), None),
        (ValueError(), None),
    ],
    ids=lambda value: getattr(value, "value", type(value).__name__),
)
def test_each_error_has_its_place(error: Exception, code: Code | None) -> None:
    fault = fault_of(error)
    assert isinstance(fault, DatabaseBug) if code is None else isinstance(fault, Refusal) and fault.code is code
    assert "text of the driver" not in str(fault)


def test_waiting_in_vain_for_a_connection_is_busy() -> None:
    fault = fault_of(PoolTimeout())
    assert isinstance(fault, Refusal)
    assert fault.code is Code.BUSY


SECRETS = ("holder", PERSON.name, PERSON.address, digest_of("holder").hex(), serial_of("holder").octets.hex())


def test_no_text_names_a_value(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """What the database says about broken constraints includes the values that broke them; we do not pass it on."""
    caplog.set_level(logging.DEBUG)
    record = add_certificate(store.begin)

    def same_serial() -> None:
        with store.begin() as work:
            other = make_certificate(work, "other", serial=record.serial)
            work.certificates.reserve([other])

    def unknown_resident() -> None:
        with store.begin() as work:
            work.certificates.reserve([make_certificate(work, "other", resident_id=999_999_937)])

    def short_index() -> None:
        with store.begin() as work:
            resident = work.residents.get(record.resident_id)
            work.residents.put(b"holder", b"sealed", resident.municipality, PERSON, resident.state, NOW)

    for act in (same_serial, unknown_resident, short_index):
        with pytest.raises(DatabaseBug) as bug:
            act()
        said = str(bug.value) + repr(bug.value) + caplog.text
        assert str(bug.value) in caplog.text
        assert bug.value.__context__ is None
        assert not [secret for secret in (*SECRETS, "999999937") if secret in said]


def test_refusals_for_broken_constraints_name_no_value(store: Store) -> None:
    record = add_certificate(store.begin)
    with pytest.raises(Refusal) as refused, store.begin() as work:
        work.applications.open("清瀬市", "holder", b"x" * 32, record.resident_id, MunicipalityCode("132217"), NOW)
    assert refused.value.__context__ is None
    assert not [secret for secret in SECRETS if secret in str(refused.value)]


def test_after_an_error_the_unit_of_work_is_over(store: Store) -> None:
    with store.begin() as work:
        resident_id = add_resident(work)
        add_application(work, resident_id)
        with pytest.raises(Refusal):
            add_application(work, resident_id)
        with pytest.raises(RuntimeError, match="over"):
            work.residents.count()
        with pytest.raises(RuntimeError, match="over"):
            work.commit()


def test_after_the_commit_the_unit_of_work_is_over(store: Store) -> None:
    with store.begin() as work:
        add_resident(work)
        work.commit()
        with pytest.raises(RuntimeError, match="over"):
            work.residents.count()
        with pytest.raises(RuntimeError, match="over"):
            work.commit()


def test_a_unit_that_was_left_is_over(store: Store) -> None:
    with store.begin() as work:
        rows = work.residents.sealed()
    with pytest.raises(RuntimeError, match="over"):
        list(rows)


def test_a_reading_unit_does_not_write(store: Store) -> None:
    record = add_certificate(store.begin)
    with store.begin(write=False) as work:
        with pytest.raises(RuntimeError, match="only reads"):
            work.certificates.end(record.issuer, record.serial, NOW)
        assert work.certificates.find(record.issuer, record.serial) == replace(record, ended_at=None)


def test_each_refusal_is_one_of_its_own(store: Store) -> None:
    """An error that is raised again and again keeps every place that it came through, and what lay there."""
    refusals = []
    for _ in range(2):
        with store.begin() as work:
            resident_id = add_resident(work)
            add_application(work, resident_id)
            with pytest.raises(Refusal) as refused:
                add_application(work, resident_id)
        refusals.append(refused.value)
    assert refusals[0] is not refusals[1]
    assert str(refusals[0]) == str(refusals[1])
