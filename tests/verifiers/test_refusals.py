"""That a party was refused is on record with the row that decided; what it declared is not, and strangers are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from config.rules import load_admission
from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.handles import Correspondence
from domain.parties import Party
from domain.provisions import NAME_OCTETS, Channel, Provision
from policies.admission import NOBODY, Requestor
from tests.support.house import House
from tests.support.memory import MemoryStore
from tests.support.verifiers import make_gate, make_office, make_register, make_verifier
from verifiers.admit import status_admission
from verifiers.handle_news import fetch_news, subscribe
from verifiers.handle_office import translate
from verifiers.handle_pairs import counterparts

NOW = datetime(2027, 4, 1, tzinfo=UTC)
BANK = make_verifier("bank", Kind.SIGNATURE, id_=7)


def told(requestor: Requestor, kind: Kind, code: Code | None, channel: Channel = Channel.OCSP) -> list[Provision]:
    """What is put on record of a request with that outcome."""
    record: list[Provision] = []
    admit = status_admission(
        make_register(MemoryStore().begin), "notified-verifiers", channel, make_gate(record.append)
    )
    if code is None:
        admit(requestor, kind, NOW)
    else:
        with pytest.raises(Refusal) as refused:
            admit(requestor, kind, NOW)
        assert refused.value.code is code
    return record


@pytest.mark.parametrize("channel", [Channel.OCSP, Channel.CRL])
def test_a_refused_party_is_on_record_with_the_deciding_row(channel: Channel) -> None:
    (row,) = told(Requestor(BANK), Kind.AUTHENTICATION, Code.NOT_ADMITTED, channel)
    assert (row.when, row.party, row.channel) == (NOW, BANK, channel)
    assert (row.asked, row.answered) == (b"", "refused: authentication-not-approved")
    (row,) = told(Requestor(replace(BANK, suspended_at=NOW)), Kind.SIGNATURE, Code.NOT_ADMITTED)
    assert row.answered == "refused: not-in-force"


def test_what_was_declared_is_not_kept() -> None:
    said = "12345678901234567890123456789012"
    (row,) = told(Requestor(BANK, purpose=said, provider=said), Kind.SIGNATURE, Code.NOT_ADMITTED)
    assert said not in str(tuple(row))


def test_strangers_and_the_admitted_leave_no_such_record() -> None:
    assert told(NOBODY, Kind.SIGNATURE, Code.UNKNOWN_CALLER) == []
    assert told(Requestor(BANK), Kind.SIGNATURE, None) == []


def test_every_row_fits_into_a_record() -> None:
    assert max(len(f"refused: {rule.id}") for rule in load_admission().status.rows) <= NAME_OCTETS


def test_refusals_of_handles_leave_the_same_record(house: House, bank: Party) -> None:
    pair = house.issue().certificates
    record: list[Provision] = []
    office = make_office(house.begin, house.clock, record=record.append)
    handle = office.of(bank, None, pair[Kind.SIGNATURE])
    none = replace(bank, approvals=())
    one = replace(bank, approvals=bank.approvals[:1])
    asked: list[tuple[Callable[[], object], Channel, str]] = [
        (lambda: office.of(none, None, pair[Kind.SIGNATURE]), Channel.HANDLE, "signature-not-approved"),
        (lambda: translate(office, none, None, [handle]), Channel.HANDLE, "signature-not-approved"),
        (lambda: subscribe(office, none, None, [handle]), Channel.NOTICE, "signature-not-approved"),
        (lambda: fetch_news(office, none, None, 0), Channel.NOTICE, "signature-not-approved"),
        (
            lambda: counterparts(office, one, None, [handle], Correspondence.PAIR),
            Channel.HANDLE,
            "both-kinds-of-verifier",
        ),
    ]
    for ask, channel, rule in asked:
        record.clear()
        with pytest.raises(Refusal):
            ask()
        (row,) = record
        assert (row.channel, row.asked, row.answered) == (channel, b"", f"refused: {rule}")
        assert row.party in (none, one)
