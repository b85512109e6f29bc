"""The counters of a made-up town: what its people want is asked of a real authority, and the answers are checked."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from ca.deliver import report_delivery
from ca.issue import issue_all
from ca.proof import proof_content
from ca.revoke import RevocationRequest, revoke_resident
from config.assemble import Services
from domain.applications import Card, DeliveryReport, HandOver, IssuanceApplication
from domain.certificates import Carrier, Issuer, Kind
from domain.errors import Refusal
from domain.events import EventType, ResidentEvent
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.people import MunicipalityCode
from domain.revocation import RevocationCause
from policies.validity import day_in_japan
from residents.intake import apply_all
from residents.load import load_residents
from residents.queue import Taken
from residents.receipts import NoticeReceipt
from residents.rows import Format
from town.people import Paper, Person
from town.requests import RequestMill

REGISTER = Party(0, Role.REGISTER, "juki")


class LifeFault(Exception):
    """The authority answered otherwise than the life of the town lets expect: a bug on one side."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants certificates of these kinds on a carrier."""

    person: Person
    kinds: frozenset[Kind]
    carrier: Carrier = Carrier.CARD


@dataclass(frozen=True, slots=True)
class Change:
    """A change of somebody's record, which is as it shall be already."""

    person: Person
    type: EventType


_CARRY_NOTHING = {EventType.MOVE_OUT, EventType.MOVE_ABROAD, EventType.MOVE_ABROAD_CONTINUED, EventType.DEATH}
_END_ALL = {EventType.MOVE_ABROAD, EventType.DEATH}


class Office:
    """`services` may be replaced when the authority's settings change. `counts` grow as things are done."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.counts: Counter[str] = Counter()
        self._mill = RequestMill()
        self._notices = self._acts = 0
        self._cities: dict[MunicipalityCode, Party] = {}

    def close(self) -> None:
        self._mill.close()

    @property
    def now(self) -> datetime:
        return self.services.clock()

    def load(self, people: Iterable[Person]) -> None:
        """Have records of new residents stored."""
        rows = [
            json.dumps(
                {
                    "resident_code": person.code.digits,
                    "municipality_code": person.place.value,
                    "name": person.items.name,
                    "address": person.address,
                    "birth_date": person.born.text,
                    "sex": person.sex.value,
                },
                ensure_ascii=False,
            )
            for person in people
        ]
        if rows:
            file = io.BytesIO("".join(f"{row}\n" for row in rows).encode())
            report = load_residents(self.services.intake, REGISTER, file, Format.JSON_LINES)
            if report.new != len(rows):
                raise LifeFault(f"of {len(rows)} new records {report.new} were new: {report.faults[:3]}")

    def notify(self, changes: Sequence[Change]) -> None:
        """The register tells of changes, of at most one for each person."""
        now = self.now
        notices = [(n, self._notice(change)) for n, change in enumerate(changes)]
        for (_, _, taken), change in zip(apply_all(self.services.intake, notices, REGISTER), changes, strict=True):
            if not isinstance(taken, Taken) or not isinstance(taken.answer, NoticeReceipt):
                raise LifeFault(f"a notice of {change.type.value} was not applied: {taken}")
            ended = self._end(change.person, now, _hit_by(change.type))
            if set(taken.answer.revoked) != {paper.kind for paper in ended}:
                raise LifeFault(f"a notice of {change.type.value} revoked {taken.answer.revoked}, not {ended}")
            self.counts["notices"] += 1

    def _notice(self, change: Change) -> ResidentEvent:
        self._notices += 1
        person = change.person
        return ResidentEvent(
            REGISTER.label,
            f"juki-{self._notices}",
            self._notices,
            person.code,
            change.type,
            day_in_japan(self.now),
            person.place,
            None if change.type in _CARRY_NOTHING else person.items,
        )

    def issue(self, wishes: Sequence[Wish]) -> None:
        """Apply for what people want, and hand it out. What replaces others becomes live once that is reported."""
        now = self.now
        applications = [self._application(wish) for wish in wishes]
        issued = issue_all(self.services.authority, applications)
        for wish, application, pair in zip(wishes, applications, issued, strict=True):
            if isinstance(pair, Refusal):
                raise LifeFault(f"an application was refused: {pair}")
            superseded = self._hand_out(application) if pair.pending else set()
            person = wish.person
            # What was applied for with a card goes with it.
            replaced = person.live(now) if pair.pending else []
            if superseded != {paper.kind for paper in replaced}:
                raise LifeFault(f"a renewal superseded {superseded}, not {replaced}")
            for paper in replaced:
                paper.word = "revoked"
                self.counts[f"{paper.kind.value} revoked"] += 1
            for kind, octets in pair.certificates.items():
                ends = x509.load_der_x509_certificate(octets).not_valid_after_utc
                person.keep(Paper(kind, wish.carrier, ends, octets if person.witness else None), now)
            kinds = "pairs" if len(wish.kinds) == 2 else f"{next(iter(wish.kinds)).value} alone"
            self.counts[kinds] += 1
            self.counts["renewals"] += pair.pending

    def _hand_out(self, application: IssuanceApplication) -> set[Kind]:
        """Report certificates as handed over that waited for it; the kinds that they superseded."""
        caller = application.caller
        report = DeliveryReport(caller, caller.label, application.key, HandOver.DELIVERED)
        return set(report_delivery(self.services.authority, report).revoked)

    def _application(self, wish: Wish) -> IssuanceApplication:
        person = wish.person
        if person.card_ends is None:
            raise LifeFault("certificates are wanted without a card")
        made = {kind: next(self._mill) for kind in Kind if kind in wish.kinds}
        application = IssuanceApplication(
            caller=self.city(person.place),
            key=self._key(),
            municipality=person.place,
            resident_code=person.code,
            attributes=person.items,
            card=Card(f"{person.number}-{person.card}", person.card_ends),
            requests={kind: octets for kind, (_, octets) in made.items()},
            carrier=wish.carrier,
        )
        if wish.carrier is Carrier.MOBILE_DEVICE:
            return replace(application, proof=self._mill.sign(person.card_key, proof_content(application)))
        if Kind.SIGNATURE in made:
            person.card_key = made[Kind.SIGNATURE][0]
        return application

    def revoke(self, person: Person, cause: RevocationCause, carrier: Carrier | None = None) -> None:
        """Revoke or hold what somebody has, on one carrier or on all. The call centre takes stops, day and night."""
        held = cause is RevocationCause.TEMPORARY_STOP
        caller = LOCAL_OPERATOR if held else self.city(person.place)
        carriers = None if carrier is None else frozenset({carrier})
        request = RevocationRequest(caller, self._key(), person.code, cause, None, carriers)
        receipt = revoke_resident(self.services.authority, request)
        ended = self._end(person, self.now, frozenset(Kind), carrier, held=held)
        if set(receipt.revoked) != {paper.kind for paper in ended}:
            raise LifeFault(f"{cause.value} revoked {receipt.revoked}, not {ended}")
        self.counts["holds" if held else cause.value] += 1

    def _end(
        self,
        person: Person,
        now: datetime,
        kinds: frozenset[Kind],
        carrier: Carrier | None = None,
        *,
        held: bool = False,
    ) -> list[Paper]:
        hit = [paper for paper in person.live(now, carrier) if paper.kind in kinds and not (held and paper.held)]
        for paper in hit:
            paper.word, paper.held = "revoked", held
            if not held:
                self.counts[f"{paper.kind.value} revoked"] += 1
        return hit

    def ask(self, person: Person) -> None:
        """Ask OCSP for everything a witness ever had, of issuers that have not ended: those have no more to say."""
        for paper in person.papers:
            if paper.octets is None:
                continue
            certificate = x509.load_der_x509_certificate(paper.octets)
            issuer = self._issuer(certificate, paper.kind)
            if issuer.validity.ended(self.now):
                continue
            said, word = self._status(certificate, issuer), paper.word
            if word == "good" and paper.ends < self.now:
                word = "unknown"  # nobody is told good of what has ended
            if said != word:
                raise LifeFault(f"OCSP says {said} of a certificate for {paper.kind.value} that is {word}")
            self.counts["answers"] += 1

    def _issuer(self, certificate: x509.Certificate, kind: Kind) -> Issuer:
        """The generation that issued it: they share a name, and the authority key identifier tells them apart."""
        named = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        for issuer in self.services.issuers.values():
            if issuer.kind is kind and issuer.key_identifier == named:
                return issuer
        raise LifeFault(f"a certificate for {kind.value} is of no issuer")

    def _status(self, certificate: x509.Certificate, issuer: Issuer) -> str:
        authority = x509.load_der_x509_certificate(issuer.certificate)
        builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, authority, hashes.SHA256())
        request = builder.build().public_bytes(Encoding.DER)
        answer = ocsp.load_der_ocsp_response(self.services.answer(request, None).der)
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return answer.response_status.name.lower()
        return answer.certificate_status.name.lower()

    def city(self, place: MunicipalityCode) -> Party:
        return self._cities.setdefault(place, Party(0, Role.MUNICIPALITY, place.value, place))

    def _key(self) -> str:
        self._acts += 1
        return f"town-{self._acts}"


def _hit_by(event: EventType) -> frozenset[Kind]:
    """What an event of the register does to certificates, as the town expects it."""
    if event in _END_ALL:
        return frozenset(Kind)
    return frozenset() if event is EventType.MINOR_CORRECTION else frozenset({Kind.SIGNATURE})
