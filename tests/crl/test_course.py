"""Any course of events: certificates are revoked, held and expire, publishers run and fail; the lists stay right."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from crl.files import read_current
from crl.publish import publish_due
from crl.read import read_list
from domain.errors import Code, Refusal
from domain.lists import ListRecord, ListState, Scope
from domain.revocation import CrlReason
from tests.support.authority import TurnedClock
from tests.support.lists import (
    ELSEWHERE,
    SCOPE,
    check_consistent,
    entries_of,
    make_publisher,
    make_revocation,
    record_revocation,
)
from tests.support.memory import MemoryStore

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


class CourseOfEvents(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.clock = TurnedClock()
        self.store = MemoryStore()
        self.publisher = make_publisher(self.store.begin, Path(self.folder.name), self.clock)
        self.holders = 0

    def teardown(self) -> None:
        self.folder.cleanup()

    @rule(reason=st.sampled_from(CrlReason), life=st.integers(1, 200), scope=st.sampled_from([SCOPE, ELSEWHERE]))
    def revoke(self, reason: CrlReason, life: int, scope: Scope) -> None:
        self.holders += 1
        expiry = self.clock.now + life * HOUR
        label = f"holder {self.holders}"
        record_revocation(
            self.store.begin,
            make_revocation(label, reason, revoked_at=self.clock.now, not_after=expiry, scope=scope),
        )

    @precondition(lambda self: any(row.on_hold for row in self.store.tables.revocations.values()))
    @rule()
    def turn_a_hold_into_a_revocation(self) -> None:
        held = next(row for row in self.store.tables.revocations.values() if row.on_hold)
        record_revocation(self.store.begin, replace(held, reason=CrlReason.KEY_COMPROMISE))

    @rule(minutes=st.integers(1, 3000))
    def wait(self, minutes: int) -> None:
        self.clock.forward(minutes * MINUTE)

    @rule(commit=st.integers(1, 9), fate=st.sampled_from(["lost", "kept"]))
    def publish_on_a_failing_store(self, commit: int, fate: Literal["lost", "kept"]) -> None:
        self.store.faults = {self.store.commits + commit: fate}
        code = Code.STORE_UNAVAILABLE
        try:
            publish_due(self.publisher)
        except Refusal as refusal:
            code = refusal.code
        assert code is Code.STORE_UNAVAILABLE
        self.store.faults = {}
        self.clock.forward(SECOND)

    @rule()
    def publish(self) -> None:
        report = publish_due(self.publisher)
        assert report.refused == ()
        self.clock.forward(SECOND)
        check_consistent(self.publisher)
        for record in report.published:
            self._expect_exactly_the_standing_revocations(record)

    def _expect_exactly_the_standing_revocations(self, record: ListRecord) -> None:
        """Those that had expired when the list before was made are gone, all others are there."""
        octets = read_current(self.publisher.directory, record.scope)
        assert octets is not None
        with self.store.begin(write=False) as work:
            before = [
                row.this_update
                for row in work.lists.records(record.scope)
                if row.state is ListState.PUBLISHED and row.number < record.number
            ]
        expected = {
            row.serial.octets: (row.revoked_at, row.reason)
            for row in self.store.tables.revocations.values()
            if row.municipality == record.scope.municipality and not (before and row.not_after < before[-1])
        }
        assert entries_of(read_list(octets)) == expected

    @invariant()
    def nothing_half_done_is_visible(self) -> None:
        check_consistent(self.publisher, settled=False)


TestCourseOfEvents = CourseOfEvents.TestCase
TestCourseOfEvents.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
