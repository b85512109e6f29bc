"""However notices are delivered, in any order and any number of times: the end is that of delivery in order."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.errors import Refusal
from domain.events import EventType, NoticeState, ResidentEvent
from domain.parties import Party
from residents.intake import apply_event, preview_event
from residents.parts import Intake
from tests.support.memory import MemoryStore
from tests.support.notices import HINO_CITY, KIYOSE_CITY, REGISTER, TODAY, certify, make_intake, notice, store_resident
from tests.support.residents import HINO, KIYOSE, attributes, record, resident_code

SENDERS: dict[Party, tuple[int, ...]] = {REGISTER: (1, 2), KIYOSE_CITY: (3,), HINO_CITY: (4,)}
"""Whom each speaks for: the order of one sender's notices is theirs, that of two is nobody's."""
HOMES = {1: KIYOSE, 2: HINO, 3: KIYOSE, 4: HINO}
ADDRESSES = ("東京都清瀬市霞野１", "東京都日野市柳通２", "東京都清瀬市月見坂３")
BARE = {
    EventType.MOVE_OUT,
    EventType.MOVE_ABROAD,
    EventType.MOVE_ABROAD_CONTINUED,
    EventType.DEATH,
    EventType.REMOVAL,
}

lives = st.lists(
    st.tuples(
        st.sampled_from(list(SENDERS)),
        st.integers(0, 1),
        # An end of everything in one of two would leave little to see.
        st.sampled_from([*EventType, *[EventType.MOVE_WITHIN, EventType.NAME_CHANGE] * 6]),
        st.integers(0, 2),
        st.integers(-2, 1),
    ),
    min_size=2,
    max_size=14,
)


def written(drawn: list[tuple[Party, int, EventType, int, int]]) -> list[tuple[ResidentEvent, Party]]:
    """The notices, with a number each in their sender's order. Some of them are bad."""
    sent: dict[Party, int] = dict.fromkeys(SENDERS, 0)
    notices = []
    for sender, choice, type_, value, days in drawn:
        sent[sender] += 1
        resident = SENDERS[sender][choice % len(SENDERS[sender])]
        items = None if type_ in BARE or type_ is EventType.CODE_CHANGE else attributes(address=ADDRESSES[value])
        if type_ is EventType.NAME_CHANGE:
            items = attributes(name=("榎戸　透子", "椿　透子", "霧島　透子")[value])
        event = notice(
            type_,
            items,
            sender=sender,
            notice_id=f"{sent[sender]}",
            sequence=sent[sender],
            code=resident_code(resident if value else resident + 10),
            effective_on=TODAY + timedelta(days=days),
            municipality=HOMES[resident],
            new_code=resident_code(resident + 10) if type_ is EventType.CODE_CHANGE else None,
        )
        if type_ is EventType.CODE_CHANGE:
            event = replace(event, resident_code=resident_code(resident))
        notices.append((event, sender))
    return notices


def town() -> tuple[MemoryStore, Intake]:
    """Four residents with a pair each."""
    store = MemoryStore()
    intake = make_intake(store.begin)
    for number, home in HOMES.items():
        certify(intake, store_resident(intake, record(number, home)))
    return store, intake


def end_of(store: MemoryStore) -> dict[str, Any]:
    """All that is left when the notices are gone."""
    tables = store.tables
    return {
        "residents": tables.residents,
        "codes": {index: row for index, (row, _) in tables.codes.items()},
        "certificates": tables.certificates,
        "revocations": tables.revocations,
        "notices": {key: (row.state, row.sequence, row.reason, row.sealed) for key, row in tables.notices.items()},
        "turns": tables.senders,
    }


def send(intake: Intake, event: ResidentEvent, sender: Party) -> None:
    with suppress(Refusal):
        apply_event(intake, event, sender)


class Deliveries(RuleBasedStateMachine):
    """Notices come one by one. When it is over, all that never came come too, backwards."""

    notices: list[tuple[ResidentEvent, Party]] = []  # noqa: RUF012

    @initialize(drawn=lives)
    def begin(self, drawn: list[tuple[Party, int, EventType, int, int]]) -> None:
        self.notices = written(drawn)
        self.store, self.intake = town()
        self.came: set[tuple[str, int]] = set()

    @rule(pick=st.integers(0, 13))
    def deliver(self, pick: int) -> None:
        event, sender = self.notices[pick % len(self.notices)]
        send(self.intake, event, sender)
        self.came.add((event.sender, event.sequence))

    @rule(pick=st.integers(0, 13))
    def rehearse(self, pick: int) -> None:
        before = self.store.tables
        with suppress(Refusal):
            preview_event(self.intake, *self.notices[pick % len(self.notices)])
        assert self.store.tables is before

    @invariant()
    def nothing_is_skipped(self) -> None:
        for sender in {sender for _, sender in self.notices}:
            turn = next(number for number in range(1, 99) if (sender.label, number) not in self.came)
            rows = [row for row in self.store.tables.notices.values() if row.sender == sender.label]
            assert {row.sequence for row in rows if row.state is NoticeState.HELD} == {
                number for label, number in self.came if label == sender.label and number > turn
            }
            assert self.store.tables.senders.get(sender.label, 1) == turn

    def teardown(self) -> None:
        if not self.notices:
            return
        for event, sender in reversed(self.notices):
            send(self.intake, event, sender)
        reference, intake = town()
        for event, sender in self.notices:
            send(intake, event, sender)
        assert end_of(self.store) == end_of(reference)


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(max_examples=80, stateful_step_count=20, deadline=None)
