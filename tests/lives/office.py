"""A real authority beside the reference model: every act goes to both, and what both say is compared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from itertools import combinations, islice
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp

from ca.authority import Authority
from ca.deliver import report_delivery, withdraw_overdue
from ca.generation import certify_responder
from ca.issue import issue
from ca.recover import finish_unfinished
from ca.revoke import RevocationRequest, preview, revoke_resident
from config.municipalities import load_municipalities
from config.rules import load_causes, load_events, load_holds
from crl.files import read_current
from crl.publish import publish_due
from crl.scope import distribution_point
from domain.applications import Card, DeliveryReport, HandOver, IssuanceApplication, IssuedPair
from domain.birth import BirthDate
from domain.certificates import Carrier, CertificateState, Kind, Validity
from domain.errors import Code, Refusal
from domain.events import EventType, ResidentEvent
from domain.lists import Scope
from domain.parties import Party, Role
from domain.people import BasicAttributes, MunicipalityCode, ResidentState, Sex
from domain.ports import Begin, StatusLookup
from domain.revocation import RevocationCause
from keys.algorithms import verify
from ocsp.delegation import delegate
from ocsp.responder import ResponderKey, answer
from oversight.inspection import Inspection
from oversight.reconcile import reconcile
from policies.validity import responder_validity
from residents.intake import apply_event
from residents.parts import Intake
from residents.receipts import HeldNotice
from tests.lives.model import DELIVERED_WITHIN, Model, Name, Row
from tests.support.authority import (
    LEAF_PROFILES,
    LOCATIONS,
    NAMES,
    OPERATOR,
    SAPPORO,
    CountedChance,
    TurnedClock,
    make_authority,
    make_generation,
    responder_plan,
)
from tests.support.lists import AUTHORITY_SCOPE, ISSUERS, POLICY, make_publisher
from tests.support.people import serial_of
from tests.support.proofs import proven
from tests.support.requests import make_request
from tests.support.residents import HINO, KIYOSE, full_width, resident_code
from tests.support.responder import make_cert_id, make_ocsp_request, make_responder
from tests.support.signers import PrivateKey, WrappedSigner, authority_signer, responder_signer, stored_keys

PLACES = {str(code): code for code in (KIYOSE, HINO, SAPPORO.code)}
CITIES = {place: Party(10 + n, Role.MUNICIPALITY, place, code) for n, (place, code) in enumerate(PLACES.items())}
PARTIES = {**CITIES, "register": Party(1, Role.REGISTER, "register"), "operator": OPERATOR}

# Two in the town's middle, one born on 29 February, one who turns 15 before long, one elsewhere. Nobody exists.
PEOPLE: tuple[tuple[str, str, date], ...] = (
    (str(KIYOSE), "霧島　透子", date(1988, 11, 3)),
    (str(KIYOSE), "榎戸　千尋", date(2012, 2, 29)),
    (str(HINO), "椿　悠真", date(2013, 6, 1)),
    (str(SAPPORO.code), "遠野　志乃", date(1941, 4, 2)),
)
MINUTE = timedelta(minutes=1)
PATIENCE = 10 * MINUTE


class Breaking:
    """A `Begin` whose commits fail on demand: `lost` leaves nothing behind, `kept` is stored and yet fails."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self.faults: list[str | None] = []
        """What happens to the commits that come next; nothing to those after them."""

    def __call__(self, **how: bool) -> Any:
        return _Unit(self, self._begin(**how))


class _Unit:
    def __init__(self, store: Breaking, inner: Any) -> None:
        self._store = store
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __enter__(self) -> _Unit:
        self._inner.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._inner.__exit__(*error)

    def commit(self) -> None:
        fault = self._store.faults.pop(0) if self._store.faults else None
        if fault != "lost":
            self._inner.commit()
        if fault:
            raise Refusal(Code.STORE_UNAVAILABLE, "the store is away; try again")


@dataclass
class Sent:
    """An application as it was made, and the certificates that came for it first."""

    application: IssuanceApplication
    id: int
    answer: Mapping[Kind, bytes] | None


class Office:
    """`begin` and `status` are the store's; lists go into `directory`."""

    def __init__(self, begin: Begin, status: StatusLookup, directory: Path) -> None:
        self.clock = TurnedClock()
        self.model = Model(self.clock.now)
        self.breaking = Breaking(begin)
        self.begin: Begin = self.breaking
        self.status, self.directory = status, directory
        self.authority = make_authority(begin=self.begin, clock=self.clock)
        self.publisher = make_publisher(self.begin, directory, self.clock, point=_point)
        self.intake = Intake(
            begin=self.begin,
            clock=self.clock,
            random=CountedChance(),
            sealer=self.authority.sealer,
            municipalities=load_municipalities(),
            events=load_events(),
            causes=load_causes(),
        )
        self.sent: list[Sent] = []
        self.keys: dict[bytes, PrivateKey] = {}
        self.receipts: dict[str, tuple[RevocationRequest, Any]] = {}
        self.ids: dict[int, int] = {}
        self.counts: Counter[str] = Counter()
        self.told: dict[Name, tuple[str, int | None, datetime | None]] = {}
        self.files: dict[Scope, bytes | None] = {}
        self.serials: dict[Name, int] = {}
        self.audited = 0
        self.effects: Counter[tuple[str, int, str]] = Counter()
        for number, (place, name, born) in enumerate(PEOPLE, start=1):
            self._settle(number, place, name, born)
        with self.begin() as work:
            work.lists.register(AUTHORITY_SCOPE)
            work.commit()

    def _settle(self, number: int, place: str, name: str, born: date) -> None:
        items: Row = {"name": name, "address": address_in(place, number), "birth_date": born, "sex": "2"}
        self.model.settle(number, number, place, items)
        index, sealed = self.authority.sealer.seal(resident_code(number))
        with self.begin() as work:
            row, _ = work.residents.put(
                index, sealed, PLACES[place], basic(items), ResidentState.PRESENT, self.clock.now
            )
            work.commit()
        self.ids[row] = number

    def forward(self, by: timedelta) -> None:
        self.clock.forward(by)
        self.model.now = self.clock.now

    def next(self, what: str) -> int:
        self.counts[what] += 1
        return self.counts[what]

    # --- certificates ---

    def apply(
        self,
        code: int,
        kinds: set[str],
        *,
        place: str,
        items: Row,
        carrier: str,
        generation: str,
        card_end: date,
        fault: str | None,
    ) -> None:
        """Apply for certificates, perhaps with a fault in the middle."""
        number = self.next("application")
        application = IssuanceApplication(
            caller=CITIES[place],
            key=f"application {number}",
            municipality=PLACES[place],
            resident_code=resident_code(code),
            attributes=basic(items),
            card=Card(f"card {number}", card_end),
            requests={kind: self._request(generation) for kind in Kind if kind.value in kinds},
            carrier=Carrier(carrier),
        )
        person = self.model.by_code(code)
        if carrier != "card":
            application = proven(application, self._card_key(person))
        objections = self.model.objections_to_issue(person, place, items, kinds, carrier, generation, card_end)
        authority, ends = self._spoiled(fault, generation)
        refusal, pair = _attempt(lambda: issue(authority, application))
        self.breaking.faults.clear()
        with self.begin(write=False) as work:
            stored = work.applications.find(application.caller.label, application.key)
        if objections:
            assert refusal in objections, (refusal, objections)
            assert stored is None
            return
        assert person is not None
        assert refusal == ends["refusal"], (refusal, fault)
        assert (stored is not None) == ends["reserved"]
        if stored is None:
            return
        self.model.reserve(stored.id, person, kinds, carrier, generation, card_end)
        self.sent.append(Sent(application, stored.id, pair.certificates if pair else None))
        if ends["issued"]:
            self.model.complete(stored.id)
        if pair:
            assert pair.application_id == stored.id
            rows = [row for name, row in self.model.certificates.items() if name[0] == stored.id]
            assert pair.pending == any(row["pending"] and not row["ended"] for row in rows)
            self._judge(pair, items)

    def _spoiled(self, fault: str | None, generation: str) -> tuple[Authority, Row]:
        """The authority with that fault, and how an application that nothing stands against ends there."""
        away, unavailable = "signer-unavailable", "store-unavailable"
        ends: dict[str | None, Row] = {
            None: {"refusal": None, "reserved": True, "issued": True},
            "signer away": {"refusal": away, "reserved": True, "issued": False},
            "reservation lost": {"refusal": unavailable, "reserved": False, "issued": False},
            # What was kept is found when it is looked for, and finished at once.
            "reservation kept": {"refusal": None, "reserved": True, "issued": True},
            "completion lost": {"refusal": unavailable, "reserved": True, "issued": False},
            "completion kept": {"refusal": unavailable, "reserved": True, "issued": True},
        }
        authority = self.authority
        if fault == "signer away":
            signer = WrappedSigner(authority_signer("signature", generation), away=True)
            other = WrappedSigner(authority_signer("authentication", generation), away=True)
            made = (
                make_generation(Kind.SIGNATURE, generation, signer=signer),
                make_generation(Kind.AUTHENTICATION, generation, signer=other),
            )
            rest = [row for row in authority.generations if row.label != generation]
            authority = replace(authority, generations=(*made, *rest))
        elif fault is not None:
            what, _, how = fault.partition(" ")
            self.breaking.faults = [how] if what == "reservation" else [None, how]
        return authority, ends[fault]

    def report(self, number: int, outcome: str, fault: str | None) -> None:
        """Say what became of an earlier application at the counter."""
        sent = self.sent[number % len(self.sent)]
        caller = sent.application.caller
        report = DeliveryReport(caller, caller.label, sent.application.key, HandOver(outcome))
        objections = self.model.objections_to_report(sent.id, outcome)
        before = self.model.applications[sent.id]["reported"]
        self.breaking.faults = [fault] if fault and not before else []
        refusal, receipt = _attempt(lambda: report_delivery(self.authority, report))
        self.breaking.faults.clear()
        if objections:
            assert refusal in objections, (refusal, objections)
            return
        if before:
            assert receipt.repeated
            return
        assert refusal == ("store-unavailable" if fault else None)
        if fault == "lost":
            return
        live, revoked = self.model.report(sent.id, outcome)
        receipt = receipt or report_delivery(self.authority, report)
        assert {kind.value for kind in receipt.live} == live
        assert {kind.value for kind in receipt.revoked} == revoked

    def withdraw(self) -> None:
        """What the publisher does for certificates that nobody reported as handed over."""
        expected = self.model.withdraw()
        assert withdraw_overdue(self.authority, self.clock.now - DELIVERED_WITHIN, "publisher:test") == expected

    def repeat(self, number: int) -> None:
        """Send an earlier application again, as it was."""
        sent = self.sent[number % len(self.sent)]
        pair = issue(self.authority, sent.application)
        assert pair.repeated
        assert pair.application_id == sent.id
        assert sent.answer in (None, pair.certificates)
        sent.answer = pair.certificates
        self.model.complete(sent.id)

    def contradict(self, number: int) -> None:
        """Use an earlier application's key for another one."""
        sent = self.sent[number % len(self.sent)]
        other = replace(sent.application, card=Card("another card", sent.application.card.expires_on))
        assert _attempt(lambda: issue(self.authority, other))[0] == "idempotency-mismatch"

    def recover(self) -> None:
        """What the publisher does for applications that were interrupted."""
        unfinished = [id_ for id_, row in self.model.applications.items() if row["open"]]
        assert finish_unfinished(self.authority, self.clock.now + MINUTE) == len(unfinished)
        for id_ in unfinished:
            self.model.complete(id_)

    def _request(self, generation: str) -> bytes:
        number = self.next("key")
        key: PrivateKey
        if generation == "g1":
            key = quick_rsa_key(number)
        else:
            key = ec.derive_private_key(serial_of(f"key {number}").value, ec.SECP384R1())
        request = make_request(key=key)
        self.keys[request] = key
        return request

    def _card_key(self, person: int | None) -> PrivateKey:
        """What a person signs with; some other key, without a card."""
        card = self.model.card_of(person) if person is not None else None
        sent = next((sent for sent in self.sent if card and sent.id == card[0]), None)
        return self.keys[sent.application.requests[Kind.SIGNATURE]] if sent else stored_keys("holders-p384")[0]

    def _judge(self, pair: IssuedPair, items: Row) -> None:
        """The certificates that came are this person's and nobody else's, for the time that the model says."""
        others = {row["items"]["name"] for row in self.model.people.values()} - {items["name"]}
        for kind, octets in pair.certificates.items():
            row = self.model.certificates[pair.application_id, kind.value]
            made = x509.load_der_x509_certificate(octets)
            assert (made.not_valid_before_utc, made.not_valid_after_utc) == (row["begin"], row["end"])
            assert (items["name"].encode() in octets) == (kind is Kind.SIGNATURE)
            assert not any(name.encode() in octets for name in others)

    # --- revocation ---

    def revoke(
        self, code: int, cause: str, chosen: set[str] | None, carriers: set[str] | None, by: str, fault: str | None
    ) -> None:
        party = PARTIES[by]
        place = by if party.role is Role.MUNICIPALITY else None
        request = RevocationRequest(
            party,
            f"revocation {self.next('revocation')}",
            resident_code(code),
            RevocationCause(cause),
            None if chosen is None else frozenset(Kind(kind) for kind in chosen),
            None if carriers is None else frozenset(Carrier(carrier) for carrier in carriers),
        )
        person = self.model.by_code(code)
        objections = self.model.objections_to_revoke(person, cause, chosen, carriers, party.role.value, place)
        foretold = _attempt(lambda: preview(self.authority, request))
        self.breaking.faults = [fault] if fault else []
        refusal, receipt = _attempt(lambda: revoke_resident(self.authority, request))
        self.breaking.faults.clear()
        if objections:
            assert refusal in objections, (refusal, objections)
            assert foretold[0] in objections
            return
        assert person is not None
        assert refusal == ("store-unavailable" if fault else None)
        if fault == "lost":
            return
        changed = self.model.revoke(person, cause, chosen, carriers)
        assert {kind.value for kind in foretold[1].revoked} == changed
        receipt = receipt or revoke_resident(self.authority, request)
        assert {kind.value for kind in receipt.revoked} == changed
        self.receipts[request.key] = (request, receipt)

    def revoke_again(self, number: int) -> None:
        """Send an earlier revocation again: its receipt comes again, and nothing happens."""
        request, receipt = self.receipts[sorted(self.receipts)[number % len(self.receipts)]]
        assert revoke_resident(self.authority, request) == receipt

    # --- notices ---

    def write(self, sender: str, by: str, said: Row) -> Row:
        """The sender's next notice, not yet delivered."""
        sequence = self.next(f"notice of {sender}")
        home = by if by in CITIES else None
        label = PARTIES[sender].label
        return {
            "sender": label,
            "by": by,
            "home": home,
            "sequence": sequence,
            "notice_id": f"n-{sequence}",
            "said": said,
        }

    def deliver(self, notice: Row, fault: str | None = None) -> None:
        self.breaking.faults = [fault] if fault else []
        refusal, answered = _attempt(lambda: apply_event(self.intake, _event(notice), PARTIES[notice["by"]]))
        self.breaking.faults.clear()
        if fault:
            assert refusal == "store-unavailable"
            if fault == "kept":
                self.model.receive(notice)
            return
        became, _ = self.model.receive(notice)
        match became:
            case "refused":
                assert refusal == "idempotency-mismatch"
            case "quarantined":
                assert refusal in notice["objections"], (refusal, notice)
            case "held":
                assert isinstance(answered, HeldNotice)
            case _:
                assert refusal is None, (refusal, notice)
                assert {kind.value for kind in answered.revoked} == notice["revoked"]

    # --- lists ---

    def publish(self, faults: Sequence[str | None] = ()) -> None:
        """A minute later, a round of the publisher, perhaps with failing commits; all lists are right after a whole
        round, and old or right after a broken one."""
        self.forward(MINUTE)
        self.breaking.faults = list(faults)
        refusal, report = _attempt(lambda: publish_due(self.publisher))
        broken = bool(faults) and (refusal is not None or not report or bool(report.refused))
        self.breaking.faults.clear()
        if not faults:
            assert refusal is None
            assert report.refused == ()
        for scope in self._scopes():
            file, before = read_current(self.directory, scope), self.files.get(scope)
            if file != before:
                self._judge_list(scope, file, before)
            elif not broken:
                assert file is not None
                assert self._expected(scope, self.model.now).items() <= _entries(file).items(), "entries are missing"
            self.files[scope] = file

    def _scopes(self) -> list[Scope]:
        with self.begin(write=False) as work:
            return [row.scope for row in work.lists.scopes()]

    def _judge_list(self, scope: Scope, file: bytes | None, before: bytes | None) -> None:
        assert file is not None
        found = x509.load_der_x509_crl(file)
        key = x509.load_der_x509_certificate(ISSUERS[scope.issuer].certificate).public_key()
        assert found.is_signature_valid(key)  # type: ignore[arg-type]
        old = x509.load_der_x509_crl(before) if before else None
        since = old.last_update_utc if old is not None else None  # an empty list is falsy
        assert _entries(file) == self._expected(scope, since)
        if old is not None:
            assert _number(found) > _number(old)

    def _expected(self, scope: Scope, since: datetime | None) -> dict[int, tuple[int, datetime]]:
        """(reason, time) by serial of what the model says belongs on a list: all that is revoked and had not expired
        before `since`."""
        return {
            self.serials[name]: (row["revoked"]["reason"], row["revoked"]["at"])
            for name, row in self.model.certificates.items()
            if row["revoked"]
            and (row["issuer"], row["place"]) == (scope.issuer, str(scope.municipality))
            and (since is None or row["end"] >= since)
        }

    # --- everything agrees ---

    def compare(self) -> None:
        """Database, OCSP answers, lists and audit trail say what the model says."""
        with self.begin(write=False) as work:
            rows = {(row.application_id, row.kind.value): row for row in work.certificates.all()}
            revoked = {(row.issuer, row.serial): row for row in work.revocations.all()}
            residents = {number: work.residents.get(id_) for id_, number in self.ids.items()}
            audit = list(work.audit.rows(self.audited))
            turns = {sender: work.notices.expected(sender) for sender in self.model.turns}
        self.serials = {name: row.serial.value for name, row in rows.items()}
        assert turns == self.model.turns
        for number, person in self.model.people.items():
            resident = residents[number]
            assert resident.state.value == person["state"]
            assert (str(resident.municipality), resident.attributes) == (person["place"], basic(person["items"]))
        assert rows.keys() == self.model.certificates.keys()
        for name, said in self.model.certificates.items():
            row, standing = rows[name], revoked.pop((rows[name].issuer, rows[name].serial), None)
            assert (self.ids[row.resident_id], row.carrier.value, row.issuer) == (
                said["person"],
                said["carrier"],
                said["issuer"],
            )
            assert (row.validity, str(row.municipality)) == (Validity(said["begin"], said["end"]), said["place"])
            assert (row.state is CertificateState.RESERVED, row.ended_at is not None) == (
                said["reserved"],
                said["ended"],
            )
            assert (row.pending, row.predecessor) == (said["pending"], said["follows"])
            assert (standing is None) == (said["revoked"] is None)
            if standing:
                found = {"reason": int(standing.reason), "at": standing.revoked_at, "cause": standing.cause.value}
                assert found == said["revoked"]
        assert not revoked
        self._compare_audit(audit)
        self._compare_answers(rows)
        self._compare_files()

    def _compare_audit(self, rows: Sequence[Any]) -> None:
        for row in rows:
            self.audited = row.sequence
            body = json.loads(row.body)
            facts = body["facts"]
            if body["act"].startswith("certificate-"):
                self.effects[body["act"], facts["application"], facts["kind"]] += 1
            elif body["act"] == "resident-changed":
                self.effects[body["act"], self.ids[facts["resident"]], facts["event"]] += 1
        assert self.effects == self.model.effects

    def _compare_answers(self, rows: Mapping[Name, Any]) -> None:
        responder = make_responder(lookup=self.status, clock=self.clock, keys=_responder_keys(self.clock.now))
        answers: dict[int, tuple[str, int | None, datetime | None]] = {}
        for issuer_id in {row.issuer for row in rows.values()}:
            issuer = ISSUERS[issuer_id]
            asked = [make_cert_id(row.serial, issuer) for row in rows.values() if row.issuer == issuer_id]
            for first in range(0, len(asked), 30):
                given = answer(responder, make_ocsp_request(*asked[first : first + 30]))
                for one in ocsp.load_der_ocsp_response(given.der).responses:
                    reason = one.revocation_reason
                    answers[one.serial_number] = (
                        one.certificate_status.name.lower(),
                        _REASONS[reason] if reason else 0 if one.revocation_time_utc else None,
                        one.revocation_time_utc,
                    )
        for name, row in self.model.certificates.items():
            word = answers[rows[name].serial.value]
            assert word == self.model.word(row)
            before = self.told.get(name, ("unknown", None, None))
            assert (before[0], word[0]) != ("revoked", "good") or before[1] == 6, "what is revoked became good again"
            assert before[0] != "revoked" or before[1] == 6 or word == before, "a revocation changed"
            assert (before[0], word[0]) != ("good", "unknown") or row["end"] < self.clock.now
            assert word[0] != "good" or row["end"] >= self.clock.now
            self.told[name] = word

    def _compare_files(self) -> None:
        """Between rounds the files stay as they are."""
        for scope in self._scopes():
            assert read_current(self.directory, scope) == self.files.get(scope)

    def pairs(self) -> None:
        """Nobody has two live certificates of a kind on a carrier, or a signing certificate in force alone."""
        for number in self.model.people:
            live = self.model.live(number)
            places = [(kind, row["carrier"], row["pending"]) for (_, kind), row in live.items()]
            assert len(places) == len(set(places))
            force = {
                (kind, row["carrier"], row["pending"]): row["end"]
                for (_, kind), row in live.items()
                if not row["revoked"]
            }
            for (kind, carrier, pending), end in force.items():
                beside = force.get(("authentication", carrier, pending), force.get(("authentication", carrier, False)))
                assert kind == "authentication" or (beside is not None and beside >= end)

    def inspect(self) -> list[str]:
        """The faults that `jpki check` finds."""
        inspection = Inspection(
            begin=self.begin,
            status=self.status,
            issuers=ISSUERS,
            directory=self.directory,
            provisions=self.directory / "provisions",
            node="node",
            verify_signature=verify,
            check_head=lambda *_: True,
            crl=POLICY,
            causes=load_causes(),
            holds=load_holds(),
            events=load_events(),
            delivery_within=DELIVERED_WITHIN,
            patience=PATIENCE,
            now=self.clock.now,
        )
        return [finding.text for finding in reconcile(inspection) if finding.level == "fault"]


def address_in(place: str, number: int) -> str:
    home = load_municipalities()[PLACES[place]]
    return f"{home.prefecture}{home.name}霞野{full_width(str(number))}"


def _point(scope: Scope) -> bytes:
    subject = NAMES[ISSUERS[scope.issuer].kind].subject
    return distribution_point(scope, subject, load_municipalities(), LOCATIONS)


def basic(items: Row) -> BasicAttributes:
    return BasicAttributes(items["name"], items["address"], BirthDate.on(items["birth_date"]), Sex(items["sex"]))


def _event(notice: Row) -> ResidentEvent:
    said = notice["said"]
    return ResidentEvent(
        notice["sender"],
        notice["notice_id"],
        notice["sequence"],
        resident_code(said["code"]),
        EventType(said["event"]),
        said["day"],
        MunicipalityCode(said["place"]),
        None if said["items"] is None else basic(said["items"]),
        None if said["new_code"] is None else resident_code(said["new_code"]),
    )


def _attempt(act: Any) -> tuple[str | None, Any]:
    """(code of the refusal, None) or (None, what came back)."""
    try:
        return None, act()
    except Refusal as refusal:
        return refusal.code.value, None


_REASONS = {
    x509.ReasonFlags.unspecified: 0,
    x509.ReasonFlags.key_compromise: 1,
    x509.ReasonFlags.ca_compromise: 2,
    x509.ReasonFlags.affiliation_changed: 3,
    x509.ReasonFlags.superseded: 4,
    x509.ReasonFlags.cessation_of_operation: 5,
    x509.ReasonFlags.certificate_hold: 6,
}


def _entries(octets: bytes) -> dict[int, tuple[int, datetime]]:
    """(reason, time) by serial, as another library reads the list. No reason is `unspecified`."""
    found = {}
    for entry in x509.load_der_x509_crl(octets):
        reasons = [extension.value for extension in entry.extensions if isinstance(extension.value, x509.CRLReason)]
        found[entry.serial_number] = (_REASONS[reasons[0].reason] if reasons else 0, entry.revocation_date_utc)
    return found


def _number(found: x509.CertificateRevocationList) -> int:
    return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


@cache
def _responder_keys(now: datetime) -> tuple[ResponderKey, ...]:
    """Keys that answer for all issuers, certified at that moment."""
    keys = []
    for kind, generation in LEAF_PROFILES:
        plan, signer = responder_plan(kind, generation), responder_signer(kind.value, generation)
        assert plan.issuer
        validity = responder_validity(plan.profile.validity, now, plan.issuer.validity)
        certificate = certify_responder(replace(plan, validity=validity), authority_signer(kind.value, generation))
        keys.append(delegate(plan.issuer, certificate, signer))
    return tuple(keys)


@cache
def quick_rsa_key(number: int) -> rsa.RSAPrivateKey:
    """One of 276 keys that share the primes of the keys on file: worthless, and quickly made."""
    numbers = [key.private_numbers() for key in stored_keys("holders-rsa2048") if isinstance(key, rsa.RSAPrivateKey)]
    primes = [prime for key in numbers for prime in (key.p, key.q)]
    p, q = next(islice(combinations(primes, 2), number, None))
    d = rsa.rsa_recover_private_exponent(65537, p, q)
    parts = (p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    public = rsa.RSAPublicNumbers(65537, p * q)
    return rsa.RSAPrivateNumbers(*parts, public).private_key(unsafe_skip_rsa_key_validation=True)
