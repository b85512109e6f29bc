"""Issuance: the numbered steps from an application to its certificates."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from ca.authority import Authority
from ca.completion import audit_facts, complete, issued_by, resume
from ca.draft import draft_certificates, read_keys
from ca.entitlement import require_entitlement, require_municipality, require_requests
from ca.substitutes import positions_in, substitution_facts, substitutions_in
from domain.applications import ApplicationRecord, IssuanceApplication, IssuedPair
from domain.certificates import CertificateRecord, CertificateState, Kind
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.signing import LintedTbs


def issue(authority: Authority, application: IssuanceApplication) -> IssuedPair:
    """Certificates for an application, all of them or none. Repeated with its key, it gives the same answer again.

    1. Read the clock; see that the caller may apply. 2. Judge the requests, plan, build and lint, outside transactions.
    3. In one transaction look at the records, and reserve every certificate with its octets. 4. Sign. 5. In one
    transaction record every certificate and close the application.

    After 3 nothing is drawn or decided anew: an application that stops there is completed from the stored octets, when
    it is repeated or by `ca.recover`. A repeat is known by what refuses it, so that first applications, nearly all,
    need no look for an earlier one.

    Raises Refusal with the codes of the functions called, Refusal(KEY_USED_BEFORE), and Refusal(IDEMPOTENCY_MISMATCH)
    when the key belongs to another application of the caller.
    """
    now = authority.clock()
    require_municipality(application.caller, application.municipality, now)
    content = _canonical(application)
    try:
        application_id, reserved = _reserve(authority, application, content, now)
    except Refusal:
        with authority.begin(write=False) as work:
            earlier = work.applications.find(application.caller.label, application.key)
        if earlier is None:
            raise
        return _answer(authority, application, earlier.id, _repeat(authority, earlier, content, now), repeated=True)
    certificates = complete(authority, application_id, application.caller.label, reserved, now, {})
    return _answer(authority, application, application_id, certificates, repeated=False)


def _reserve(
    authority: Authority, application: IssuanceApplication, content: bytes, now: datetime
) -> tuple[int, list[tuple[CertificateRecord, LintedTbs]]]:
    """Commit the rows before any signature."""
    require_requests(application, now)
    keys = read_keys(authority, application.requests)
    beside = None
    if Kind.AUTHENTICATION not in application.requests:
        with authority.begin(write=False) as work:
            beside = require_entitlement(authority, work, application, now).authentication
    drafts = draft_certificates(authority, application, keys, beside, now)
    actor = application.caller.label
    reserved = []
    with authority.begin() as work:
        entitlement = require_entitlement(authority, work, application, now)
        if entitlement.authentication != beside:
            raise Refusal(Code.BUSY, "the resident's certificates are being changed; repeat the application")
        for row in entitlement.expired:
            work.certificates.end(row.issuer, row.serial, row.validity.not_after)
            work.audit.append(AuditEvent(Act.EXPIRED, actor, now, audit_facts(row)))
        application_id = work.applications.open(
            actor,
            application.key,
            authority.sealer.digest(content),
            entitlement.resident.id,
            application.municipality,
            now,
        )
        for kind in (kind for kind in Kind if kind in drafts):
            draft = drafts[kind]
            row = CertificateRecord(
                issuer=draft.generation.issuer.id,
                serial=draft.serial,
                kind=kind,
                carrier=application.carrier,
                resident_id=entitlement.resident.id,
                application_id=application_id,
                municipality=application.municipality,
                validity=draft.validity,
                state=CertificateState.RESERVED,
                der=draft.tbs,
                spki_digest=draft.spki_digest,
                profile_digest=draft.generation.profile.digest,
                reserved_at=now,
            )
            facts = {
                **audit_facts(row),
                "resident": row.resident_id,
                "profile": row.profile_digest,
                "tbs": hashlib.sha256(row.der).hexdigest(),
            }
            if draft.substitutions:
                facts["substitutes"] = [*map(substitution_facts, draft.substitutions)]
            work.audit.append(AuditEvent(Act.RESERVED, actor, now, facts))
            reserved.append((row, draft.linted))
        work.certificates.reserve([row for row, _ in reserved])
        work.commit()
    return application_id, reserved


def _repeat(authority: Authority, earlier: ApplicationRecord, content: bytes, now: datetime) -> dict[Kind, bytes]:
    """The certificates of an earlier application, which is completed now if it was interrupted."""
    if not authority.sealer.says(content, earlier.content):
        raise Refusal(
            Code.IDEMPOTENCY_MISMATCH,
            "this idempotency key belongs to an earlier application with other content; use a new key",
        )
    if earlier.issued_at is None:
        return resume(authority, earlier, now)
    with authority.begin(write=False) as work:
        return issued_by(work, earlier.id)


def _answer(
    authority: Authority,
    application: IssuanceApplication,
    application_id: int,
    certificates: Mapping[Kind, bytes],
    *,
    repeated: bool,
) -> IssuedPair:
    positions = positions_in(certificates)
    substitutions = substitutions_in(certificates, positions, application, authority.variants)
    return IssuedPair(application_id, certificates, positions, repeated, substitutions)


def _canonical(application: IssuanceApplication) -> bytes:
    """Everything asked for, in one order: equal octets for equal applications, whatever the key."""
    attributes, card, text = application.attributes, application.card, application.text
    content = [
        application.municipality.value,
        application.resident_code.digits,
        [attributes.name, attributes.address, attributes.birth_date.text, attributes.sex.value],
        [card.id, card.expires_on.isoformat(), application.carrier.value],
        [text.name, text.address],
        [[kind.value, application.requests[kind].hex()] for kind in Kind if kind in application.requests],
    ]
    return json.dumps(content, ensure_ascii=False).encode()
