"""Alarms at every door: who shall try later, or is blocked, hears it wherever it asks, and it stands on record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from detection.judging import Restraints
from domain.certificates import Kind
from domain.detection import Alarm, AlarmState, Grade
from domain.errors import Code, Refusal
from domain.handles import Correspondence
from domain.parties import Party
from domain.provisions import NAME_OCTETS, Channel, Provision
from policies.admission import Requestor
from policies.ocsp import Access
from tests.support.authority import NOW
from tests.support.consents import SHOP
from tests.support.house import House
from tests.support.memory import MemoryStore
from tests.support.validation import issue_card, make_validation, register_shop
from tests.support.verifiers import add_verifier, make_gate, make_office, make_register
from validation.answer import validate
from verifiers.admit import status_admission
from verifiers.handle_news import fetch_news, subscribe
from verifiers.handle_office import translate
from verifiers.handle_pairs import counterparts

HEARD = {
    Grade.TRY_LATER: (Code.BUSY, "waits-for-decision"),
    Grade.BLOCK: (Code.NOT_ADMITTED, "blocked-by-officers"),
}


class Doors:
    """A house whose doors have one gate, a bank that may use them, and what is put on record."""

    def __init__(self, folder: Path) -> None:
        self.store = MemoryStore()
        self.house = House(self.store.begin, self.store, folder / "crl", lambda *_: True)
        self.records: list[Provision] = []
        self.gate = make_gate(self.records.append, Restraints(self.store.begin).require)
        register_shop(self.house)
        self.bank = add_verifier(self.store.begin, "bank")
        self.office = make_office(
            self.store.begin, self.house.clock, record=self.records.append, restrain=self.gate.restrain
        )
        self.card = issue_card(self.house)[Kind.SIGNATURE]
        self.handle = self.office.of(self.bank, None, self.card.certificate)
        self.validation = make_validation(self.house, gate=self.gate, record=self.records.append)
        self.house.clock.forward(Restraints(self.store.begin).every)
        self.records.clear()

    def raise_alarm(self, party: Party, grade: Grade) -> None:
        state = AlarmState.UPHELD if grade is Grade.BLOCK else AlarmState.OPEN
        self.store.tables.alarms["alarm"] = Alarm(
            "alarm", NOW.date(), party.id, -1, "shared-set", grade, {}, NOW, state
        )

    def status(self, channel: Channel, access: Access = "notified-verifiers") -> None:
        admit = status_admission(make_register(self.store.begin), access, channel, self.gate)
        admit(Requestor(self.bank), Kind.SIGNATURE, self.house.clock())


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


WAYS: dict[str, tuple[Channel, Callable[[Doors], object]]] = {
    "OCSP": (Channel.OCSP, lambda doors: doors.status(Channel.OCSP)),
    "lists": (Channel.CRL, lambda doors: doors.status(Channel.CRL)),
    "handles": (Channel.HANDLE, lambda doors: doors.office.of(doors.bank, None, doors.card.certificate)),
    "translations": (Channel.HANDLE, lambda doors: translate(doors.office, doors.bank, None, [doors.handle])),
    "correspondences": (
        Channel.HANDLE,
        lambda doors: counterparts(doors.office, doors.bank, None, [doors.handle], Correspondence.PAIR),
    ),
    "subscriptions": (Channel.NOTICE, lambda doors: subscribe(doors.office, doors.bank, None, [doors.handle])),
    "news": (Channel.NOTICE, lambda doors: fetch_news(doors.office, doors.bank, None, 0)),
    "validation": (Channel.VALIDATION, lambda doors: validate(doors.validation, doors.card.request())),
}


@pytest.mark.parametrize("grade", HEARD, ids=lambda grade: grade.word)
@pytest.mark.parametrize("way", WAYS)
def test_a_restrained_verifier_hears_it_at_each_door(way: str, grade: Grade, doors: Doors) -> None:
    channel, ask = WAYS[way]
    party = SHOP if channel is Channel.VALIDATION else doors.bank
    doors.raise_alarm(party, grade)
    with pytest.raises(Refusal) as refused:
        ask(doors)
    code, rule = HEARD[grade]
    assert (refused.value.code, refused.value.facts["rule"]) == (code, rule)
    assert "公的個人認証法 §18(7)" in str(refused.value.facts["source"])
    (row,) = doors.records
    assert (row.party, row.channel, row.asked, row.answered) == (party, channel, b"", f"refused: {rule}")
    assert len(row.answered) <= NAME_OCTETS
    # The purpose that it has, though it need not be said; of a consent anything may be said, and nothing is kept.
    assert row.purpose == ("other" if channel is Channel.VALIDATION else "contract")


@pytest.mark.parametrize("way", WAYS)
def test_others_are_answered_at_each_door(way: str, doors: Doors) -> None:
    _, ask = WAYS[way]
    doors.raise_alarm(doors.bank, Grade.JUSTIFY)
    ask(doors)
    assert not any(row.answered.startswith("refused") for row in doors.records)


def test_a_list_that_is_open_is_anybodys(doors: Doors) -> None:
    doors.raise_alarm(doors.bank, Grade.BLOCK)
    doors.status(Channel.CRL, "open")
    assert doors.records == []
