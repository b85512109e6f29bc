"""Whether a resident may have what an application asks for, by the records of this moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ca.authority import Authority
from ca.proof import require_proof_shape
from domain.applications import IssuanceApplication
from domain.certificates import Carrier, CertificateRecord, CertificateState, Kind
from domain.errors import Code, Refusal
from domain.parties import Party, Role
from domain.people import MunicipalityCode, Resident, ResidentCode, ResidentState
from domain.ports import UnitOfWork
from policies.issuance import IssuanceRules, require_card_life, require_no_ward
from policies.profile import ValidityRule
from policies.validity import SIGNING_AGE, age_on, day_in_japan, renewable, require_signing_age

_ON_CARD = (Kind.SIGNATURE, Carrier.CARD, False, CertificateState.ISSUED)


@dataclass(frozen=True, slots=True)
class Basis:
    """What of the records a draft rests on: the authentication certificate beside which a signing certificate is
    applied for alone, the signing certificate on the card with which certificates on a phone are applied for, and the
    live certificates that are to be replaced. A first application for a card rests on nothing."""

    authentication: CertificateRecord | None = None
    card: CertificateRecord | None = None
    replaced: Mapping[Kind, CertificateRecord] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entitlement:
    """The resident, what drafts may rest on, rows whose validity ended and that still count as live, and by kind the
    application whose certificate is followed: the last one that got onto the carrier."""

    resident: Resident
    basis: Basis
    expired: Sequence[CertificateRecord]
    predecessors: Mapping[Kind, int]


def require_municipality(caller: Party, municipality: MunicipalityCode, now: datetime) -> None:
    """Return if the caller is this municipality, and in force. An operator may act for any, under its own name.

    Raises Refusal(NOT_ADMITTED), Refusal(WRONG_MUNICIPALITY).
    """
    if caller.role not in (Role.MUNICIPALITY, Role.OPERATOR) or not caller.in_force(now):
        raise Refusal(Code.NOT_ADMITTED, "applications are made by municipalities that are registered and in force")
    if caller.role is Role.MUNICIPALITY and caller.municipality != municipality:
        raise Refusal(Code.WRONG_MUNICIPALITY, "a municipality applies for its own residents only")


def find_resident(
    authority: Authority, work: UnitOfWork, code: ResidentCode, municipality: MunicipalityCode | None
) -> Resident:
    """The resident with this code, in `municipality` if that is given.

    Raises Refusal(UNKNOWN_RESIDENT), in the same words for nobody and for somebody who lives elsewhere: a municipality
    must not learn from us where a person lives.
    """
    resident = work.residents.find(*authority.sealer.indexes(code))
    if resident is None or municipality not in (None, resident.municipality):
        raise Refusal(
            Code.UNKNOWN_RESIDENT,
            "no resident with this code is known here; check the code, the municipality, and whether the notice of a "
            "move has arrived",
            pointer="/resident_code",
        )
    return resident


def require_entitlement(
    authority: Authority,
    work: UnitOfWork,
    application: IssuanceApplication,
    windows: Mapping[Kind, ValidityRule],
    now: datetime,
) -> Entitlement:
    """What the records say of the applicant, if nothing stands against the application. `windows` has the rule of
    validity under which each kind would be issued: it says when a live certificate may be renewed.

    Raises Refusal(UNKNOWN_RESIDENT), Refusal(RESIDENT_GONE), Refusal(ITEMS_DIFFER) with the names of the items,
    Refusal(IN_PROGRESS) while another application of the resident is unfinished, Refusal(LIVE_PAIR) when there is a
    live certificate of a kind applied for that cannot be renewed yet (二重発行の禁止), is on hold, or is to be replaced
    by one that waits for its hand-over, Refusal(NO_LIVE_CERTIFICATE) when a signing certificate is applied for alone
    and no authentication certificate on the same carrier is in force.
    """
    resident = find_resident(authority, work, application.resident_code, application.municipality)
    if resident.state is not ResidentState.PRESENT:
        raise Refusal(Code.RESIDENT_GONE, "the resident has moved out, or the register no longer holds this person")
    if differing := resident.attributes.differing_items(application.attributes):
        raise Refusal(
            Code.ITEMS_DIFFER,
            f"the application differs from the resident register in: {', '.join(differing)}",
            pointer="/attributes",
            facts={"items": list(differing)},
        )
    rows = work.certificates.of_resident(resident.id)
    standing = [row for row in rows if row.ended_at is None]
    expired = [row for row in standing if row.validity.ended(now)]
    live = [row for row in standing if row.carrier is application.carrier and not row.validity.ended(now)]
    if any(row.state is CertificateState.RESERVED for row in live):
        raise Refusal(
            Code.IN_PROGRESS,
            "an earlier application for this resident is unfinished; repeat that one with its own idempotency key",
        )
    if any(row.pending for row in live):
        raise Refusal(
            Code.LIVE_PAIR,
            "certificates of this resident wait for their hand-over; report what became of them before applying again",
            facts={"pending": [row.kind.value for row in live if row.pending]},
        )
    basis = Basis(
        _authentication(work, application, live),
        _card(work, application, [row for row in standing if not row.validity.ended(now)]),
        _replaced(work, application, live, windows, now),
    )
    return Entitlement(resident, basis, expired, _predecessors(rows, application))


def require_requests(rules: IssuanceRules, application: IssuanceApplication, now: datetime) -> None:
    """Return if the kinds applied for go together, the holder may have them, and the card can be as it is told.

    A pair; the signing certificate alone, beside a live authentication certificate; the authentication certificate
    alone for children and adults under guardianship, who cannot have the other. Raises Refusal(MALFORMED),
    Refusal(UNDER_AGE), Refusal(UNDER_GUARDIANSHIP), Refusal(CARD_LIFE).
    """
    kinds = set(application.requests)
    if not kinds:
        raise Refusal(Code.MALFORMED, "an application needs a request for each certificate", pointer="/requests")
    birth_date = application.attributes.birth_date
    today = day_in_japan(now)
    require_card_life(rules, birth_date, application.card.expires_on, today)
    require_proof_shape(application)
    if application.under_guardianship:
        require_no_ward(rules, kinds)
    if Kind.SIGNATURE in kinds:
        require_signing_age(birth_date, now)
    elif age_on(birth_date, today) >= SIGNING_AGE and not application.under_guardianship:
        raise Refusal(
            Code.MALFORMED,
            f"from the age of {SIGNING_AGE} both certificates are applied for together, but for an adult under "
            "guardianship, of whom the application says so (under_guardianship)",
            pointer="/requests",
        )


def _replaced(
    work: UnitOfWork,
    application: IssuanceApplication,
    live: Sequence[CertificateRecord],
    windows: Mapping[Kind, ValidityRule],
    now: datetime,
) -> dict[Kind, CertificateRecord]:
    """The live certificates of the kinds applied for, all of which can be renewed."""
    found = {row.kind: row for row in live if row.kind in application.requests}
    if held := [kind.value for kind, row in found.items() if work.revocations.find(row.issuer, row.serial)]:
        raise Refusal(
            Code.LIVE_PAIR,
            f"the resident's certificate of kind {' and '.join(held)} is on hold; have it revoked before applying",
            facts={"kinds": held},
        )
    if early := [kind.value for kind, row in found.items() if not renewable(windows[kind], row.validity, now)]:
        raise Refusal(
            Code.LIVE_PAIR,
            f"the resident has a live certificate of kind {' and '.join(early)}, which cannot be renewed yet; wait, or "
            "have it revoked before applying",
            facts={"kinds": early},
        )
    return found


def _predecessors(rows: Sequence[CertificateRecord], application: IssuanceApplication) -> dict[Kind, int]:
    """By kind the newest application whose certificate got onto this carrier, whatever became of it."""
    return {
        row.kind: row.application_id
        for row in rows
        if row.carrier is application.carrier and row.kind in application.requests and not row.pending
    }


def _card(
    work: UnitOfWork, application: IssuanceApplication, standing: Sequence[CertificateRecord]
) -> CertificateRecord | None:
    if application.carrier is Carrier.CARD:
        return None
    for row in standing:
        on_card = (row.kind, row.carrier, row.pending, row.state) == _ON_CARD
        if on_card and work.revocations.find(row.issuer, row.serial) is None:
            return row
    raise Refusal(
        Code.NO_LIVE_CERTIFICATE,
        "certificates on a mobile device are applied for with the card's signing certificate, and none is in force",
    )


def _authentication(
    work: UnitOfWork, application: IssuanceApplication, live: Sequence[CertificateRecord]
) -> CertificateRecord | None:
    if Kind.AUTHENTICATION in application.requests:
        return None
    for row in live:
        if row.kind is Kind.AUTHENTICATION and work.revocations.find(row.issuer, row.serial) is None:
            return row
    raise Refusal(
        Code.NO_LIVE_CERTIFICATE,
        "a signing certificate alone needs an authentication certificate in force on the same carrier; apply for both",
    )
