"""That a party was refused is on record with the row that decided; what it declared is not, and strangers are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.provisions import NAME_OCTETS, Channel, Provision
from policies.admission import ADMISSION_RULES, NOBODY, Requestor
from tests.support.memory import MemoryStore
from tests.support.verifiers import make_register, make_verifier
from verifiers.admit import status_admission

NOW = datetime(2027, 4, 1, tzinfo=UTC)
BANK = make_verifier("bank", Kind.SIGNATURE, id_=7)


def told(requestor: Requestor, kind: Kind, code: Code | None, channel: Channel = Channel.OCSP) -> list[Provision]:
    """What is put on record of a request with that outcome."""
    record: list[Provision] = []
    admit = status_admission(make_register(MemoryStore().begin), "notified-verifiers", channel, record.append)
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
    assert max(len(f"refused: {rule.id}") for rule in ADMISSION_RULES) <= NAME_OCTETS
