"""The stored audit trail: its chain verifies, its head is signed, and a signer that is away stops the commit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audit.chain import Break, verify
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent, AuditRow
from domain.ports import UnitOfWork
from keys.algorithms import verify as verify_signature
from store.work import SqlBegin
from tests.support.signers import WrappedSigner, spki_of
from tests.support.stores import NOW, Store, add_resident, audit_signer

EVENT = AuditEvent(Act.RESIDENT_CHANGED, "register:住基ネット", NOW, {"resident": 1})


def signed(key_id: str, octets: bytes, signature: bytes) -> bool:
    signer = audit_signer()
    return key_id == signer.key_id and verify_signature(spki_of(signer.key), signer.algorithm, octets, signature)


def first_break(work: UnitOfWork) -> Break | None:
    return verify(work.audit.rows(), work.audit.head(), signed)


def append(store: Store, count: int) -> None:
    with store.begin() as work:
        for number in range(count):
            work.audit.append(replace(EVENT, facts={"resident": number}))
        work.commit()


def test_the_chain_goes_on_from_unit_to_unit_and_verifies(store: Store) -> None:
    for count in (1, 3, 0, 2):
        append(store, count)
    with store.begin(write=False) as work:
        assert [row.sequence for row in work.audit.rows()] == [1, 2, 3, 4, 5, 6]
        assert first_break(work) is None


def test_an_empty_trail_verifies(store: Store) -> None:
    with store.begin(write=False) as work:
        assert work.audit.head() is None
        assert first_break(work) is None


def test_more_rows_than_are_fetched_at_once_come_in_order(store: Store) -> None:
    append(store, 2300)
    with store.begin(write=False) as work:
        assert first_break(work) is None
        assert [row.sequence for row in work.audit.rows(after=2290)] == list(range(2291, 2301))


def test_an_earlier_head_still_lies_on_the_chain(store: Store) -> None:
    append(store, 2)
    with store.begin(write=False) as work:
        kept = work.audit.head()
    append(store, 2)
    with store.begin(write=False) as work:
        assert kept is not None
        assert verify(work.audit.rows(), work.audit.head(), signed, anchor=kept) is None


def test_a_changed_row_is_found(store: Store) -> None:
    append(store, 3)
    with store.begin(write=False) as work:
        rows = [
            AuditRow(row.sequence, row.body.replace('"resident":1', '"resident":9'), row.digest)
            for row in work.audit.rows()
        ]
        found = verify(rows, work.audit.head(), signed)
    assert found is not None
    assert found.sequence == 2


def test_a_reading_unit_can_note_nothing(store: Store) -> None:
    with store.begin(write=False) as work:
        work.audit.append(EVENT)
        with pytest.raises(RuntimeError, match="only reads"):
            work.commit()


def test_without_the_signer_nothing_is_stored(store: Store) -> None:
    signer = WrappedSigner(audit_signer(), away=True)
    begin = SqlBegin(store.url, signer)

    def change_something() -> None:
        with begin() as work:
            add_resident(work)
            work.audit.append(EVENT)
            work.commit()

    with pytest.raises(Refusal) as refused:
        change_something()
    assert refused.value.code is Code.SIGNER_UNAVAILABLE
    with store.begin(write=False) as work:
        assert work.residents.count() == 0
        assert first_break(work) is None
    signer.away = False
    change_something()
    with store.begin(write=False) as work:
        assert work.residents.count() == 1
        assert first_break(work) is None
    begin.close()
