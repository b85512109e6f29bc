"""Tracers are like everybody: in every answer, list and filter, in every table; and in no figure of holders."""

from __future__ import annotations

import base64
import hashlib
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from domain.certificates import IssuerId, Kind
from domain.lists import Scope
from domain.serial import SerialNumber
from filters.checker import FilterChecker, Verdict
from filters.container import read_filter
from filters.make import make_filter
from filters.publish import take_census
from keys.algorithms import verify
from ocsp.responder import answer
from oversight.lag import CROWD, Grouping, LagRow, report_lags
from store.inventory import every_value
from tests.support.authority import KIYOSE, KIYOSE_CITY
from tests.support.house import HOUR, MINUTE, House
from tests.support.lists import make_revocation, record_revocation
from tests.support.memory import MemoryStore
from tests.support.responder import make_cert_id, make_ocsp_request, make_responder
from tests.support.stores import sqlite_store
from tests.support.tracers import make_register, planted
from tests.support.verifiers import add_verifier
from tracers.register import acts_on_tracers, serials_of

ISSUERS = {Kind.SIGNATURE: IssuerId("signature-g2"), Kind.AUTHENTICATION: IssuerId("authentication-g2")}
REAL, MADE = 3, 12
KEY = bytes(32)


class Town:
    """A house whose municipality is on the register, with pairs of residents and of tracers."""

    def __init__(self, house: House) -> None:
        self.house = house
        with house.begin() as work:
            assert work.parties.add(replace(KIYOSE_CITY, id=0), house.clock.now).label == KIYOSE_CITY.label
            work.commit()
        bank = add_verifier(house.begin, "bank")
        self.real = [house.issue(number, requests=house.requests("ec")).certificates for number in (1, 2, 3)]
        self.made = [pair.certificates for pair in planted(house.authority, bank, MADE)]

    def serials(self, kind: Kind) -> list[SerialNumber]:
        """Of residents and of tracers."""
        pairs = (*self.real, *self.made)
        return [SerialNumber(x509.load_der_x509_certificate(pair[kind]).serial_number) for pair in pairs]

    def revoke_all(self) -> None:
        """Everybody in one second, as mass events do."""
        now = self.house.clock.now
        with self.house.begin() as work:
            for kind, issuer in ISSUERS.items():
                for serial in self.serials(kind):
                    one = make_revocation(serial, revoked_at=now, scope=Scope(issuer, KIYOSE.code))
                    work.revocations.put(one, "receipt", now)
            work.commit()


@pytest.fixture
def town(tmp_path: Path) -> Town:
    memory = MemoryStore()
    return Town(House(memory.begin, memory, tmp_path / "crl", lambda *_: True))


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("revoked", [False, True], ids=["good", "revoked"])
def test_answers_about_them_differ_in_the_serial_alone(town: Town, kind: Kind, revoked: bool) -> None:
    if revoked:
        town.revoke_all()
    generations = {generation.issuer.id: generation.issuer for generation in town.house.authority.generations}
    responder = make_responder(lookup=town.house.status, clock=town.house.clock)
    said = Counter[tuple[bytes, str]]()
    for serial in town.serials(kind):
        request = make_ocsp_request(make_cert_id(serial, generations[ISSUERS[kind]]))
        found = ocsp.load_der_ocsp_response(answer(responder, request, None).der)
        said[found.tbs_response_bytes.replace(serial.octets, bytes(16)), found.certificate_status.name] += 1
    ((_, word),) = said
    assert (word, said.total()) == ("REVOKED" if revoked else "GOOD", REAL + MADE)


def test_entries_of_lists_differ_in_the_serial_alone(town: Town) -> None:
    town.revoke_all()
    town.house.publish()
    for kind, issuer in ISSUERS.items():
        octets = (town.house.directory / issuer / "13221.crl").read_bytes()
        entries = Counter[bytes]()
        for serial in town.serials(kind):
            place = octets.index(b"\x02\x10" + serial.octets) - 2  # of the SEQUENCE that begins with it
            entry = octets[place : place + 2 + octets[place + 1]]
            entries[entry.replace(serial.octets, bytes(16))] += 1
        assert [*entries.values()] == [REAL + MADE]


@pytest.mark.parametrize("revoked", [False, True], ids=["good", "revoked"])
def test_filters_tell_of_them_as_of_everybody(town: Town, revoked: bool) -> None:
    if revoked:
        town.revoke_all()
    now = town.house.clock.now + 2 * HOUR
    for generation in town.house.authority.generations:
        issuer = generation.issuer
        if issuer.id not in ISSUERS.values():
            continue
        with town.house.begin(write=False) as work:
            census = take_census(work, issuer.id, now)
        octets = make_filter(
            census,
            issuer=issuer,
            signer=generation.signer,
            verifiers="court",
            key=KEY,
            number=1,
            base=None,
            now=now,
            lifetime=HOUR,
            random=random.Random(1).randbytes,
        )
        spki = issuer.spki
        checker = FilterChecker(KEY, read_filter(octets), None, lambda *parts, spki=spki: verify(spki, *parts))
        said = {checker.check(serial, town.house.clock.now, now) for serial in town.serials(issuer.kind)}
        assert said == {Verdict.REVOKED if revoked else Verdict.GOOD}


def test_nothing_in_the_database_leads_from_a_tracer_s_name_to_its_certificates(tmp_path: Path) -> None:
    """Who reads every table, and has no key: applications have the same caller, rows of the trail the same form, and
    nothing outside the register is made of what stands there in the open."""
    with sqlite_store(tmp_path) as store:
        house = House(store.begin, store.status, tmp_path / "crl", lambda *_: True)
        with house.begin() as work:
            work.parties.add(replace(KIYOSE_CITY, id=0), house.clock.now)
            work.commit()
        bank = add_verifier(house.begin, "bank")
        house.issue(1, requests=house.requests("ec"))
        planted(house.authority, bank, 2)
        with house.begin(write=False) as work:
            serials = serials_of(work, make_register(house.authority))
            applications = {row.application_id: row.serial.octets in serials for row in work.certificates.all()}
            callers = {work.applications.get(id_).caller for id_ in applications}
            names = [str(row.name) for row in work.tracers.all()]
        assert sorted(applications.values()) == [False, True, True]
        assert callers == {KIYOSE_CITY.label}
        values = list(every_value(f"sqlite:///{tmp_path / 'jpki.db'}"))
    needles = [form for name in names for form in forms_of(name)]
    assert len(needles) == 2 * 10
    for table, column, value in values:
        octets = value if isinstance(value, bytes) else str(value).encode()
        if table not in ("tracers", "proposals"):
            assert [needle for needle in needles if needle in octets.lower()] == [], (table, column)
    assert not any(b"tracer-planted" in bytes(value) for _, _, value in values if isinstance(value, bytes))


def forms_of(name: str) -> list[bytes]:
    """The name, its parts, and digests of it, as somebody would look for them."""
    digest = hashlib.sha256(name.encode()).digest()
    md5 = hashlib.md5(name.encode(), usedforsecurity=False).digest()
    forms = [name.encode(), digest.lower(), md5.lower(), digest.hex().encode(), md5.hex().encode()]
    forms += [base64.b32encode(octets).rstrip(b"=").lower() for octets in (digest, digest[:16], md5)]
    return [*forms, base64.b64encode(digest).lower(), digest.hex().encode()[:16]]


def rows(town: Town, by: Grouping = Grouping.NOTHING) -> list[LagRow]:
    with town.house.begin(write=False) as work:
        acts = acts_on_tracers(work, make_register(town.house.authority))
    return report_lags(town.house.begin, town.house.clock.now - HOUR, town.house.clock.now + MINUTE, by, acts)


def test_figures_of_lags_leave_them_out_where_nobody_can_tell_them_by_the_gap(town: Town) -> None:
    """In a group of few certificates the gap between figures and public lists would point at them."""
    town.revoke_all()
    now = town.house.clock.now
    (small,) = rows(town)
    assert small.certificates == 2 * (REAL + MADE) < CROWD
    scope = Scope(ISSUERS[Kind.SIGNATURE], KIYOSE.code)
    crowd = (make_revocation(f"one of {CROWD}: {number}", revoked_at=now, scope=scope) for number in range(CROWD))
    record_revocation(town.house.begin, *crowd)
    (large,) = rows(town)
    assert large.certificates == 2 * REAL + CROWD
    assert {spread.count for spread in large.spreads.values()} == {large.certificates}
    assert [row.certificates for row in rows(town, Grouping.MUNICIPALITY)] == [large.certificates]
