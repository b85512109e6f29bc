"""Random lives of residents over each store, against a reference model that shares no code with the authority.

`pytest --hypothesis-profile=nightly tests/lives` lives fifty times as many.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from domain.certificates import IssuerId
from domain.revocation import CrlReason, Revocation
from domain.serial import SerialNumber
from domain.status import GOOD, CertificateStatus
from policies.causes import orders_for
from store.schema import create
from tests.lives.machine import Lives
from tests.lives.office import Office, address_in
from tests.support.blocks import block_of
from tests.support.memory import MemoryStore
from tests.support.memory_revocations import Revocations
from tests.support.residents import KIYOSE
from tests.support.responder import Unhurried
from tests.support.stores import Store, postgres_store, sql_store

STEPS = 40

# A life that fails is not made shorter here: that may take longer than a test is given.
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


def live(open_store: Callable[[ExitStack, Path], Store], examples: int) -> None:
    """Run as many lives as the profile asks for: `examples` with the usual one."""

    class Town(Lives):
        def make_office(self) -> Office:
            self.stack = everything.enter_context(ExitStack())  # a life that is broken off has no teardown
            folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
            store = open_store(self.stack, folder)
            return Office(store.begin, store.status, folder / "crl")

        def teardown(self) -> None:
            with self.stack:
                if sys.exception() is None:  # no step failed
                    super().teardown()

    made = settings(
        max_examples=max(1, examples * settings().max_examples // 100),
        stateful_step_count=STEPS,
        phases=_PHASES,
        report_multiple_bugs=False,
    )
    with ExitStack() as everything:
        run_state_machine_as_test(Town, settings=made)


def in_memory(stack: ExitStack, folder: Path) -> Store:
    memory = MemoryStore()
    return Store(memory.begin, memory)


def test_lives_in_memory() -> None:
    live(in_memory, examples=15)


def test_lives_in_sqlite(tmp_path: Path) -> None:
    empty = tmp_path / "jpki.db"
    create(f"sqlite:///{empty}")

    def open_store(stack: ExitStack, folder: Path) -> Store:
        shutil.copy(empty, folder)
        return stack.enter_context(sql_store(f"sqlite:///{folder / empty.name}"))

    live(open_store, examples=6)


@pytest.mark.postgresql
def test_lives_in_postgresql(postgres_url: str) -> None:
    def open_store(stack: ExitStack, folder: Path) -> Store:
        return stack.enter_context(postgres_store(postgres_url))

    live(open_store, examples=3)


class _Forgetful(Unhurried):
    """A status lookup that takes whatever is on hold for good."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def status_of(self, issuer: IssuerId, serial: SerialNumber) -> CertificateStatus:
        found = self._store.status_of(issuer, serial)
        return GOOD if found.reason is CrlReason.CERTIFICATE_HOLD else found


def forgetful_status(stack: ExitStack, folder: Path) -> Store:
    memory = MemoryStore()
    return Store(memory.begin, _Forgetful(memory))


def later_time_of_holds(stack: ExitStack, folder: Path) -> Store:
    def put(rows: Revocations, revocation: Revocation, receipt: str, received_at: datetime, *rest: Any) -> None:
        right(rows, replace(revocation, revoked_at=received_at), receipt, received_at, *rest)

    right = Revocations.put
    stack.enter_context(patch.object(Revocations, "put", put))
    return in_memory(stack, folder)


def all_kinds_by_notices(stack: ExitStack, folder: Path) -> Store:
    def wrong(rule: Any, live: Any) -> Any:
        orders = orders_for(rule, live)
        return [replace(orders[0], issuer=row.issuer, serial=row.serial, kind=row.kind) for row in live[:2] if orders]

    stack.enter_context(patch("residents.decision.orders_for", wrong))
    return in_memory(stack, folder)


def lists_without_holds(stack: ExitStack, folder: Path) -> Store:
    def blocks_of(rows: Revocations, scope: Any, since: Any) -> Any:
        return iter(
            [block_of(left)] if (left := [row for row in rows.for_scope(scope, since) if not row.on_hold]) else []
        )

    stack.enter_context(patch.object(Revocations, "blocks_of", blocks_of))
    return in_memory(stack, folder)


def nothing_is_superseded(stack: ExitStack, folder: Path) -> Store:
    stack.enter_context(patch("ca.deliver.orders_for", lambda *_: []))
    return in_memory(stack, folder)


def phones_outlive_their_cards(stack: ExitStack, folder: Path) -> Store:
    stack.enter_context(patch("policies.causes._has_card", lambda records: False))
    return in_memory(stack, folder)


def take_a_pair(office: Office, number: int, carrier: str = "card") -> None:
    person = office.model.people[number]
    office.apply(
        person["code"],
        {"signature", "authentication"},
        place=person["place"],
        items=person["items"],
        carrier=carrier,
        generation="g2",
        card_end=date(2030, 1, 1),
        fault=None,
    )


def live_through(office: Office, *acts: Callable[[], None]) -> None:
    for act in acts:
        act()
        office.forward(timedelta(hours=1))
        office.compare()
    assert office.inspect() == []


def a_life_with_a_phone(office: Office) -> None:
    """A phone beside the card is lost, replaced, and ends with the card's signing certificate, of which alone it is
    said that its key leaked."""
    counter = ("operator", None)
    live_through(
        office,
        lambda: take_a_pair(office, 1),
        lambda: take_a_pair(office, 1, "mobile-device"),
        lambda: office.revoke(1, "key-report", None, {"mobile-device"}, *counter),
        lambda: take_a_pair(office, 1, "mobile-device"),
        lambda: office.revoke(1, "key-report", {"signature"}, {"card"}, *counter),
        office.publish,
    )


def an_ordinary_life(office: Office) -> None:
    """Two pairs; one is held, revoked for good, followed by another one, and that renewed; the holder of the other
    moves; lists in between."""
    take_a_pair(office, 1)
    take_a_pair(office, 2)
    moved = {**office.model.people[2]["items"], "address": address_in(str(KIYOSE), 9)}
    said = {"event": "move-within", "code": 2, "day": office.model.today, "place": str(KIYOSE), "items": moved}
    live_through(
        office,
        lambda: office.revoke(1, "temporary-stop", None, None, "operator", None),
        office.publish,
        lambda: office.deliver(office.write("register", "register", {**said, "new_code": None})),
        lambda: office.revoke(1, "card-lost", None, None, "operator", None),
        lambda: take_a_pair(office, 1),
        lambda: office.forward(timedelta(days=900)),
        lambda: take_a_pair(office, 1),
        lambda: office.report(3, "delivered", None),
        office.publish,
    )


@pytest.mark.parametrize("life", [an_ordinary_life, a_life_with_a_phone], ids=lambda life: life.__name__)
def test_a_life_is_as_the_model_says(life: Callable[[Office], None], tmp_path: Path) -> None:
    with ExitStack() as stack:
        store = in_memory(stack, tmp_path)
        life(Office(store.begin, store.status, tmp_path / "crl"))


@pytest.mark.parametrize(
    ("mistake", "life"),
    [
        (nothing_is_superseded, an_ordinary_life),
        (forgetful_status, an_ordinary_life),
        (later_time_of_holds, an_ordinary_life),
        (all_kinds_by_notices, an_ordinary_life),
        (lists_without_holds, an_ordinary_life),
        (phones_outlive_their_cards, a_life_with_a_phone),
    ],
    ids=lambda part: part.__name__,
)
def test_a_planted_mistake_is_found(
    mistake: Callable[[ExitStack, Path], Store], life: Callable[[Office], None], tmp_path: Path
) -> None:
    with ExitStack() as stack:
        store = mistake(stack, tmp_path)
        office = Office(store.begin, store.status, tmp_path / "crl")
        with pytest.raises(AssertionError):
            life(office)
