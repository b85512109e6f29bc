"""Every fate that a certificate can meet, lived through by residents of the sample register: fates by issuer."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from ca.authority import Authority
from ca.draft import draft_certificates, read_keys
from ca.entitlement import Basis
from ca.issue import issue
from ca.revoke import revoke_resident
from ca.signature import sign_certificate
from config.assemble import Services
from domain import der
from domain.applications import Card, IssuanceApplication
from domain.certificates import IssuerId, Kind
from domain.parties import LOCAL_OPERATOR
from domain.people import ResidentCode
from domain.revocation import RevocationCause
from domain.signing import assemble
from policies.validity import day_in_japan, end_of_day
from residents.load import load_residents
from residents.rows import Format
from tests.support.authority import KIYOSE, TurnedClock, make_application, make_revocation
from tests.support.lists import tbs_of
from tests.support.notices import applied, notice
from tests.support.profiles import make_profile
from tests.support.requests import holder_key, make_pair
from tests.support.serving import ROOT
from tests.support.signers import PrivateKey

DAY = timedelta(days=1)
KEYS = {"g1": "rsa", "g2": "ec"}
"""What is certified in each generation."""
ISSUERS = tuple(IssuerId(f"{kind.value}-{label}") for label in KEYS for kind in Kind)

Certificates = dict[tuple[IssuerId, str], bytes]
"""Certificates (DER) by issuer and fate."""

_SAMPLE = ROOT / "config" / "data" / "sample_residents.csv"
_BORN_BEFORE = "2010"
_HOLDERS = {"good": 0, "card-lost": 1, "holder-moved": 2, "stopped": 3, "expired": 4, "general": 5, "unrecorded": 0}
"""The keys on file that are certified for each fate."""


def holder_key_of(issuer: IssuerId, fate: str) -> PrivateKey:
    """The private key that a certificate is about."""
    kind, _, label = issuer.partition("-")
    whose = _HOLDERS.get(fate, _HOLDERS["expired" if fate == "altered" else "good"])
    return holder_key(KEYS[label], 2 * whose + (kind == Kind.AUTHENTICATION.value))


class Town:
    """Residents who meet the fates while the clock is turned from two months ago until now.

    good: nothing happened. card-lost, stopped: both certificates revoked or held since yesterday. holder-moved: only
    the signing one revoked. expired: with the card, a month ago. general: a signing certificate whose policies are not
    critical. unrecorded: signed by the issuer's key behind the authority's back.
    """

    def __init__(self, services: Services, clock: TurnedClock, now: datetime) -> None:
        self.services, self.clock, self.now = services, clock, now
        self.authority = services.authority
        self.certificates: Certificates = {}
        with _SAMPLE.open("rb") as octets:
            assert not load_residents(services.intake, LOCAL_OPERATOR, octets, Format.CSV).faults
        adults = _adults()
        self._residents = {(fate, label): next(adults) for fate in _HOLDERS for label in KEYS}

    def settle(self) -> None:
        """Two months ago, and ten days ago, certificates are issued."""
        self._turn_to(60)
        self._issue("expired", card_until=day_in_japan(self.now - 30 * DAY))
        self._turn_to(10)
        for fate in ("good", "card-lost", "holder-moved", "stopped"):
            self._issue(fate)
        self._issue_general()

    def suffer(self) -> None:
        """Yesterday, things happen."""
        self._turn_to(1)
        self._revoke("card-lost", RevocationCause.CARD_LOST)
        self._revoke("stopped", RevocationCause.TEMPORARY_STOP)
        self._move("holder-moved")
        self._sign_unrecorded("unrecorded")

    def _turn_to(self, days_ago: int) -> None:
        self.clock.now = self.now - days_ago * DAY

    def _issue(self, fate: str, card_until: date | None = None) -> None:
        for label in KEYS:
            self._keep(fate, label, issue(self.authority, self._application(fate, label, card_until)).certificates)

    def _issue_general(self) -> None:
        first, *others = self.authority.generations
        profile = make_profile("signature-rsa2048-general")
        authority = replace(self.authority, generations=(replace(first, profile=profile), *others))
        certificates = issue(authority, self._application("general", "g1")).certificates
        self._keep("general", "g1", {Kind.SIGNATURE: certificates[Kind.SIGNATURE]})

    def _revoke(self, fate: str, cause: RevocationCause) -> None:
        for label in KEYS:
            code = self._residents[fate, label]
            request = make_revocation(key=f"{fate} {label}", resident_code=code, cause=cause)
            assert revoke_resident(self.authority, request).revoked == tuple(Kind)

    def _move(self, fate: str) -> None:
        for number, label in enumerate(KEYS, start=1):
            application = self._application(fate, label)
            moved = notice(
                notice_id=label,
                sequence=number,
                code=application.resident_code,
                effective_on=day_in_japan(self.clock.now),
                items=replace(application.attributes, address="東京都清瀬市月見坂９－９－９"),
            )
            assert applied(self.services.intake, moved).revoked == (Kind.SIGNATURE,)

    def _sign_unrecorded(self, fate: str) -> None:
        for label in KEYS:
            application = self._application(fate, label)
            keys = read_keys(self.authority, application.requests)
            drafts = draft_certificates(self.authority, application, keys, Basis(), self.clock.now)
            signed = {
                kind: sign_certificate(draft.linted, draft.generation.signer, draft.generation.issuer)
                for kind, draft in drafts.items()
            }
            self._keep(fate, label, signed)

    def _application(self, fate: str, label: str, card_until: date | None = None) -> IssuanceApplication:
        code = self._residents[fate, label]
        with self.services.begin(write=False) as work:
            resident = work.residents.find(*self.services.sealer.indexes(code))
        assert resident
        return make_application(
            key=f"{fate} {label}",
            resident_code=code,
            attributes=resident.attributes,
            card=Card(fate, card_until or day_in_japan(self.now + 900 * DAY)),
            requests=make_pair(KEYS[label], _HOLDERS[fate]),
        )

    def _keep(self, fate: str, label: str, certificates: Mapping[Kind, bytes]) -> None:
        for kind, certificate in certificates.items():
            self.certificates[IssuerId(f"{kind.value}-{label}"), fate] = certificate


def forgeries(certificates: Certificates, namesake: Authority, now: datetime) -> Certificates:
    """What was never signed so by its issuer. forged: the good certificate, signed by an authority of the same name.
    altered: the expired certificate with its end moved into the future, under the old signature."""
    found: Certificates = {}
    for generation in namesake.generations:
        issuer, signer = generation.issuer.id, generation.signer
        good, expired = certificates[issuer, "good"], certificates[issuer, "expired"]
        tbs = tbs_of(good)
        found[issuer, "forged"] = assemble(tbs, signer.algorithm, signer.sign(tbs))
        end = der.time(end_of_day(day_in_japan(now - 30 * DAY)))
        assert expired.count(end) == 1
        found[issuer, "altered"] = expired.replace(end, der.time(end_of_day(day_in_japan(now + 900 * DAY))))
    return found


def _adults() -> Iterator[ResidentCode]:
    """Those of Kiyose who may have signing certificates."""
    with _SAMPLE.open(newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            if row["municipality_code"] == KIYOSE.code.value and row["birth_date"] < _BORN_BEFORE:
                yield ResidentCode(row["resident_code"])
