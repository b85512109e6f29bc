"""Correspondences speak handles, to those verifiers whom the law lets know them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.certificates import Carrier, Kind
from domain.errors import Code, Refusal
from domain.handles import Correspondence
from domain.parties import Party
from domain.provisions import Channel, Provision
from policies.correspondence import CORRESPONDENCE_RULES, correspondence_rule, may_know
from tests.support.authority import NOW
from tests.support.house import HOUR, House
from tests.support.verifiers import OLD_CARD, add_verifier, make_approval, make_office
from verifiers.handle_office import HandleOffice
from verifiers.handle_pairs import counterparts

PHONE = Carrier.MOBILE_DEVICE
SIGNER = frozenset({Kind.SIGNATURE})
LOGIN = frozenset({Kind.AUTHENTICATION})
BOTH = frozenset(Kind)


@pytest.mark.parametrize(
    ("which", "kinds", "kind", "may"),
    [
        (Correspondence.SUCCESSION, SIGNER, Kind.SIGNATURE, True),
        (Correspondence.SUCCESSION, SIGNER, Kind.AUTHENTICATION, False),
        (Correspondence.SUCCESSION, LOGIN, Kind.AUTHENTICATION, True),
        (Correspondence.PAIR, BOTH, Kind.SIGNATURE, True),
        (Correspondence.PAIR, BOTH, Kind.AUTHENTICATION, True),
        (Correspondence.PAIR, SIGNER, Kind.SIGNATURE, False),
        (Correspondence.PAIR, LOGIN, Kind.AUTHENTICATION, False),
        (Correspondence.CARRIERS, SIGNER, Kind.SIGNATURE, True),
        (Correspondence.CARRIERS, BOTH, Kind.AUTHENTICATION, False),
        (Correspondence.CARRIERS, LOGIN, Kind.SIGNATURE, False),
    ],
)
def test_the_table_of_correspondences(
    which: Correspondence, kinds: frozenset[Kind], kind: Kind, may: bool, bank: Party
) -> None:
    approvals = tuple(make_approval(kind) for kind in Kind if kind in kinds)
    party = replace(bank, kinds=kinds, approvals=approvals)
    assert may_know(party, None, which, kind, NOW) is may
    assert may_know(bank, party, which, kind, NOW) is may
    ended = replace(party, approvals=tuple(replace(one, suspended_at=NOW) for one in approvals))
    assert may_know(ended, None, which, kind, NOW) is (may and which is Correspondence.SUCCESSION)


def test_every_correspondence_has_one_row_with_its_source() -> None:
    assert {rule.correspondence for rule in CORRESPONDENCE_RULES} == {*Correspondence}
    assert len(CORRESPONDENCE_RULES) == len(Correspondence)
    assert all(rule.source and rule.needs for rule in CORRESPONDENCE_RULES)
    assert not correspondence_rule(Correspondence.SUCCESSION).verified


def test_a_verifier_of_both_kinds_learns_the_other_handle_of_a_pair(
    house: House, office: HandleOffice, bank: Party
) -> None:
    pairs = [house.issue(number).certificates for number in (1, 2)]
    signing = [office.of(bank, None, pair[Kind.SIGNATURE]) for pair in pairs]
    login = [office.of(bank, None, pair[Kind.AUTHENTICATION]) for pair in pairs]
    assert counterparts(office, bank, None, signing, Correspondence.PAIR) == login
    assert counterparts(office, bank, None, login, Correspondence.PAIR) == signing


def test_a_verifier_of_one_kind_learns_no_pairs(house: House, office: HandleOffice) -> None:
    signer = add_verifier(house.begin, "signer", Kind.SIGNATURE)
    handle = office.of(signer, None, house.issue().certificates[Kind.SIGNATURE])
    with pytest.raises(Refusal) as refusal:
        counterparts(office, signer, None, [handle], Correspondence.PAIR)
    assert (refusal.value.code, refusal.value.pointer) == (Code.NOT_ADMITTED, "/handles/0")
    assert refusal.value.facts["rule"] == "both-kinds-of-verifier"
    assert "§18(5)" in str(refusal.value.facts["source"])


def test_card_and_phone_correspond_for_signing_certificates(house: House, office: HandleOffice, bank: Party) -> None:
    card, phone = house.issue().certificates, house.issue(carrier=PHONE).certificates
    one, other = (office.of(bank, None, pair[Kind.SIGNATURE]) for pair in (card, phone))
    assert counterparts(office, bank, None, [one, other], Correspondence.CARRIERS) == [other, one]
    login = office.of(bank, None, card[Kind.AUTHENTICATION])
    with pytest.raises(Refusal):
        counterparts(office, bank, None, [login], Correspondence.CARRIERS)


def test_the_pair_of_a_renewed_certificate_is_found_by_the_handle_from_before(
    house: House, office: HandleOffice, bank: Party
) -> None:
    first = house.issue(card=OLD_CARD, key="old").certificates
    signing, login = (office.of(bank, None, first[kind]) for kind in (Kind.SIGNATURE, Kind.AUTHENTICATION))
    house.clock.forward(HOUR)
    house.issue(key="new")
    house.deliver("new")
    assert counterparts(office, bank, None, [signing], Correspondence.PAIR) == [login]
    assert counterparts(office, bank, None, [signing], Correspondence.SUCCESSION) == [signing]


def test_an_ended_certificate_corresponds_to_nothing(house: House, office: HandleOffice, bank: Party) -> None:
    pair = house.issue().certificates
    signing, login = (office.of(bank, None, pair[kind]) for kind in (Kind.SIGNATURE, Kind.AUTHENTICATION))
    house.clock.forward(HOUR)
    house.move(1)
    assert counterparts(office, bank, None, [signing, login], Correspondence.PAIR) == [None, None]
    assert counterparts(office, bank, None, [signing, login], Correspondence.SUCCESSION) == [None, login]


def test_correspondences_are_on_record(house: House) -> None:
    approvals = tuple(make_approval(kind, "log-in") for kind in Kind)
    bank = add_verifier(house.begin, "other bank", approvals=approvals)
    records: list[Provision] = []
    office = make_office(house.begin, house.clock, record=records.append)
    handle = office.of(bank, None, house.issue().certificates[Kind.SIGNATURE])
    del records[:]
    counterparts(office, bank, None, [handle], Correspondence.PAIR)
    assert [(row.channel, row.purpose, row.answered) for row in records] == [(Channel.HANDLE, "log-in", "pair")]
