"""The course of one application, from step to step, up to the one that refuses it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from ca.authority import Authority
from ca.completion import Reserved, audit_facts, issued_by, record, resume, sign_reserved
from ca.draft import Draft, RequestedKey, draft_certificates, read_keys
from ca.entitlement import Basis, Entitlement, require_entitlement, require_municipality, require_requests
from ca.proof import require_proof
from ca.revoke import expire
from ca.substitutes import positions_in, substitution_facts, substitutions_in
from domain.applications import ApplicationRecord, IssuanceApplication, IssuedPair
from domain.certificates import Carrier, CertificateRecord, CertificateState, Kind
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.ports import UnitOfWork
from policies.issuance import IssuanceRule, steps_rule, waits_for_delivery

_write = json.JSONEncoder(ensure_ascii=False).encode


class Course:
    """An application on its way.

    `content` is all that is asked for, once the caller may apply at all; `basis` is what of the records the drafts rest
    on, and `found` what they should rest on, where that turned out to be something else.
    """

    content: bytes
    keys: Mapping[Kind, RequestedKey]
    drafts: Mapping[Kind, Draft]
    application_id: int
    reserved: Reserved
    certificates: dict[Kind, bytes]

    def __init__(self, authority: Authority, application: IssuanceApplication, now: datetime) -> None:
        """Judged as far as can be without the records of the moment."""
        self.authority, self.application, self.now = authority, application, now
        self.actor = application.caller.label
        self.basis = Basis()
        self.found: Basis | None = None
        self.refusal: Refusal | None = None
        self.may_be_repeat = False
        try:
            require_municipality(application.caller, application.municipality, now)
            self.content = _canonical(application)
            self.may_be_repeat = True
            require_requests(authority.issuance, application, now)
            self.keys = read_keys(authority, application.requests, application.carrier)
            if Kind.AUTHENTICATION not in application.requests or application.carrier is not Carrier.CARD:
                with authority.begin(write=False) as work:
                    self.basis = self._entitlement(work).basis
            self.drafts = self._draft()
        except Refusal as refusal:
            self.refusal = refusal

    def _entitlement(self, work: UnitOfWork) -> Entitlement:
        windows = {kind: requested.generation.profile.validity for kind, requested in self.keys.items()}
        return require_entitlement(self.authority, work, self.application, windows, self.now)

    def _draft(self) -> dict[Kind, Draft]:
        if self.basis.card is not None:
            require_proof(self.application, self.basis.card.der)
        return draft_certificates(self.authority, self.application, self.keys, self.basis, self.now)

    def draft_anew(self) -> None:
        """Draft upon what was found when the first draft was to be recorded."""
        self.basis, self.found = self.found or self.basis, None
        try:
            self.drafts = self._draft()
        except Refusal as refusal:
            self.refusal = refusal
        else:
            self.refusal = None

    def reserve(self, work: UnitOfWork) -> Refusal | None:
        """Rows before any signature; or what the records of the moment have against it, and nothing is written."""
        application, now = self.application, self.now
        self.found = None
        try:
            entitlement = self._entitlement(work)
        except Refusal as refusal:
            return refusal
        if entitlement.basis != self.basis:
            self.found = entitlement.basis
            return Refusal(Code.BUSY, "the resident's certificates are being changed; repeat the application")
        resident_id = entitlement.resident.id
        for row in entitlement.expired:
            expire(work, row, self.actor, now)
        self.application_id = work.applications.open(
            self.actor,
            application.key,
            self.authority.sealer.digest(self.content),
            resident_id,
            application.municipality,
            now,
        )
        rule = steps_rule(alone=self.basis.authentication is not None, replaces=bool(self.basis.replaced))
        self.reserved = [
            (self._row(kind, draft, entitlement, rule), draft.linted)
            for kind in Kind
            if (draft := self.drafts.get(kind)) is not None
        ]
        for row, _ in self.reserved:
            facts: dict[str, object] = {
                **audit_facts(row),
                "resident": resident_id,
                "profile": row.profile_digest,
                "tbs": hashlib.sha256(row.der).hexdigest(),
                "predecessor": row.predecessor,
                "pending": row.pending,
                "issuance": rule.value,
            }
            if substitutions := self.drafts[row.kind].substitutions:
                facts["substitutes"] = [*map(substitution_facts, substitutions)]
            work.audit.append(AuditEvent(Act.RESERVED, self.actor, now, facts))
        work.certificates.reserve([row for row, _ in self.reserved])
        return None

    def _row(self, kind: Kind, draft: Draft, entitlement: Entitlement, rule: IssuanceRule) -> CertificateRecord:
        return CertificateRecord(
            issuer=draft.generation.issuer.id,
            serial=draft.serial,
            kind=kind,
            carrier=self.application.carrier,
            resident_id=entitlement.resident.id,
            application_id=self.application_id,
            municipality=self.application.municipality,
            validity=draft.validity,
            state=CertificateState.RESERVED,
            der=draft.tbs,
            spki_digest=draft.spki_digest,
            profile_digest=draft.generation.profile.digest,
            reserved_at=self.now,
            pending=waits_for_delivery(self.authority.issuance, rule),
            predecessor=entitlement.predecessors.get(kind),
            line=_line(self.basis.replaced.get(kind)),
        )

    def sign(self) -> None:
        if self.refusal is not None:
            return
        self.may_be_repeat = False  # it was begun just now
        try:
            self.certificates = sign_reserved(self.authority, self.reserved)
        except Refusal as refusal:
            self.refusal = refusal

    def record(self, work: UnitOfWork) -> None:
        """Whoever completed it meanwhile has given out other signatures: theirs count."""
        self.certificates = record(
            work, self.application_id, self.actor, self.reserved, self.certificates, self.now, {}
        )

    def answer(self) -> IssuedPair | Refusal:
        """What is told to the caller. A repeat gets the answer of the application before."""
        if self.refusal is None:
            return self._pair([row for row, _ in self.reserved], self.certificates, repeated=False)
        if not self.may_be_repeat:
            return self.refusal
        try:
            with self.authority.begin(write=False) as work:
                earlier = work.applications.find(self.actor, self.application.key)
            if earlier is None:
                return self.refusal
            certificates = _repeat(self.authority, earlier, self.content, self.now)
            with self.authority.begin(write=False) as work:
                rows = work.certificates.of_application(earlier.id)
            return self._pair(rows, certificates, repeated=True)
        except Refusal as refusal:
            return refusal

    def _pair(
        self, rows: Sequence[CertificateRecord], certificates: Mapping[Kind, bytes], *, repeated: bool
    ) -> IssuedPair:
        pending = any(row.pending and row.ended_at is None for row in rows)
        positions = positions_in(certificates)
        substitutions = substitutions_in(certificates, positions, self.application, self.authority.variants)
        return IssuedPair(rows[0].application_id, certificates, positions, repeated, substitutions, pending)


def _line(replaced: CertificateRecord | None) -> int | None:
    """A renewed certificate stays in the line of the one it replaces; after an end a new line begins: what became of a
    holder then is told to nobody without consent."""
    if replaced is None:
        return None
    return replaced.application_id if replaced.line is None else replaced.line


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


def _canonical(application: IssuanceApplication) -> bytes:
    """Everything asked for, in one order: equal octets for equal applications, whatever the key."""
    attributes, card, text = application.attributes, application.card, application.text
    content: list[object] = [
        application.municipality.value,
        application.resident_code.digits,
        [attributes.name, attributes.address, attributes.birth_date.text, attributes.sex.value],
        [card.id, card.expires_on.isoformat(), application.carrier.value],
        [text.name, text.address],
        [[kind.value, application.requests[kind].hex()] for kind in Kind if kind in application.requests],
    ]
    if application.under_guardianship:  # nothing is added for all others: kept digests stay comparable
        content.append("under guardianship")
    return _write(content).encode()
