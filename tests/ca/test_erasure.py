"""Records are erased when they were kept long enough, and nothing else changes: lists, status, trail."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Literal

import pytest

from ca.erasure import count_due, erase_due
from config.rules import load_retention
from domain.certificates import Kind
from domain.errors import Refusal
from domain.events import Act
from domain.revocation import RevocationCause
from oversight.trail import read_row
from policies.retention import Records, RetentionRule
from policies.validity import end_of_day
from tests.support.authority import CARD
from tests.support.house import House
from tests.support.memory import MemoryStore

RULES = load_retention()
DAY = timedelta(days=1)
CARD_ENDS = date(2027, 4, 10)
EXPIRED = end_of_day(CARD_ENDS)
KEPT = RULES[Records.CERTIFICATES].kept_until(EXPIRED)
SHORT = replace(CARD, expires_on=CARD_ENDS)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def house(store: MemoryStore, tmp_path: pytest.TempPathFactory) -> House:
    """Resident 1 had a pair that was revoked, resident 2 one that was not, both for a card that ends soon; resident 3
    has a pair for longer."""
    house = House(store.begin, store, tmp_path / "crl", lambda key_id, octets, signature: key_id == "memory")  # type: ignore[operator]
    house.issue(1, card=SHORT)
    house.issue(2, card=SHORT)
    house.issue(3)
    house.revoke(1)
    house.publish()
    return house


def erase(house: House, batches: int | None = None) -> dict[str, int]:
    return +erase_due(house.begin, house.clock, RULES, "operator:tester", batches)


def erasures(house: House) -> Counter[tuple[object, object, object]]:
    """What the trail tells of, and how often."""
    with house.begin(write=False) as work:
        told = [read_row(row) for row in work.audit.rows()]
    return Counter(
        (event.facts["records"], event.facts["application"], event.facts["kind"])
        for event in told
        if event.act is Act.ERASED
    )


def expire(house: House) -> None:
    """The card of residents 1 and 2 has ended, and a list is out since."""
    house.clock.now = EXPIRED + DAY
    house.publish()


def test_a_revocation_is_erased_when_a_list_came_after_its_certificate(house: House, store: MemoryStore) -> None:
    house.clock.now = EXPIRED + DAY
    assert erase(house) == {}
    house.publish()
    assert erase(house) == {"revocations": 2}
    assert not store.tables.revocations
    assert house.faults() == []


def test_nothing_is_erased_to_the_last_second(house: House, store: MemoryStore) -> None:
    house.clock.now = EXPIRED
    house.publish()
    assert erase(house) == {}
    assert len(store.tables.revocations) == 2


def test_what_no_rule_ends_is_never_erased(house: House) -> None:
    expire(house)
    forever = {records: replace(RULES[records], years=None) for records in Records}
    house.clock.now = KEPT + DAY
    house.publish()
    assert +erase_due(house.begin, house.clock, forever, "operator:tester") == {}
    assert +count_due(house.begin, house.clock, forever) == {}


def test_lists_go_on_without_it(house: House) -> None:
    expire(house)
    erase(house)
    assert house.faults() == []
    house.clock.forward(DAY)
    house.publish()
    assert house.faults() == house.notes() == []


def test_what_was_revoked_is_never_good_again(house: House, store: MemoryStore) -> None:
    revoked, other = (store.tables.certificates[key] for key in list(store.tables.certificates)[:4:2])

    def told() -> list[str]:
        return [store.status_of(row.issuer, row.serial).at(house.clock.now).word for row in (revoked, other)]

    assert told() == ["revoked", "good"]
    expire(house)
    assert told() == ["revoked", "unknown"]
    erase(house)
    assert told() == ["unknown", "unknown"]
    house.clock.now = KEPT + DAY
    erase(house)
    assert told() == ["unknown", "unknown"]


def test_a_hold_that_outlasted_its_certificate_is_erased_too(house: House, store: MemoryStore) -> None:
    house.revoke(2, RevocationCause.TEMPORARY_STOP)
    expire(house)
    assert erase(house) == {"revocations": 4}
    assert house.faults() == []


def test_issuance_records_are_erased_after_ten_years_with_their_applications(house: House, store: MemoryStore) -> None:
    expire(house)
    erase(house)
    house.clock.now = KEPT
    assert erase(house) == {}
    house.clock.forward(timedelta(seconds=1))
    assert erase(house) == {"certificates": 4, "applications": 2}
    assert {row.application_id for row in store.tables.certificates.values()} == {3}
    assert list(store.tables.applications) == [3]
    assert house.faults() == []


def test_a_revocation_that_no_list_came_after_goes_with_its_certificate(house: House, store: MemoryStore) -> None:
    """The issuer had ended: it made no list any more."""
    house.clock.now = KEPT + DAY
    assert erase(house) == {"revocations": 2, "certificates": 4, "applications": 2}
    assert not store.tables.revocations
    assert house.faults() == []


def test_the_newest_application_stays_so_that_no_number_is_given_twice(house: House, store: MemoryStore) -> None:
    house.clock.now = end_of_day(date(2060, 1, 1))
    erase(house)
    assert not store.tables.certificates
    assert list(store.tables.applications) == [3]


def test_each_erasure_is_told_once_and_names_nobody(house: House, store: MemoryStore) -> None:
    expire(house)
    erase(house)
    assert erasures(house) == {("revocations", 1, kind.value): 1 for kind in Kind}
    house.clock.now = KEPT + DAY
    erase(house)
    again = {("certificates", application, kind.value): 1 for application in (1, 2) for kind in Kind}
    assert erasures(house) == {("revocations", 1, kind.value): 1 for kind in Kind} | again
    bodies = [row.body for row in store.tables.audit.values() if Act.ERASED.value in row.body]
    assert not any(word in body for body in bodies for word in ("serial", "霧島", "resident"))


def test_a_rehearsal_counts_and_erases_nothing(house: House, store: MemoryStore) -> None:
    expire(house)
    assert +count_due(house.begin, house.clock, RULES) == {"revocations": 2}
    house.clock.now = KEPT + DAY
    assert +count_due(house.begin, house.clock, RULES) == {"revocations": 2, "certificates": 4}
    assert len(store.tables.revocations) == 2
    assert not erasures(house)


def test_a_round_erases_a_part_and_the_next_goes_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ca.erasure.BATCH", 1)
    expire(house)
    assert [erase(house, 1) for _ in range(3)] == [{"revocations": 1}, {"revocations": 1}, {}]
    house.clock.now = KEPT + DAY
    assert [erase(house, 3) for _ in range(2)] == [
        {"certificates": 3, "applications": 1},
        {"certificates": 1, "applications": 1},
    ]
    assert house.faults() == []


@pytest.mark.parametrize("fate", ["lost", "kept"])
@pytest.mark.parametrize("later", [1, 2, 3])
def test_a_commit_that_fails_leaves_whole_records_and_the_next_round_goes_on(
    house: House, store: MemoryStore, fate: Literal["lost", "kept"], later: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ca.erasure.BATCH", 2)
    expire(house)
    house.clock.now = KEPT + DAY
    store.faults = {store.commits + later: fate}
    with pytest.raises(Refusal):
        erase(house)
    assert house.faults() == []
    erase(house)
    assert len(store.tables.certificates) == 2
    assert set(erasures(house).values()) == {1}
    assert house.faults() == []


class Hasty(RetentionRule):
    """A rule that does not look at the clock."""

    def over_before(self, now: datetime) -> datetime:
        return EXPIRED + DAY


def hasty(records: Records) -> dict[Records, RetentionRule]:
    return {**RULES, records: Hasty(records, "", "", 0, "", False)}


def erase_too_early(house: House, records: Records) -> None:
    """By a clock that went back after the list was made."""
    expire(house)
    house.clock.now = EXPIRED - DAY
    erase_due(house.begin, house.clock, hasty(records), "operator:tester")
    house.clock.now = EXPIRED + 2 * DAY


def test_a_revocation_that_was_erased_too_early_is_found(house: House) -> None:
    with house.begin() as work:
        revocation = next(work.revocations.all())
    erase_too_early(house, Records.REVOCATIONS)
    assert [fault for fault in house.faults() if "lost its revocation before it expired" in fault]
    with house.begin() as work:
        work.revocations.put(revocation, "receipt", house.clock.now)
        work.commit()
    assert [fault for fault in house.faults() if "has a revocation that the audit trail tells was erased" in fault]


def test_a_certificate_that_was_erased_too_early_is_found(house: House) -> None:
    erase_too_early(house, Records.CERTIFICATES)
    assert [fault for fault in house.faults() if "was erased before it expired" in fault]


def test_a_certificate_that_vanished_without_a_word_is_found(house: House, store: MemoryStore) -> None:
    house.clock.now = KEPT + DAY
    store.tables.revocations.clear()
    store.tables.certificates.clear()
    assert [fault for fault in house.faults() if "the database does not know it" in fault]


def test_a_certificate_may_follow_one_that_was_erased(house: House, store: MemoryStore) -> None:
    house.clock.now = KEPT + DAY
    erase(house)
    missing = "follows a certificate that is not on record"

    def follow(application: int) -> list[str]:
        for key, row in store.tables.certificates.items():
            store.tables.certificates[key] = replace(row, predecessor=application)
        return [fault for fault in house.faults() if missing in fault]

    assert follow(1) == []
    assert len(follow(99)) == 2
