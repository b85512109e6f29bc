"""Bad days of the real service, lived again by a turned clock: nothing is lost, nothing happens twice, all are served
alike. `docs/town.md` tells the figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

import pytest

from ca.authority import Authority
from ca.batch_work import Worker, work_off
from ca.batches import Batching, results_of, take_batch
from ca.deliver import report_delivery
from ca.issue import issue
from ca.revoke import RevocationRequest, revoke_resident
from domain.applications import Card, DeliveryReport, HandOver, IssuanceApplication
from domain.batches import ItemState
from domain.birth import BirthDate
from domain.certificates import CertificateRecord, CertificateState, Kind
from domain.errors import Code, Refusal
from domain.events import NoticeState
from domain.parties import Party, Role
from domain.people import MunicipalityCode
from domain.revocation import CrlReason, RevocationCause
from policies.batches import BatchPolicy
from policies.queues import fairness
from policies.validity import day_in_japan
from residents.intake import apply_event
from residents.receipts import HeldNotice
from tests.lives.office import quick_rsa_key
from tests.support.acts import make_requests
from tests.support.applications import as_line
from tests.support.authority import TurnedClock, add_resident, make_application, make_authority, make_generation
from tests.support.documents import read
from tests.support.notices import REGISTER, make_intake, notice
from tests.support.requests import make_request
from tests.support.residents import attributes, resident_code
from tests.support.signers import WrappedSigner, authority_signer
from tests.support.stores import Store, sqlite_store
from web.batches import read_line

AREAS = ("13221", "13222", "13213", "11230", "13219")
HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with sqlite_store(tmp_path) as made:
        yield made


class Nation:
    """Five municipalities, each with residents of its own, one authority and a worker on batches."""

    def __init__(self, store: Store, each: int, born: BirthDate) -> None:
        self.store, self.clock, self.born = store, TurnedClock(), born
        self.authority = make_authority(begin=store.begin, clock=self.clock)
        self.cities: list[Party] = []
        self.residents: dict[Party, list[int]] = {}
        for place, area in enumerate(AREAS):
            code = MunicipalityCode.of_area(area)
            with store.begin() as work:
                city = work.parties.add(Party(0, Role.MUNICIPALITY, area, code), self.clock())
                work.commit()
            self.cities.append(city)
            self.residents[city] = [1000 * (place + 1) + n for n in range(each)]
            home = self.authority.municipalities[code]
            for number in self.residents[city]:
                add_resident(self.authority, resident_code(number), attributes(birth_date=born), home)

    def worker(self, authority: Authority | None = None, chunk: int = 20) -> Worker:
        return Worker(Batching(authority or self.authority, BatchPolicy(chunk=chunk), read_line), 0, "first", chunks=1)

    def application(self, city: Party, number: int, label: str, **changes: object) -> IssuanceApplication:
        assert city.municipality is not None
        made = make_application(
            caller=city,
            key=f"{label}-{number}",
            municipality=city.municipality,
            resident_code=resident_code(number),
            attributes=attributes(birth_date=self.born),
            requests={},
        )
        return replace(made, **{"requests": make_requests(f"{label} {number}", *Kind), **changes})  # type: ignore[arg-type]

    def rows(self) -> list[CertificateRecord]:
        with self.store.begin(write=False) as work:
            return list(work.certificates.all())

    def words(self) -> Counter[str]:
        return Counter(self.store.status.status_of(row.issuer, row.serial).word for row in self.rows())


def rsa_requests() -> Callable[[], dict[Kind, bytes]]:
    numbers = iter(range(276))
    return lambda: {kind: make_request(key=quick_rsa_key(next(numbers))) for kind in Kind}


def figures_told(day: str) -> str:
    """The row of a day in the document."""
    (row,) = (line for line in read("docs/town.md").splitlines() if line.startswith(f"| {day}"))
    return row


def test_2019_11_11_the_first_renewals_fail_for_two_days(store: Store) -> None:
    """Everybody has the same birthday, and on the first day of the window the signers are away; two days later all
    renewals go through, once each, nobody is without a certificate meanwhile, and no days of validity are lost."""
    nation, requests = Nation(store, 4, BirthDate(1988, 11, 11)), rsa_requests()
    for city, numbers in nation.residents.items():
        for number in numbers:
            old = Card("the first card", date(2029, 11, 11))
            issue(nation.authority, nation.application(city, number, "first", requests=requests(), card=old))
    nation.clock.now = datetime(2029, 8, 11, 15, tzinfo=UTC)  # 12 August in Japan
    for city, numbers in nation.residents.items():
        octets = b"".join(
            as_line(
                nation.application(city, number, "renewal", requests=requests()), idempotency_key=f"renewal-{number}"
            )
            for number in numbers
        )
        take_batch(nation.worker().batching, city, "renewals", octets)
    away = tuple(
        make_generation(kind, "g1", signer=WrappedSigner(authority_signer(kind.value, "g1"), away=True))
        for kind in Kind
    )
    rest = tuple(row for row in nation.authority.generations if row.label != "g1")
    failing = nation.worker(replace(nation.authority, generations=(*away, *rest)))
    for _ in range(48):
        nation.clock.forward(HOUR)
        with pytest.raises(Refusal) as caught:
            work_off(failing)
        assert caught.value.code is Code.SIGNER_UNAVAILABLE
    # The certificates that people have stay good; of those that are reserved nothing can be said.
    assert nation.words() == {"good": 40, "unknown": 40}
    while work_off(nation.worker()):
        pass
    for city, numbers in nation.residents.items():
        results = results_of(nation.worker().batching, city, 1 + nation.cities.index(city))
        assert {result.item.state for result in results} == {ItemState.ISSUED}
        for number in numbers:
            report = DeliveryReport(city, city.label, f"renewal-{number}", HandOver.DELIVERED)
            assert set(report_delivery(nation.authority, report).revoked) == set(Kind)
    live = [row for row in nation.rows() if row.ended_at is None]
    assert len(live) == 40
    assert set(Counter((row.resident_id, row.kind) for row in live).values()) == {1}
    assert {day_in_japan(row.validity.not_after).isoformat() for row in live} == {"2034-11-11"}
    assert nation.words() == {"good": 40, "revoked": 40}
    assert "| 20 renewals | 20 once each | 0 | 0 |" in figures_told("2019-11-11")


LOADS = (160, 80, 60, 60, 3)
"""Applications of a day: twenty times the usual 8, 4, 3 and 3, and one municipality on a usual day."""


def test_2020_05_twenty_times_as_many_applications_are_served_alike(store: Store) -> None:
    """What comes beyond the length of a queue is refused and comes again later; while several queues are long, each
    municipality is served as much as any other, and the one with a usual day waits for nobody."""
    nation = Nation(store, max(LOADS), BirthDate(1988, 11, 3))
    worker = nation.worker()
    policy = BatchPolicy(longest=50, queue=100, chunk=20)
    batching = replace(worker.batching, policy=policy)
    worker = replace(worker, batching=batching)
    files: list[tuple[Party, str, bytes]] = []
    for city, load in zip(nation.cities, LOADS, strict=True):
        for first in range(0, load, policy.longest):
            numbers = nation.residents[city][first : min(first + policy.longest, load)]
            lines = (as_line(nation.application(city, number, "surge")) for number in numbers)
            files.append((city, f"file {first}", b"".join(lines)))
    refused = rounds = 0
    served: Counter[Party] = Counter()
    indexes = []
    usual_done_in = 0
    while True:
        waiting = []
        for city, key, octets in files:
            if not taken(batching, city, key, octets):
                refused += 1
                waiting.append((city, key, octets))
        files = waiting
        before = issued_by_city(nation)
        if not work_off(worker):
            break
        rounds += 1
        nation.clock.forward(timedelta(minutes=1))
        done = issued_by_city(nation) - before
        served += done
        busy = [city for city, load in zip(nation.cities, LOADS, strict=True) if served[city] < load]
        if len(busy) > 1:
            indexes.append(fairness({city: done[city] for city in busy}))
        if served[nation.cities[-1]] == LOADS[-1] and not usual_done_in:
            usual_done_in = rounds
    assert served == dict(zip(nation.cities, LOADS, strict=True))
    rows = nation.rows()
    assert len(rows) == 2 * sum(LOADS)
    assert all(row.state is CertificateState.ISSUED for row in rows)
    assert set(Counter((row.resident_id, row.kind) for row in rows).values()) == {1}
    assert refused > 0
    assert usual_done_in == 1
    assert min(indexes) >= 0.95
    row = figures_told("2020-05")
    assert f"| {sum(LOADS)} applications | {sum(LOADS)} once each | 0 | 0 |" in row
    assert f"{min(indexes):.3f}" in row


def taken(batching: Batching, city: Party, key: str, octets: bytes) -> bool:
    """Whether there was room for a file in the queue of its municipality."""
    try:
        take_batch(batching, city, key, octets)
    except Refusal as refusal:
        if refusal.code is not Code.QUEUE_FULL:
            raise
        return False
    return True


def issued_by_city(nation: Nation) -> Counter[Party]:
    with nation.store.begin(write=False) as work:
        rows = [row for row in work.certificates.all() if row.kind is Kind.SIGNATURE]
    by_code = {city.municipality: city for city in nation.cities}
    return Counter(by_code[row.municipality] for row in rows)


def test_2022_01_26_the_link_is_cut_for_four_and_a_half_hours(store: Store) -> None:
    """Counters go on and keep what they send. Of what was on its way half never arrived, and of the rest the answer was
    lost. When the link is back everything is sent again, notices in any order, some of it twice."""
    nation = Nation(store, 12, BirthDate(1988, 11, 3))
    intake = make_intake(store.begin, nation.clock.now, nation.authority.sealer)
    intake = replace(intake, clock=nation.clock)
    chance = Random(20220126)
    moved = "東京都清瀬市霞野９"
    sequences = iter(range(1, 1000))
    kept: list[Callable[[], object]] = []
    for city, numbers in nation.residents.items():
        assert city.municipality is not None
        for number in numbers[:4]:
            issue(nation.authority, nation.application(city, number, "before"))
            request = RevocationRequest(city, f"lost-{number}", resident_code(number), RevocationCause.CARD_LOST)
            kept.append(partial(revoke_resident, nation.authority, request))
        for number in numbers[4:8]:
            application = nation.application(city, number, "during")
            kept.append(partial(issue, nation.authority, application))
        for number in numbers[8:]:
            issue(nation.authority, nation.application(city, number, "before"))
            sequence = next(sequences)
            event = notice(
                items=replace(attributes(birth_date=nation.born), address=moved),
                notice_id=f"n-{sequence}",
                sequence=sequence,
                code=resident_code(number),
                municipality=city.municipality,
            )
            kept.append(partial(apply_event, intake, event, REGISTER))
    chance.shuffle(kept)
    for act in kept[: len(kept) // 2]:
        act()  # it arrived, and its answer was lost
    nation.clock.forward(timedelta(hours=4, minutes=30))
    again = kept + chance.sample(kept, len(kept) // 3)
    chance.shuffle(again)
    answers = [act() for act in again]
    late = sum(isinstance(answer, HeldNotice) for answer in answers)
    rows = nation.rows()
    with store.begin(write=False) as work:
        revoked = list(work.revocations.all())
        states = {row.state for row in work.notices.all()}
        expected = work.notices.expected(REGISTER.label)
    assert expected == 21
    assert states == {NoticeState.APPLIED}
    assert len(rows) == 2 * 60
    assert set(Counter((row.resident_id, row.kind) for row in rows).values()) == {1}
    reasons = Counter(row.reason for row in revoked)
    assert reasons == {CrlReason.KEY_COMPROMISE: 40, CrlReason.AFFILIATION_CHANGED: 20}
    assert nation.words() == {"good": 60, "revoked": 60}
    assert late > 0
    assert f"| {len(kept)} acts | {len(kept)} once each | 0 | 0 |" in figures_told("2022-01-26")
