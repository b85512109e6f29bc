"""Prepared statements: compiled once for a database, and their values converted both ways."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.dialects import sqlite

from domain.certificates import CertificateState, IssuerId
from store.prepared import Prepared, Statement, prepare
from store.tables import applications, certificates, scopes
from tests.support.people import serial_of
from tests.support.stores import NOW

DIALECT = sqlite.dialect()
_c = certificates.c


def prepared(statement: Statement, *names: str) -> Prepared:
    return Prepared(statement, names, DIALECT)


def test_values_go_in_as_the_database_keeps_them_and_in_the_order_of_the_text() -> None:
    complete = update(certificates).where(_c.serial == bindparam("of_serial"), _c.state == CertificateState.RESERVED)
    given = {"of_serial": serial_of("one"), "state": CertificateState.ISSUED, "ended_at": NOW}
    statement = prepared(complete, *given)
    assert statement.text == (
        "UPDATE certificates SET state=?, ended_at=? WHERE certificates.serial = ? AND certificates.state = ?"
    )
    assert statement.values(given) == ["issued", int(NOW.timestamp()), serial_of("one").octets, "reserved"]


def test_rows_come_out_in_our_types_by_name_and_by_position() -> None:
    statement = prepared(select(_c.serial, _c.state, _c.ended_at))
    row = statement.row((serial_of("one").octets, "reserved", None))
    assert (row.serial, row.state, row.ended_at) == (serial_of("one"), CertificateState.RESERVED, None)
    assert tuple(row) == (serial_of("one"), CertificateState.RESERVED, None)


def test_a_column_without_a_name_has_its_position() -> None:
    assert prepared(select(func.count()).select_from(scopes)).row((3,))[0] == 3


def test_what_an_insert_returns_is_a_row() -> None:
    statement = prepared(insert(applications).returning(applications.c.id), "caller", "key")
    assert statement.text.startswith('INSERT INTO applications (caller, "key") VALUES (?, ?) RETURNING id')
    assert statement.row((7,)).id == 7


def test_a_value_that_is_missing_is_not_null() -> None:
    statement = prepared(select(_c.der).where(_c.issuer == bindparam("of_issuer")))
    assert statement.values({"of_issuer": IssuerId("signature-g1")}) == ["signature-g1"]
    with pytest.raises(KeyError):
        statement.values({})


def test_a_text_that_depends_on_its_values_is_refused() -> None:
    with pytest.raises(ValueError, match="no text"):
        prepared(select(_c.der).where(_c.issuer.in_(bindparam("issuers", expanding=True))), "issuers")


def test_a_statement_is_compiled_once_for_its_names() -> None:
    statement = update(scopes)
    one = prepare(statement, ("wanted", "published"), DIALECT)
    assert prepare(statement, ("wanted", "published"), DIALECT) is one
    assert prepare(statement, ("wanted",), DIALECT) is not one
