"""The API: acts of municipalities, the register and operators over mutual TLS, and status for verifiers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from flask import Flask

from ca.hold import HoldRequest
from ca.release import ReleaseRequest
from ca.revoke import RevocationOutcome, RevocationRequest
from ca.visibility import Visibility
from domain.applications import DeliveryReceipt, DeliveryReport, IssuanceApplication, IssuedPair
from domain.events import NoticeState
from domain.holds import ReleaseReceipt
from domain.parties import Credential, Party
from domain.people import Municipality, MunicipalityCode
from domain.revocation import CauseRule, CertificateEffect, RevocationReceipt
from mass.account import MassAccount
from policies.characters import Proposal
from residents.feed import Notice
from residents.intake import Effect, Outcome
from residents.listing import NoticeList
from residents.receipts import HeldNotice, NoticeReceipt
from validation.answer import ValidationAnswer, ValidationRequest
from verifiers.desk import VerifierDesk
from web.alarms import AlarmParts, alarms_blueprint
from web.batches import BatchParts, batches_blueprint
from web.callers import Callers, PeerCertificate, peer_certificate
from web.certificate_texts import certificate_texts_blueprint
from web.delivery import delivery_blueprint
from web.filters import FilterParts, filters_blueprint
from web.front import OcspFront
from web.handles import HandleParts, handles_blueprint
from web.health import health_blueprint
from web.holds import holds_blueprint
from web.issuance import issuance_blueprint
from web.ledger import LedgerParts, ledger_blueprint
from web.lists import lists_blueprint
from web.mass import mass_blueprint
from web.notices import notices_blueprint
from web.ocsp import ocsp_blueprint
from web.proposals import ProposalParts, proposals_blueprint
from web.reference import reference_blueprint
from web.revocation import revocation_blueprint
from web.shell import make_shell
from web.status import StatusParts
from web.validations import validations_blueprint
from web.verifiers import verifiers_blueprint
from web.visibility import visibility_blueprint


@dataclass(frozen=True, slots=True)
class ApiParts:
    """What the API needs: the acts, each bound to all it works with, the tables it shows, and what status takes."""

    status: StatusParts
    credential_of: Callable[[bytes], Credential | None]
    issue: Callable[[IssuanceApplication], IssuedPair]
    batches: BatchParts
    propose: Callable[[str, str, str | None], Proposal]
    report_delivery: Callable[[DeliveryReport], DeliveryReceipt]
    revoke: Callable[[RevocationRequest], RevocationReceipt]
    preview_revocation: Callable[[RevocationRequest], RevocationOutcome]
    visibility: Callable[[str, Party | None], Visibility]
    place_hold: Callable[[HoldRequest], RevocationReceipt]
    preview_hold: Callable[[HoldRequest], RevocationOutcome]
    release_hold: Callable[[ReleaseRequest], ReleaseReceipt]
    preview_release: Callable[[ReleaseRequest], tuple[CertificateEffect, ...]]
    apply_event: Callable[[Notice, Party], NoticeReceipt | HeldNotice]
    preview_event: Callable[[Notice, Party], Effect | HeldNotice]
    apply_notices: Callable[[Iterable[tuple[int, Notice]], Party], Iterator[Outcome]]
    rehearse_notices: Callable[[Iterable[tuple[int, Notice]], Party], Iterator[Outcome]]
    list_notices: Callable[[str, NoticeState, int | str], NoticeList]
    handles: HandleParts
    filters: FilterParts
    proposals: ProposalParts
    verifiers: VerifierDesk
    list_mass_events: Callable[[Party], Sequence[MassAccount]]
    find_mass_event: Callable[[str, Party], MassAccount]
    validate: Callable[[ValidationRequest], ValidationAnswer]
    ledger: LedgerParts
    alarms: AlarmParts
    causes: Iterable[CauseRule]
    municipalities: Mapping[MunicipalityCode, Municipality]


def create_api(parts: ApiParts, certificate_of: PeerCertificate = peer_certificate) -> Flask:
    """The API. `certificate_of` says which certificate a client showed; only tests give another."""
    status = parts.status
    meter = status.meter()
    app = make_shell(status.random, meter)
    callers = Callers(parts.credential_of, status.clock, certificate_of)
    for door in (
        issuance_blueprint(parts.issue, callers),
        batches_blueprint(parts.batches, callers),
        certificate_texts_blueprint(parts.propose, callers),
        delivery_blueprint(parts.report_delivery, callers),
        revocation_blueprint(parts.revoke, parts.preview_revocation, callers),
        visibility_blueprint(parts.visibility, callers),
        holds_blueprint(parts.place_hold, parts.preview_hold, parts.release_hold, parts.preview_release, callers),
        notices_blueprint(
            parts.apply_event,
            parts.preview_event,
            parts.apply_notices,
            parts.rehearse_notices,
            parts.list_notices,
            parts.municipalities,
            callers,
        ),
        handles_blueprint(parts.handles, callers),
        filters_blueprint(parts.filters, callers.known),
        proposals_blueprint(parts.proposals, callers),
        verifiers_blueprint(parts.verifiers, callers),
        mass_blueprint(parts.list_mass_events, parts.find_mass_event, callers),
        validations_blueprint(parts.validate, meter.validation, callers),
        ledger_blueprint(parts.ledger, callers),
        alarms_blueprint(parts.alarms, callers),
        reference_blueprint(parts.causes, parts.municipalities),
        ocsp_blueprint(status.answer, callers.known, meter.ocsp_answer),
        lists_blueprint(status.lists, callers.known),
        health_blueprint(status.health),
    ):
        app.register_blueprint(door)
    app.wsgi_app = OcspFront(app.wsgi_app, status.answer, callers.known, meter, status.clock)  # type: ignore[method-assign]
    return app
