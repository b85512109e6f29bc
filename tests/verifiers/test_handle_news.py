"""News by handle: those who asked are told what became of a line, once, days later, and under their own handle."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from config.rules import load_retention
from domain.applications import HandOver
from domain.certificates import Carrier, Kind
from domain.errors import Code, Refusal
from domain.handles import HandleWord
from domain.parties import Party
from domain.provisions import Channel, Provision
from domain.standings import Standing
from policies.news import SPREAD
from policies.retention import Records
from tests.support.house import HOUR, House
from tests.support.memory import MemoryStore
from tests.support.verifiers import OLD_CARD, add_verifier, make_office, make_rotation, retire_keys, switch_key
from verifiers.handle_news import collect_news, fetch_news, release_news, subscribe
from verifiers.handle_office import HandleOffice, translate
from verifiers.handle_rotation import add_key, move_subscriptions

DAY = timedelta(days=1)
KEPT = load_retention()[Records.NEWS]
PHONE = Carrier.MOBILE_DEVICE


def settle(house: House, office: HandleOffice) -> None:
    """What the publisher does, on each day until all news are told."""
    for _ in range(SPREAD + 1):
        while collect_news(office) or release_news(office, KEPT):
            pass
        house.clock.forward(DAY)


def news(office: HandleOffice, party: Party, after: int = 0) -> list[tuple[str, str]]:
    return [(one.handle, one.word.value) for one in fetch_news(office, party, None, after)[0]]


def signing_of(house: House, office: HandleOffice, party: Party, **changes: object) -> str:
    """The handle of the signing certificate of resident 1, of which the party wants news."""
    handle = office.of(party, None, house.issue(**changes).certificates[Kind.SIGNATURE])  # type: ignore[arg-type]
    subscribe(office, party, None, [handle])
    return handle


@pytest.mark.parametrize(
    ("act", "words"),
    [
        pytest.param(lambda house: house.revoke(), ["revoked"], id="a-revocation"),
        pytest.param(lambda house: house.hold(), ["held"], id="a-hold"),
        pytest.param(lambda house: house.move(), ["revoked"], id="a-move"),
        pytest.param(lambda house: house.issue(2), [], id="what-happens-to-others"),
    ],
)
def test_what_becomes_of_a_certificate_is_told(
    house: House, office: HandleOffice, bank: Party, act: Callable[[House], object], words: list[str]
) -> None:
    handle = signing_of(house, office, bank)
    house.clock.forward(HOUR)
    act(house)
    settle(house, office)
    assert news(office, bank) == [(handle, word) for word in words]


def test_a_renewal_is_told_when_the_new_certificate_is_handed_over_and_not_before(
    house: House, office: HandleOffice, bank: Party
) -> None:
    handle = signing_of(house, office, bank, card=OLD_CARD, key="old")
    house.clock.forward(HOUR)
    house.issue(key="new")
    settle(house, office)
    assert news(office, bank) == []
    house.deliver("new")
    settle(house, office)
    assert news(office, bank) == [(handle, "renewed")]


def test_a_renewal_that_nobody_fetched_is_no_news(house: House, office: HandleOffice, bank: Party) -> None:
    signing_of(house, office, bank, card=OLD_CARD, key="old")
    house.clock.forward(HOUR)
    house.issue(key="new")
    house.deliver("new", HandOver.REFUSED)
    settle(house, office)
    assert news(office, bank) == []


def test_a_hold_that_is_lifted_is_told_too(house: House, office: HandleOffice, bank: Party) -> None:
    house.issue()
    phone = house.issue(carrier=PHONE).certificates[Kind.AUTHENTICATION]
    handle = office.of(bank, None, phone)
    subscribe(office, bank, None, [handle])
    house.clock.forward(HOUR)
    house.hold(1, PHONE)
    while collect_news(office):
        pass
    house.clock.forward(HOUR)
    house.release(1)
    settle(house, office)
    assert sorted(news(office, bank)) == [(handle, "held"), (handle, "released")]


def test_for_a_handle_of_one_certificate_a_renewal_is_its_end(
    house: House, office: HandleOffice, bank: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("verifiers.handle_office.may_know", lambda *_: False)
    handle = signing_of(house, office, bank, card=OLD_CARD, key="old")
    house.clock.forward(HOUR)
    house.issue(key="new")
    house.deliver("new")
    settle(house, office)
    assert news(office, bank) == [(handle, "revoked")]


def test_news_come_days_later_all_of_a_day_together_and_not_in_the_order_of_events(
    house: House, office: HandleOffice, bank: Party
) -> None:
    handles = []
    for number in (1, 2, 3):
        handles.append(office.of(bank, None, house.issue(number).certificates[Kind.SIGNATURE]))
        house.clock.forward(HOUR)
    subscribe(office, bank, None, handles)
    for number in (1, 2, 3):
        house.revoke(number)
        house.clock.forward(HOUR)
        collect_news(office)
    release_news(office, KEPT)
    assert news(office, bank) == []
    days = []
    for _ in range(SPREAD + 1):
        before = len(news(office, bank))
        house.clock.forward(DAY)
        while release_news(office, KEPT):
            pass
        days.append(len(news(office, bank)) - before)
    assert sum(days) == 3
    assert days[-1] == 0


def test_who_did_not_ask_or_ended_it_is_told_nothing(house: House, office: HandleOffice, bank: Party) -> None:
    other = add_verifier(house.begin, "other")
    certificate = house.issue().certificates[Kind.SIGNATURE]
    handle = office.of(bank, None, certificate)
    subscribe(office, bank, None, [handle])
    subscribe(office, bank, None, [handle])
    subscribe(office, bank, None, [handle], wanted=False)
    office.of(other, None, certificate)
    house.clock.forward(HOUR)
    house.revoke()
    settle(house, office)
    assert news(office, bank) == news(office, other) == []


def test_another_s_handle_cannot_be_subscribed(house: House, office: HandleOffice, bank: Party) -> None:
    other = add_verifier(house.begin, "other")
    handle = office.of(bank, None, house.issue().certificates[Kind.SIGNATURE])
    with pytest.raises(Refusal) as refusal:
        subscribe(office, other, None, [handle])
    assert (refusal.value.code, refusal.value.pointer) == (Code.NOT_FOUND, "/handles/0")


def test_a_group_verifier_has_handles_and_no_news(house: House, office: HandleOffice) -> None:
    """It answers those who ask through it; nothing is to be told to it of its own."""
    group = add_verifier(house.begin, "group", Kind.SIGNATURE, standing=Standing.GROUP_VERIFIER)
    asking = add_verifier(house.begin, "asking", Kind.SIGNATURE, standing=Standing.CONFIRMER, behind=group.id)
    handle = office.of(group, asking, house.issue().certificates[Kind.SIGNATURE])
    with pytest.raises(Refusal) as refusal:
        subscribe(office, group, asking, [handle])
    assert refusal.value.code is Code.NOT_ADMITTED
    assert translate(office, group, asking, [handle]) == [handle]


def test_each_recipient_has_its_own_numbers_and_fetches_from_where_it_was(
    house: House, office: HandleOffice, bank: Party
) -> None:
    other, shop = add_verifier(house.begin, "other"), add_verifier(house.begin, "shop")
    pair = house.issue().certificates
    for kind in Kind:
        subscribe(office, bank, None, [office.of(bank, None, pair[kind])])
    subscribe(office, other, None, [office.of(other, None, pair[Kind.SIGNATURE])])
    subscribe(office, bank, shop, [office.of(bank, shop, pair[Kind.SIGNATURE])])
    house.clock.forward(HOUR)
    house.revoke()
    settle(house, office)
    assert [one.number for one in fetch_news(office, bank, None, 0)[0]] == [1, 2]
    assert [one.number for one in fetch_news(office, bank, None, 1)[0]] == [2]
    assert [one.number for one in fetch_news(office, other, None, 0)[0]] == [1]
    assert [one.number for one in fetch_news(office, bank, shop, 0)[0]] == [1]


def test_news_of_a_kind_that_is_not_notified_any_more_are_kept_back(
    house: House, office: HandleOffice, bank: Party
) -> None:
    pair = house.issue().certificates
    subscribe(office, bank, None, [office.of(bank, None, pair[kind]) for kind in Kind])
    house.clock.forward(HOUR)
    house.revoke()
    settle(house, office)
    signer = replace(bank, approvals=bank.approvals[:1])
    told, _ = fetch_news(office, signer, None, 0)
    assert [one.kind for one in told] == [Kind.SIGNATURE]


def test_news_are_on_record_when_they_are_fetched(house: House, bank: Party) -> None:
    records: list[Provision] = []
    office = make_office(house.begin, house.clock, record=records.append)
    signing_of(house, office, bank)
    house.clock.forward(HOUR)
    house.revoke()
    settle(house, office)
    del records[:]
    fetch_news(office, bank, None, 0)
    assert [(row.channel, row.party, row.answered) for row in records] == [(Channel.NOTICE, bank, "revoked")]
    assert records[0].purpose == "contract"
    assert len(records[0].asked) == 16


def test_news_are_erased_some_time_after_they_were_told(house: House, office: HandleOffice, bank: Party) -> None:
    signing_of(house, office, bank)
    house.clock.forward(HOUR)
    house.revoke()
    settle(house, office)
    assert len(news(office, bank)) == 1
    house.clock.forward(timedelta(days=90))
    settle(house, office)
    assert fetch_news(office, bank, None, 0)[0] == []
    second = house.issue().certificates[Kind.SIGNATURE]
    subscribe(office, bank, None, [office.of(bank, None, second)])
    house.clock.forward(HOUR)
    house.revoke()
    settle(house, office)
    assert [one.number for one in fetch_news(office, bank, None, 0)[0]] == [2]


@pytest.mark.parametrize("fault", ["lost", "kept"])
@pytest.mark.parametrize("failing", [1, 2])
def test_a_failing_commit_loses_no_news_and_tells_none_twice(
    house: House, memory: MemoryStore, office: HandleOffice, bank: Party, fault: str, failing: int
) -> None:
    handle = signing_of(house, office, bank)
    house.clock.forward(HOUR)
    house.revoke()
    for step in (partial(collect_news, office), partial(release_news, office, KEPT)):
        memory.faults = {memory.commits + 1: fault} if failing == 1 else {}  # type: ignore[dict-item]
        with suppress(Refusal):
            step()
        failing -= 1
        house.clock.forward(SPREAD * DAY)
    memory.faults = {}
    settle(house, office)
    assert news(office, bank) == [(handle, "revoked")]


def test_a_rotation_keeps_every_handle_and_every_subscription(house: House, office: HandleOffice, bank: Party) -> None:
    handles = [office.of(bank, None, house.issue(number).certificates[Kind.SIGNATURE]) for number in (1, 2)]
    subscribe(office, bank, None, handles)
    rotation = make_rotation(house.begin, house.clock, office.ring)
    assert add_key(rotation) == add_key(rotation) == (2, False)
    assert translate(office, bank, None, handles) == handles
    switch_key(rotation)
    with pytest.raises(Refusal, match="no key of handles waits"):
        switch_key(rotation)
    house.clock.forward(HOUR)
    house.revoke(1)
    collect_news(office)  # before the subscriptions are moved
    assert sum(move_subscriptions(rotation, batch=1)) == 2
    house.revoke(2)
    settle(house, office)
    told, _ = fetch_news(office, bank, None, 0)
    assert sorted((one.former, one.handle) for one in told) == sorted(
        zip(handles, translate(office, bank, None, handles), strict=True)
    )
    assert {one.word for one in told} == {HandleWord.REVOKED}
    assert translate(office, bank, None, translate(office, bank, None, handles)) == translate(
        office, bank, None, handles
    )
    with pytest.raises(Refusal, match="may change over"):
        retire_keys(rotation)
    house.clock.forward(100 * DAY)
    retire_keys(rotation)
    with pytest.raises(Refusal, match="no older key"):
        retire_keys(rotation)
    with pytest.raises(Refusal) as refusal:
        translate(office, bank, None, handles)
    assert refusal.value.code is Code.NOT_FOUND
    assert [one.former for one in fetch_news(office, bank, None, 0)[0]] == [None, None]


def test_a_key_is_not_retired_while_subscriptions_are_found_by_it(
    house: House, office: HandleOffice, bank: Party
) -> None:
    signing_of(house, office, bank)
    rotation = make_rotation(house.begin, house.clock, office.ring)
    add_key(rotation)
    switch_key(rotation)
    with pytest.raises(Refusal, match="wait to be moved"):
        retire_keys(rotation, cut_off=True)
    with pytest.raises(Refusal, match="under way"):
        add_key(rotation)
    assert sum(move_subscriptions(rotation)) == 1
    retire_keys(rotation, cut_off=True)
    with house.begin(write=False) as work:
        assert [row.generation for row in work.handles.generations() if row.retired_at] == [1]


def test_a_verifier_translates_its_own_handles_only(house: House, office: HandleOffice, bank: Party) -> None:
    other = add_verifier(house.begin, "other")
    certificate = house.issue().certificates[Kind.SIGNATURE]
    own, foreign = office.of(bank, None, certificate), office.of(other, None, certificate)
    with pytest.raises(Refusal) as refusal:
        translate(office, bank, None, [own, foreign])
    assert refusal.value.pointer == "/handles/1"
