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
from filters.checker import FilterChecker, Verdict
from filters.container import read_filter
from filters.publish import BASE_LIFE, FilterOffice, file_name, publish_filters
from keys.algorithms import verify
from tests.support.authority import TurnedClock
from tests.support.lists import EXPIRY, G1, ISSUERS, SIGNERS, make_revocation, record_revocation
from tests.support.memory import MemoryStore

KEY = bytes(range(32))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BASE, DELTA = file_name("courts", G1, delta=False), file_name("courts", G1, delta=True)
REVOKED, HELD = make_revocation("revoked"), make_revocation("held", CrlReason.CERTIFICATE_HOLD)
LATER = make_revocation("later")
EXPIRED = make_revocation("expired", not_after=EXPIRY - timedelta(days=1800))


class Office:
    def __init__(self) -> None:
        self.store, self.clock, self.files = MemoryStore(), TurnedClock(), dict[str, bytes]()
        self.office = FilterOffice(
            issuers={G1: ISSUERS[G1]},
            signers=SIGNERS,
            key_of=lambda _: KEY,
            begin=self.store.begin,
            clock=self.clock,
            random=Random(1).randbytes,
            read=self.files.get,
            write=self.files.__setitem__,
            lifetime=2 * DAY,
        )

    def publish(self, *, fresh: bool = False) -> list[str]:
        self.clock.forward(HOUR)
        return publish_filters(self.office, "courts", fresh=fresh)

    def verdict(self, name: str) -> Verdict:
        base, delta = read_filter(self.files[BASE]), self.files.get(DELTA)
        newer = read_filter(delta) if delta else None
        if newer and newer.label.base != base.label.number:
            newer = None
        checker = FilterChecker(KEY, base, newer, lambda *parts: verify(ISSUERS[G1].spki, *parts))
        row = next(row for row in self.store.tables.certificates.values() if row.serial == make_revocation(name).serial)
        return checker.check(row.serial, row.validity.not_before, self.clock())


@pytest.fixture
def office() -> Office:
    office = Office()
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
    office.files[BASE] = office.files[BASE][:-1]
    assert office.publish() == [BASE]


def test_every_file_is_on_the_trail(office: Office) -> None:
    office.publish()
    with office.store.begin(write=False) as work:
        bodies = [row.body for row in work.audit.rows()]
    (told,) = [body for body in bodies if f'"{Act.FILTER_MADE.value}"' in body]
    assert BASE in told


def test_a_clock_that_went_back_makes_no_filter(office: Office) -> None:
    office.publish()
    before = dict(office.files)
    with pytest.raises(Refusal) as caught:
        publish_filters(replace(office.office, clock=lambda: datetime.fromisoformat("2026-01-01T00:00:00Z")), "courts")
    assert caught.value.code is Code.CLOCK_BEHIND
    assert office.files == before


def test_an_issuer_that_has_expired_gets_none(office: Office) -> None:
    office.clock.forward(timedelta(days=9999))
    assert office.publish() == []


def test_reserved_certificates_are_in_the_census(office: Office) -> None:
    (row,) = [row for row in office.store.tables.certificates.values() if row.serial == HELD.serial]
    office.store.tables.certificates[row.issuer, row.serial] = replace(row, state=CertificateState.RESERVED)
    office.publish()
    assert office.verdict("held") is Verdict.REVOKED


def test_the_folder_is_the_class(tmp_path: Path) -> None:
    assert (tmp_path / BASE).parent.name == "courts"
