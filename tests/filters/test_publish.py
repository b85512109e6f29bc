"""Filters published over a store: bases and deltas in turn, recorded, right for what the store holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from domain.certificates import CertificateState
from domain.errors import Code, Refusal
from domain.events import Act
from domain.revocation import CrlReason
from filters.checker import Verdict
from filters.publish import BASE_LIFE, LEASE, ClassKey, publish_filters
from tests.support.filters import BASE, DAY, DELTA, HOUR, Office
from tests.support.lists import EXPIRY, G1, make_revocation, record_revocation

REVOKED, HELD = make_revocation("revoked"), make_revocation("held", CrlReason.CERTIFICATE_HOLD)
LATER = make_revocation("later")
EXPIRED = make_revocation("expired", not_after=EXPIRY - timedelta(days=1800))


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    record_revocation(office.store.begin, REVOKED, HELD)
    return office


def test_a_base_first_and_then_deltas(office: Office) -> None:
    assert office.publish() == [BASE]
    assert (office.verdict("revoked"), office.verdict("held")) == (Verdict.REVOKED, Verdict.REVOKED)
    record_revocation(office.store.begin, LATER)
    assert office.publish() == [DELTA]
    assert office.verdict("later") is Verdict.REVOKED
    assert office.verdict("revoked") is Verdict.REVOKED


def test_after_a_week_and_on_demand_there_is_a_new_base(office: Office) -> None:
    office.publish()
    assert office.publish(fresh=True) == [BASE]
    office.clock.forward(BASE_LIFE)
    assert office.publish() == [BASE]


def test_a_damaged_base_is_made_anew(office: Office) -> None:
    office.publish()
    (office.folder / BASE).write_bytes((office.folder / BASE).read_bytes()[:-1])
    assert office.publish() == [BASE]


def test_every_file_is_on_the_trail(office: Office) -> None:
    office.publish()
    with office.store.begin(write=False) as work:
        bodies = [row.body for row in work.audit.rows()]
    (told,) = [body for body in bodies if f'"{Act.FILTER_MADE.value}"' in body]
    assert BASE in told


def test_a_clock_that_went_back_makes_no_filter(office: Office) -> None:
    office.publish()
    before = office.octets(BASE)
    with pytest.raises(Refusal) as caught:
        publish_filters(replace(office.office, clock=lambda: datetime.fromisoformat("2026-01-01T00:00:00Z")), "court")
    assert caught.value.code is Code.CLOCK_BEHIND
    assert office.octets(BASE) == before


def test_two_filters_of_one_second_would_share_a_number(office: Office) -> None:
    now = office.clock.now
    publish_filters(replace(office.office, clock=lambda: now), "court")
    before = office.octets(BASE)
    with pytest.raises(Refusal, match="wait for the next") as caught:
        publish_filters(replace(office.office, clock=lambda: now), "court")
    assert caught.value.code is Code.BUSY
    assert office.octets(BASE) == before


def test_an_issuer_that_has_expired_gets_none(office: Office) -> None:
    office.clock.forward(timedelta(days=9999))
    assert office.publish() == []


def test_reserved_certificates_are_in_the_census(office: Office) -> None:
    (row,) = [row for row in office.store.tables.certificates.values() if row.serial == HELD.serial]
    office.store.tables.certificates[row.issuer, row.serial] = replace(row, state=CertificateState.RESERVED)
    office.publish()
    assert office.verdict("held") is Verdict.REVOKED


def test_what_is_due_is_made_at_half_of_its_life_and_no_sooner(office: Office) -> None:
    assert office.publish(due=True) == [BASE]
    office.clock.forward(DAY - 2 * HOUR)
    assert office.publish(due=True) == []
    assert office.publish(due=True) == [DELTA]
    assert office.publish(due=True) == []


def test_a_new_key_begins_with_a_new_base_and_the_old_delta_belongs_to_nothing(office: Office) -> None:
    office.publish()
    office.publish()
    office.key = ClassKey("court.2", bytes(32))
    assert office.publish(due=True) == [BASE]
    base, delta = office.office.shelf.pair("court", G1)
    assert base is not None
    assert (base.label.verifiers, delta) == ("court.2", None)


def test_one_process_makes_filters_at_a_time(office: Office) -> None:
    with office.store.begin() as work:
        assert work.lists.lease(LEASE, "another", office.clock(), office.clock() + DAY)
        work.commit()
    with pytest.raises(Refusal) as caught:
        office.publish()
    assert caught.value.code is Code.BUSY
    assert office.octets(BASE) is None


def test_who_slept_while_another_made_filters_puts_nothing_over_them(office: Office) -> None:
    """The lease ran out while a filter was being made, and another process has had it since."""

    def sleep(count: int) -> bytes:
        office.clock.forward(2 * HOUR)
        with office.store.begin() as work:
            work.lists.lease(LEASE, "another", office.clock(), office.clock() + HOUR)
            work.lists.release(LEASE, "another")
            work.commit()
        return Random(count).randbytes(count)

    office.clock.forward(HOUR)
    with pytest.raises(Refusal) as caught:
        publish_filters(replace(office.office, random=sleep), "court")
    assert caught.value.code is Code.BUSY
    assert office.octets(BASE) is None


def test_a_copy_that_was_replaced_is_not_read(office: Office) -> None:
    office.publish()
    shelf = office.office.shelf
    copy = shelf.find("court", G1, delta=False)
    assert copy is not None
    assert shelf.read(copy) == office.octets(BASE)
    office.publish(fresh=True)
    assert shelf.read(copy) is None
    (office.folder / BASE).unlink()
    assert shelf.read(copy) is None
    assert shelf.pair("court", G1) == (None, None)


def test_killed_before_the_file_is_there_the_next_run_makes_another(office: Office) -> None:
    def die(_name: str, _octets: bytes) -> None:
        raise KeyboardInterrupt

    office.clock.forward(HOUR)
    with pytest.raises(KeyboardInterrupt):
        publish_filters(replace(office.office, write=die), "court")
    assert office.octets(BASE) is None
    assert office.publish(due=True) == [BASE]
    assert office.verdict("revoked") is Verdict.REVOKED
