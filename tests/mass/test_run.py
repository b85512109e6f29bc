"""Confirmation, cancelling, and who may: nothing runs but what was previewed and confirmed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.errors import Code, Refusal
from domain.mass import MassEvent, MassState
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.revocation import RevocationCause
from mass.account import account_of, find_account, list_accounts
from mass.orders import order_from_json, order_to_json
from mass.preview import told
from mass.run import cancel, confirm, run, token_of
from tests.support.mass import Town, audit_acts, list_file
from tests.support.memory import MemoryStore
from tests.support.notices import KIYOSE_CITY, REGISTER, VERIFIER


def refused(act: Any, *arguments: Any) -> Code:
    with pytest.raises(Refusal) as caught:
        act(*arguments)
    return caught.value.code


def test_the_token_is_that_of_one_preview(town: Town) -> None:
    one, other = town.preview(town.order()), town.preview(town.order())
    tokens = {token_of(event) for event in (one, other)}
    assert len(tokens) == 2
    wrong = token_of(other)
    assert refused(confirm, town.parts, one.id, wrong, LOCAL_OPERATOR) is Code.IDEMPOTENCY_MISMATCH
    assert refused(run, town.parts, one.id, LOCAL_OPERATOR) is Code.OUT_OF_ORDER
    assert town.count("good") == 8


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"order": "{}"}, id="the order"),
        pytest.param({"preview": "{}"}, id="what was shown"),
        pytest.param({"plan": ()}, id="the steps"),
        pytest.param({"id": "other"}, id="the id"),
    ],
)
def test_the_token_covers_everything_that_is_confirmed(town: Town, changes: dict[str, Any]) -> None:
    event = town.preview(town.order())
    assert token_of(replace(event, **changes)) != token_of(event)


def test_a_confirmed_event_may_be_confirmed_again_and_an_old_preview_may_not(town: Town) -> None:
    event, other = town.preview(town.order()), town.preview(town.order())
    assert town.confirm(event) == town.confirm(event)
    assert audit_acts(town).count("mass-confirmed") == 1
    town.house.clock.forward(timedelta(hours=24, seconds=1))
    assert refused(town.confirm, other) is Code.OUT_OF_ORDER
    assert run(town.parts, event.id, LOCAL_OPERATOR).state is MassState.DONE
    assert refused(town.confirm, event) is Code.ALREADY_APPLIED


def test_a_list_whose_preview_is_too_old_is_dropped_by_the_next_preview(town: Town) -> None:
    old = town.preview(town.order(listed=True), list_file(1))
    town.house.clock.forward(timedelta(hours=24, seconds=1))
    new = town.preview(town.order(listed=True), list_file(2))
    with town.parts.intake.begin(write=False) as work:
        assert [len(work.mass.rows(event.id, 0, 9)) for event in (old, new)] == [0, 1]
        assert [event and event.state for event in map(work.mass.find, (old.id, new.id))] == [
            MassState.CANCELLED,
            MassState.PREVIEWED,
        ]
    assert refused(town.confirm, old) is Code.ALREADY_APPLIED


def test_an_event_is_cancelled_between_two_steps_and_says_what_it_did(town: Town) -> None:
    def stop(event: MassEvent) -> None:
        if event.step == 3 and event.state is MassState.RUNNING:
            cancel(town.parts, event.id, LOCAL_OPERATOR)

    event = town.run(town.preview(town.order()), stop)
    assert (event.state, event.step) == (MassState.CANCELLED, 3)
    assert event.tally.get("held", 0) == town.count("revoked") < 8
    assert run(town.parts, event.id, LOCAL_OPERATOR) == event
    assert refused(cancel, town.parts, event.id, LOCAL_OPERATOR) is Code.ALREADY_APPLIED
    assert town.house.faults() == []
    account = find_account(town.parts, event.id, LOCAL_OPERATOR)
    assert (account.changes, account.act) == (8, "temporary-stop")


def test_a_preview_that_nobody_wants_is_cancelled(town: Town) -> None:
    event = town.preview(town.order())
    assert cancel(town.parts, event.id, LOCAL_OPERATOR).state is MassState.CANCELLED
    assert refused(town.confirm, event) is Code.ALREADY_APPLIED
    assert town.count("good") == 8


def test_a_preview_that_was_interrupted_cannot_be_confirmed(town: Town, memory: MemoryStore) -> None:
    memory.faults[memory.commits + 2] = "lost"
    with pytest.raises(Refusal):
        town.preview(town.order(listed=True), list_file(1))
    (account,) = list_accounts(town.parts, LOCAL_OPERATOR)
    with town.house.begin(write=False) as work:
        event = work.mass.find(account.id)
    assert event is not None
    assert account.state is MassState.PREVIEWING
    assert refused(town.confirm, event) is Code.OUT_OF_ORDER
    assert cancel(town.parts, event.id, LOCAL_OPERATOR).state is MassState.CANCELLED
    assert memory.tables.mass_rows == {}


@pytest.mark.parametrize("actor", [KIYOSE_CITY, REGISTER, VERIFIER, Party(9, Role.OPERATOR, "gone")])
def test_only_operators_in_force_order_mass_events(town: Town, actor: Party) -> None:
    event = town.preview(town.order())
    if actor.role is Role.OPERATOR:
        actor = replace(actor, suspended_at=town.house.clock.now)
    for act in (cancel, run, find_account):
        assert refused(act, town.parts, event.id, actor) is Code.NOT_ADMITTED
    assert refused(confirm, town.parts, event.id, token_of(event), actor) is Code.NOT_ADMITTED
    assert refused(town.preview, town.order(), None, actor) is Code.NOT_ADMITTED
    assert refused(list_accounts, town.parts, actor) is Code.NOT_ADMITTED


def test_an_unknown_event_is_not_found(town: Town) -> None:
    for act in (cancel, run, find_account):
        assert refused(act, town.parts, "nothing", LOCAL_OPERATOR) is Code.NOT_FOUND


def test_a_busy_store_is_waited_for_and_one_that_stays_busy_ends_the_run(town: Town, memory: MemoryStore) -> None:
    event = town.confirm(town.preview(town.order()))
    left = 5

    def busy(write: bool) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            raise Refusal(Code.BUSY, "busy")

    memory.on_begin = busy
    assert run(town.parts, event.id, LOCAL_OPERATOR).state is MassState.DONE
    memory.on_begin = None
    other = town.confirm(town.preview(town.order(RevocationCause.CARD_ENDED)))
    left = 1000
    memory.on_begin = busy
    assert refused(run, town.parts, other.id, LOCAL_OPERATOR) is Code.BUSY


def test_causes_that_operators_do_not_name_are_refused(town: Town) -> None:
    assert refused(town.preview, town.order(RevocationCause.RESIDENT_EVENT)) is Code.CAUSE_NOT_ALLOWED
    assert refused(town.preview, town.order(listed=True)) is Code.MALFORMED
    assert refused(town.preview, town.order(), list_file(1)) is Code.MALFORMED


def test_orders_come_back_as_they_went(town: Town) -> None:
    now = town.house.clock.now
    for order in (
        town.order(),
        town.order(
            RevocationCause.ISSUER_KEY,
            issuers=frozenset(town.parts.issuers),
            municipality=KIYOSE_CITY.municipality,
            profile="0" * 64,
            issued_from=now,
            issued_before=now,
            listed=True,
        ),
        town.renaming(),
        town.renaming(old="", new=""),
    ):
        assert order_from_json(order_to_json(order)) == order


def test_a_preview_says_how_lists_grow_and_about_how_long_it_takes(town: Town) -> None:
    said = told(town.preview(town.order()))
    assert said["lists"] == [
        {"list": f"{issuer}/13221.crl", "entries": 0, "added": 4, "octets_added": 4 * 49}
        for issuer in ("authentication-g2", "signature-g2")
    ]
    assert (said["seconds"], said["left"], said["passed"]) == (1, {}, {})


def test_accounts_are_plain_and_newest_first(town: Town) -> None:
    first = town.preview(town.order())
    town.house.clock.forward(timedelta(minutes=1))
    second = town.do(town.order())
    accounts = list_accounts(town.parts, LOCAL_OPERATOR)
    assert [account.id for account in accounts] == [second.id, first.id]
    assert account_of(second).to_json()["tally"] == {"held": 8}
    assert account_of(first).to_json()["confirmed_at"] is None
