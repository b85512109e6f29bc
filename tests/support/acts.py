"""What processes of tests do with the services of a state directory, and what they tell of it: plain JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from ca.ageing import age_holds
from ca.batch_work import work_round
from ca.batches import progress_of, results_of, take_batch
from ca.deliver import report_delivery, withdraw_overdue
from ca.erasure import erase_due
from ca.hold import HoldRequest, place_hold
from ca.issue import issue
from ca.recover import finish_unfinished
from ca.release import ReleaseRequest, release_hold
from ca.revoke import revoke_resident
from cli.publisher import INTERRUPTED_AFTER
from config.assemble import Services, assemble, system_random
from config.batching import make_batching, make_worker
from config.code_keys import add_keys, drop_keys, rotation_of
from config.enrolment import enrol
from config.initialise import initialise
from config.inspection import filing_of
from config.renewal import renew_due
from config.rules import load_retention, template
from config.validating import make_sandbox, make_validation
from crl.files import read_current
from crl.publish import publish_due
from crl.read import read_list
from domain.applications import Card, DeliveryReport, HandOver, IssuanceApplication
from domain.certificates import Carrier, CertificateState, IssuerId, Kind
from domain.events import EventType
from domain.holds import AgeWord
from domain.lists import Scope
from domain.mass import CertificateOrder, MassOrder, RegisterOrder, Selection
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.people import MunicipalityCode
from domain.ports import UnitOfWork
from domain.provisions import Channel, Provision
from domain.revocation import RevocationCause
from mass.account import account_of, list_accounts
from mass.preview import preview
from mass.run import confirm, run, token_of
from oversight.reconcile import reconcile
from policies.batches import BatchPolicy
from policies.retention import Records
from policies.validity import day_in_japan
from provisions.filing import file_due
from residents.load import load_residents
from residents.rotation import move_rows, retire, state_of, switch
from residents.rows import Format
from store.status import SqlStatusLookup
from store.work import SqlBegin
from tests.support.applications import as_line
from tests.support.authority import KIYOSE_CITY, make_application, make_revocation
from tests.support.consents import SHOP, SoftwareCard
from tests.support.handle_acts import HANDLE_ACTS
from tests.support.notices import MOVED, applied, notice
from tests.support.officer_acts import OFFICER_ACTS
from tests.support.people import serial_of
from tests.support.proofs import proven
from tests.support.requests import make_request
from tests.support.residents import KIYOSE, as_fields, attributes, csv_file, record, resident_code
from validation.answer import validate
from web.batches import read_line

Facts = dict[str, Any]
YEAR = timedelta(days=365)


class Workplace:
    """A state directory at a moment. Who works here waits `lock_wait` seconds for locks."""

    def __init__(self, state: Path, now: datetime, lock_wait: float) -> None:
        self.state = state
        self.now = now
        self._lock_wait = lock_wait

    @cached_property
    def services(self) -> Services:
        services = assemble(self.state)
        services.clock = lambda: self.now
        signer = services.signer(services.settings.audit_key)
        # Assigned before they are asked for, these are used instead of what the class would make.
        services.begin = SqlBegin(services.database_url, signer, lock_wait=self._lock_wait, keys=services)
        services.status = SqlStatusLookup(services.database_url, lock_wait=self._lock_wait)
        return services


def make_requests(label: str, *kinds: Kind) -> dict[Kind, bytes]:
    """Requests over P-384 keys that no other label has."""
    return {kind: make_request(key=make_key(label, kind)) for kind in kinds}


def make_key(label: str, kind: Kind = Kind.SIGNATURE) -> ec.EllipticCurvePrivateKey:
    """The key in the request of that label."""
    return ec.derive_private_key(serial_of(f"{label} {kind.value}").value, ec.SECP384R1())


def _application(
    number: int,
    key: str,
    alone: bool,
    moved: bool,
    card: Mapping[str, object] | None = None,
    carrier: str = Carrier.CARD.value,
) -> IssuanceApplication:
    kinds = (Kind.SIGNATURE,) if alone else tuple(Kind)
    application = make_application(
        **(card or {}),
        key=key,
        resident_code=resident_code(number),
        attributes=MOVED if moved else attributes(),
        requests=make_requests(f"{number} {key}", *kinds),
        carrier=Carrier(carrier),
    )
    if application.carrier is Carrier.CARD:
        return application
    return proven(application, make_key(f"{number} first {number}"))


def _found(place: Workplace, *, url: str) -> Facts:
    """A new authority over the database at `url`."""
    initialise(
        place.state,
        api="127.0.0.1:0",
        status="127.0.0.1:0",
        template=template().replace("sqlite:///jpki.db", url),
        clock=lambda: place.now,
        random=system_random,
        on_step=lambda _: None,
    )
    return {}


def _issue(
    place: Workplace,
    *,
    number: int,
    key: str,
    alone: bool = False,
    moved: bool = False,
    card_days: int | None = None,
    carrier: str = "card",
) -> Facts:
    """Resident `number` applies for a pair, or for the signing certificate `alone`; `moved` since. `card_days` is how
    long the card is valid yet."""
    ends = None if card_days is None else day_in_japan(place.now) + timedelta(days=card_days)
    card = {"card": Card("card 1", ends)} if ends else None
    pair = issue(place.services.authority, _application(number, key, alone, moved, card, carrier))
    return {"application": pair.application_id, "certificates": _shown(pair.certificates), "repeated": pair.repeated}


def _issue_at_once(place: Workplace, *, number: int, key: str, threads: int) -> Facts:
    """The same application from many threads."""
    application = _application(number, key, False, False)
    authority = place.services.authority
    with ThreadPoolExecutor(threads) as pool:
        pairs = list(pool.map(lambda _: issue(authority, application), range(threads)))
    return {"answers": [_shown(pair.certificates) for pair in pairs]}


def _shown(certificates: Mapping[Kind, bytes]) -> Facts:
    """Certificates by kind: serial, and digest of the whole."""
    return {
        kind.value: [f"{x509.load_der_x509_certificate(der).serial_number:032x}", hashlib.sha256(der).hexdigest()]
        for kind, der in certificates.items()
    }


def _deliver(place: Workplace, *, key: str, outcome: str = "delivered") -> Facts:
    """清瀬市 reports what became of its application."""
    report = DeliveryReport(KIYOSE_CITY, KIYOSE_CITY.label, key, HandOver(outcome))
    receipt = report_delivery(place.services.authority, report)
    return {"live": [kind.value for kind in receipt.live], "revoked": [kind.value for kind in receipt.revoked]}


def _withdraw(place: Workplace) -> Facts:
    """What the publisher's round does for certificates that nobody reported, as if their time were over."""
    return {"withdrawn": withdraw_overdue(place.services.authority, place.now, "publisher:test")}


def _batch(place: Workplace, *, numbers: list[int], slot: int = 0) -> Facts:
    """The residents' applications in one file, worked off two at a time until nothing waits."""
    services = place.services
    lines = []
    for number in numbers:
        requests = make_requests(f"{number} in a batch", *Kind)
        lines.append(as_line(make_application(resident_code=resident_code(number), requests=requests)))
    batching = replace(make_batching(services, read_line), policy=BatchPolicy(chunk=2))
    taken = take_batch(batching, LOCAL_OPERATOR, "the batch", b"".join(lines))
    worker = make_worker(services, batching, slot)
    while work_round(worker):
        pass
    progress = progress_of(batching, LOCAL_OPERATOR, taken.batch.id)
    results = results_of(batching, LOCAL_OPERATOR, taken.batch.id)
    return {
        "repeated": taken.repeated,
        "ended": progress.batch.ended_at is not None,
        "states": [result.item.state.value for result in results],
        "certificates": [_shown(result.certificates) for result in results],
    }


def _finish(place: Workplace) -> Facts:
    """What the publisher's round does for interrupted applications."""
    return {"finished": finish_unfinished(place.services.authority, place.now - INTERRUPTED_AFTER)}


def _erase(place: Workplace, *, years: int = 10) -> Facts:
    """What the publisher's round does for records that were kept long enough, certificate by certificate; issuance
    records are kept for so many years."""
    rules = dict(load_retention())
    rules[Records.CERTIFICATES] = replace(rules[Records.CERTIFICATES], years=years)
    with patch("ca.erasure.BATCH", 1):
        erased = erase_due(place.services.begin, place.services.clock, rules, LOCAL_OPERATOR.label)
    return {"erased": +erased}


def _revoke(place: Workplace, *, number: int, key: str, cause: str = "holder-request") -> Facts:
    request = make_revocation(
        caller=KIYOSE_CITY if cause == "holder-request" else LOCAL_OPERATOR,
        key=key,
        resident_code=resident_code(number),
        cause=RevocationCause(cause),
    )
    receipt = revoke_resident(place.services.authority, request)
    return {"receipt": receipt.id, "revoked": [kind.value for kind in receipt.revoked]}


def _hold(place: Workplace, *, number: int, key: str, by: str = "code", carrier: str | None = None) -> Facts:
    """The desk holds what resident `number` has, of all or on that carrier, by `code` or, where nobody else has them,
    by `items`."""
    who = resident_code(number) if by == "code" else MOVED
    lost = None if carrier is None else frozenset({Carrier(carrier)})
    receipt = place_hold(place.services.authority, HoldRequest(LOCAL_OPERATOR, key, who, lost))
    return {"receipt": receipt.id, "revoked": [kind.value for kind in receipt.revoked]}


def _release(place: Workplace, *, number: int, key: str) -> Facts:
    """Resident `number` found the phone."""
    request = ReleaseRequest(LOCAL_OPERATOR, key, resident_code(number), Carrier.MOBILE_DEVICE)
    receipt = release_hold(place.services.authority, request)
    return {"receipt": receipt.id, "effects": {row.kind.value: row.effect.value for row in receipt.effects}}


def _age(place: Workplace) -> Facts:
    """What the publisher's round does about old holds: cards are revoked after an hour, phones reported."""
    authority = place.services.authority
    card = replace(authority.holds.ages[Carrier.CARD], days=0, effect=AgeWord.REVOKED, cause=RevocationCause.CARD_LOST)
    phone = replace(authority.holds.ages[Carrier.MOBILE_DEVICE], days=0)
    ages = {Carrier.CARD: card, Carrier.MOBILE_DEVICE: phone}
    aged = age_holds(replace(authority, holds=replace(authority.holds, ages=ages)), "publisher:test")
    return {"reported": aged.reported, "revoked": aged.revoked}


def _move(place: Workplace, *, number: int, notice_id: str, sequence: int = 1) -> Facts:
    """The register says that resident `number` moved within the city today."""
    today = day_in_japan(place.now)
    event = notice(notice_id=notice_id, sequence=sequence, code=resident_code(number), effective_on=today)
    receipt = applied(place.services.intake, event)
    return {"receipt": receipt.id, "revoked": [kind.value for kind in receipt.revoked]}


def _mass(place: Workplace, *, act: str) -> Facts:
    """Revoke everything, or rename the addresses of 霞野, three certificates or residents a step; a run that was
    interrupted is resumed."""
    parts = place.services.mass
    with patch("mass.preview.MOST", 3):
        events = [row for row in list_accounts(parts, LOCAL_OPERATOR) if row.act == act and row.confirmed_at]
        if not events:
            event = preview(parts, _mass_order(place, act), LOCAL_OPERATOR)
            events = [account_of(confirm(parts, event.id, token_of(event), LOCAL_OPERATOR))]
        ended = run(parts, events[0].id, LOCAL_OPERATOR)
    return {"state": ended.state.value, "tally": dict(ended.tally), "steps": ended.steps}


def _mass_order(place: Workplace, act: str) -> MassOrder:
    with place.services.begin(write=False) as work:
        newest = work.applications.newest()
    if act == RevocationCause.ISSUER_KEY.value:
        return CertificateOrder(RevocationCause.ISSUER_KEY, Selection(newest))
    day = day_in_japan(place.now)
    return RegisterOrder(EventType.ADDRESS_RENAMING, day, KIYOSE, KIYOSE, "東京都清瀬市霞野２－", "東京都清瀬市新町")


def _publish(place: Workplace, *, only: str | None = None, force: bool = False) -> Facts:
    """Publish what is due, or one list: `issuer/ca` or `issuer/area`."""
    scopes = None
    if only is not None:
        issuer, _, area = only.partition("/")
        scopes = [Scope(IssuerId(issuer), None if area == "ca" else MunicipalityCode.of_area(area))]
    report = publish_due(place.services.publisher, scopes=scopes, force=force)
    return {
        "published": {row.scope.path: row.number for row in report.published},
        "refused": {scope.path: refusal.code.value for scope, refusal in report.refused},
    }


def _load(place: Workplace, *, numbers: list[int]) -> Facts:
    """Residents of these numbers from a file."""
    file = csv_file(as_fields(record(number)) for number in numbers)
    report = load_residents(place.services.intake, LOCAL_OPERATOR, file, Format.CSV)
    return {"new": report.new, "unchanged": report.unchanged, "faults": len(report.faults)}


def _open_shop(place: Workplace) -> Facts:
    """The bookshop is registered."""
    with place.services.begin() as work:
        work.parties.add(SHOP, place.now)
        work.commit()
    return {}


def _validate(place: Workplace, *, number: int, key: str, consented: str) -> Facts:
    """The bookshop asks about its challenge, which resident `number` signed with the first card at that time."""
    with place.services.begin(write=False) as work:
        shop = work.parties.find(SHOP.role.value, SHOP.name)
        keys = make_key(f"{number} first {number}")
        (record,) = [row for row in work.certificates.all() if _is_over(row.der, keys)]
    at = datetime.fromisoformat(consented)
    times = {"made_at": at, "good_until": at + timedelta(minutes=15)}
    request = SoftwareCard(record.der, keys).request(caller=shop, key=key, **times)
    sandbox = make_sandbox(place.services.settings.validation)
    answer = validate(make_validation(place.services, sandbox), request)
    return {"receipt": answer.receipt, "valid": answer.content.valid, "repeated": answer.repeated}


def _is_over(certificate: bytes, key: ec.EllipticCurvePrivateKey) -> bool:
    return x509.load_der_x509_certificate(certificate).public_key() == key.public_key()


def _enrol(place: Workplace, *, code: str, folder: str) -> Facts:
    """A municipality, with its credential in a folder of the state directory."""
    municipality = MunicipalityCode(code)
    party = Party(0, Role.MUNICIPALITY, code, municipality)
    enrol(place.services, party, LOCAL_OPERATOR, folder=place.state / folder, life=YEAR)
    return {}


def _renew(place: Workplace) -> Facts:
    """Renew certificates, due or not."""
    return {"renewed": list(renew_due(place.services, everyone=True))}


def _rotate(place: Workplace) -> Facts:
    """New keys for resident codes: whatever is left to do on the way to the second generation."""
    services = place.services
    rotation = rotation_of(services)
    found = state_of(rotation)
    if found.in_use == (1,):
        add_keys(services)
    switch(rotation)
    moved = sum(1 for _ in move_rows(rotation))
    return {"moved": moved, "retired": retire(rotation), "left": drop_keys(services)}


def _tell(place: Workplace, *, count: int) -> Facts:
    """Records of so many answers, in a segment that is let go of."""
    services, serial = place.services, bytes(15) + b"\x01"
    for _ in range(count):
        services.record(
            Provision(place.now, None, None, "log-in", IssuerId("signature-g2"), Channel.OCSP, serial, "good")
        )
    services.record.close()
    return {}


def _file(place: Workplace) -> Facts:
    """What the publisher's round does with records; how many are in the ledger then."""
    file_due(filing_of(place.services))
    with place.services.begin(write=False) as work:
        return {"ledger": sum(segment.filed for segment in work.provisions.segments())}


def _wait(place: Workplace, *, minutes: int) -> Facts:
    """Nothing happens for so long."""
    place.now += timedelta(minutes=minutes)
    return {}


def _judge(place: Workplace) -> Facts:
    """Everything `jpki check` finds, and what there is on record, as OCSP says and in files."""
    findings = list(reconcile(place.services.inspection()))
    services = place.services
    responders = assemble(place.state).responder.keys  # as they are on file now
    with services.begin(write=False) as work:
        certificates = [
            {
                "resident": row.resident_id,
                "kind": row.kind.value,
                "serial": row.serial.octets.hex(),
                "sha256": hashlib.sha256(row.der).hexdigest(),
                "issued": row.state is CertificateState.ISSUED,
                "live": row.ended_at is None,
                "pending": row.pending,
                "status": services.status.status_of(row.issuer, row.serial).word,
            }
            for row in work.certificates.all()
        ]
        lists = {row.scope.path: _list(services, work, row.scope) for row in work.lists.scopes()}
        parties = [party.name for party in work.parties.all()]
        residents = work.residents.count()
        # Those of number 1 to 9, by code.
        codes = [resident_code(number) for number in range(1, 10)]
        found = sum(work.residents.find(*services.sealer.indexes(code)) is not None for code in codes)
        opened = sum(services.sealer.unseal(*pair) in codes for pair in work.residents.sealed())
        generations = work.code_keys.in_use()
    return {
        "faults": [finding.text for finding in findings if finding.level == "fault"],
        "notes": [finding.text for finding in findings if finding.level == "note"],
        "certificates": certificates,
        "lists": lists,
        "parties": parties,
        "residents": residents,
        "found": found,
        "opened": opened,
        "generations": list(generations),
        "responders": {id_: hashlib.sha256(key.certificate).hexdigest() for id_, key in responders.items()},
    }


def _list(services: Services, work: UnitOfWork, scope: Scope) -> Facts:
    """The numbers ever reserved; number (0 without one) and count of entries of the file in place, and whether its
    digest lies beside it."""
    directory = services.settings.crl_directory
    file = read_current(directory, scope)
    digest = directory / f"{scope.path}.sha256"
    said = digest.read_text().split()[0] if digest.exists() else ""
    read = read_list(file) if file is not None else None
    return {
        "numbers": [record.number for record in work.lists.records(scope)],
        "file": read.number if read else 0,
        "entries": sum(map(len, read.rows())) if read else 0,
        "digest": file is not None and said == hashlib.sha256(file).hexdigest(),
    }


ACTS: Mapping[str, Callable[..., Facts]] = {
    "found": _found,
    "issue": _issue,
    "issue at once": _issue_at_once,
    "deliver": _deliver,
    "withdraw": _withdraw,
    "finish": _finish,
    "erase": _erase,
    "revoke": _revoke,
    "batch": _batch,
    "hold": _hold,
    "release": _release,
    "age": _age,
    "move": _move,
    "mass": _mass,
    "publish": _publish,
    "load": _load,
    "enrol": _enrol,
    "open shop": _open_shop,
    "validate": _validate,
    "renew": _renew,
    "rotate": _rotate,
    **HANDLE_ACTS,
    **OFFICER_ACTS,
    "tell": _tell,
    "file": _file,
    "wait": _wait,
    "judge": _judge,
}
