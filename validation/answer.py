"""One validation: consent, certificate, document; and one answer, however often it is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.certificates import CertificateRecord
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.parties import Party
from domain.provisions import Channel, Provision
from domain.status import CertificateStatus
from domain.validations import Format, Item, Reason, ValidationRecord, used_up
from policies.admission import Inquiry
from policies.consents import TEXT, require_items, signs
from validation.consent import FIRST_LINE, Consent, read_consent
from validation.finding import Examination, Finding, SigningTime, unread
from validation.holder import find_person, holder_key, is_signed, items_of, standing
from validation.parts import Validation
from validation.receipt import Receipt, read_receipt, sign_receipt

RECEIPT_OCTETS = 16


@dataclass(frozen=True, slots=True, repr=False)
class SignedConsent:
    """A consent's text as it was signed, the signature, and the certificate (DER) of the key that made it."""

    text: bytes
    signature: bytes
    certificate: bytes


@dataclass(frozen=True, slots=True, repr=False)
class ValidationRequest:
    """What an operator sends, for itself or for the provider behind it of that name. `document` is what the consent
    names by its SHA-256: the octets that were signed, or the document with the signature in it; `signature` stands
    beside the former."""

    caller: Party
    key: str
    purpose: str
    format: Format
    document: bytes
    signature: bytes | None
    consent: SignedConsent
    provider: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class _Course:
    """A request that was let in: whose certificate, for whom, when. `operator` is who the person consents to."""

    request: ValidationRequest
    person: CertificateRecord
    provider: Party | None
    now: datetime

    @property
    def operator(self) -> Party:
        return self.provider or self.request.caller


@dataclass(frozen=True, slots=True, repr=False)
class ValidationAnswer:
    """`receipt` is the signed form of `content`. `items` are what the person let be told, by name."""

    receipt: str
    content: Receipt
    items: Mapping[str, str]
    repeated: bool


def validate(parts: Validation, request: ValidationRequest) -> ValidationAnswer:
    """Say whether a document is signed by the person who consents; repeated with its key, it gives the same receipt.

    Raises what the gate refuses, Refusal(FOREIGN_ISSUER), Refusal(BAD_CONSENT), Refusal(CONSENT_EXPIRED),
    Refusal(CONSENT_USED), Refusal(BAD_DOCUMENT), Refusal(IDEMPOTENCY_MISMATCH), Refusal(MALFORMED). A refusal leaves
    the consent unused. Only a valid signature earns a handle and items.
    """
    now = parts.clock()
    person = find_person(parts.begin, parts.issuers, request.consent.certificate)
    named, provider = request.provider is not None, parts.provider_of(request.caller, request.provider)
    about = (request.caller, person.kind, now, Channel.VALIDATION, named, provider, request.purpose)
    parts.gate.admit_operator(Inquiry("notified-verifiers", *about))
    course = _Course(request, person, provider, now)
    kept, repeated = _answer(parts, course)
    receipt = read_receipt(kept.receipt)
    _tell(parts, course, receipt)
    return ValidationAnswer(kept.receipt, receipt, items_of(person, receipt.items), repeated)


def _answer(parts: Validation, course: _Course) -> tuple[ValidationRecord, bool]:
    """What is kept of this validation, and whether it was kept before."""
    request, now = course.request, course.now
    content = _content(request)
    with parts.begin(write=False) as work:
        found = work.validations.find(request.caller.id, request.key)
    if found is not None:
        return _same(found, content), True
    consent = read_consent(request.consent.text)
    _require_consent(parts, course, consent)
    finding = parts.examine(_examination(request, now))
    receipt = _judge(parts, course, consent, finding)
    signed = sign_receipt(receipt, parts.receipts.signer, parts.receipts.certificate)
    record = ValidationRecord(
        request.caller.id,
        request.key,
        content,
        receipt.consent,
        signed,
        now,
        max(now + parts.policy.keep, consent.good_until + timedelta(seconds=1)),
    )
    return _keep(parts, course, record, receipt)


def _require_consent(parts: Validation, course: _Course, consent: Consent) -> None:
    """Return if the person consented to this very validation: by the provider, where it is asked for one, whoever the
    platform is. The signature is judged before anything else is told."""
    request, person, now = course.request, course.person, course.now
    if not is_signed(holder_key(person.der), request.consent.text, request.consent.signature):
        raise Refusal(
            Code.BAD_CONSENT, "the consent is not signed with this certificate's key", pointer="/consent/signature"
        )
    for said, asked, what in (
        (consent.operator, course.operator.name, "another operator"),
        (consent.purpose, request.purpose, "another purpose"),
        (consent.document, _digest(request.document), "another document"),
    ):
        if said != asked:
            raise Refusal(Code.BAD_CONSENT, f"the consent is for {what}", pointer=TEXT)
    parts.policy.require_time(consent.made_at, consent.good_until, now)
    require_items(person.kind, consent.items)
    with parts.begin(write=False) as work:
        if work.validations.used(_digest(request.consent.text)):
            raise used_up()


def _examination(request: ValidationRequest, now: datetime) -> Examination:
    if request.document.startswith(FIRST_LINE.encode()):
        raise unread("a consent is not validated as a document")
    return Examination(request.format, request.document, request.signature, request.consent.certificate, now)


def _judge(parts: Validation, course: _Course, consent: Consent, finding: Finding) -> Receipt:
    """What is found: the signature by itself, and the certificate's status now."""
    request, person, now = course.request, course.person, course.now
    status = parts.status.status_of(person.issuer, person.serial).at(now)
    why = standing(person, status, now)
    reasons = (*finding.reasons, *((why,) if why else ()))
    if not signs(person.kind, request.format):
        reasons = (*reasons, Reason.NOT_FOR_DOCUMENTS)
    valid = not reasons
    return Receipt(
        parts.random(RECEIPT_OCTETS).hex(),
        course.operator.name,
        request.purpose,
        request.format,
        consent.document,
        _digest(request.consent.text),
        person.kind,
        reasons,
        now,
        parts.handles.of(request.caller, course.provider, person) if valid else None,
        consent.items if valid else frozenset[Item](),
        _judged(finding.signing_time, person, status),
    )


def _judged(time: SigningTime | None, person: CertificateRecord, status: CertificateStatus) -> SigningTime | None:
    """A proven time with what the records say of the certificate then. It changes nothing of what is found now: whoever
    receives a signature must see that its certificate is good at that moment (公的個人認証法 §19)."""
    if time is None or not time.proven:
        return time
    revoked = status.revoked_at is not None and status.revoked_at <= time.at
    return replace(time, good_then=person.validity.covers(time.at) and not revoked)


def _keep(
    parts: Validation, course: _Course, record: ValidationRecord, receipt: Receipt
) -> tuple[ValidationRecord, bool]:
    """Use the consent up and keep the answer, in one transaction, unless another process was quicker."""
    facts = {
        "validation": receipt.id,
        "format": receipt.format.value,
        "kind": receipt.kind.value,
        "valid": receipt.valid,
        "reasons": [reason.value for reason in receipt.reasons],
        "items": [item.value for item in Item if item in receipt.items],
    }
    if course.provider is not None:
        facts["provider"] = course.provider.label
    with parts.begin() as work:
        found = work.validations.find(record.party_id, record.key)
        if found is not None:
            return _same(found, record.content), True
        work.validations.keep(record)
        work.audit.append(AuditEvent(Act.VALIDATED, course.request.caller.label, record.at, facts))
        work.commit()
    return record, False


def _same(found: ValidationRecord, content: bytes) -> ValidationRecord:
    if found.content != content:
        raise Refusal(
            Code.IDEMPOTENCY_MISMATCH,
            "this idempotency key belongs to an earlier request with other content; use a new key",
        )
    return found


def _tell(parts: Validation, course: _Course, receipt: Receipt) -> None:
    """Put the hand-over on record, repeated ones too: whose certificate it was is kept there and nowhere else."""
    parts.record(
        Provision(
            course.now,
            course.request.caller,
            course.provider,
            receipt.purpose,
            course.person.issuer,
            Channel.VALIDATION,
            course.person.serial.octets,
            "valid" if receipt.valid else receipt.reasons[0].value,
            receipt.consent,
        )
    )


def _content(request: ValidationRequest) -> bytes:
    """Digest of everything that was asked. The number in the consent makes it one that nobody can guess."""
    consent = request.consent
    parts = (
        request.format.value.encode(),
        request.purpose.encode(),
        request.document,
        b"" if request.signature is None else b"beside" + request.signature,
        consent.text,
        consent.signature,
        consent.certificate,
        *(() if request.provider is None else (request.provider.encode(),)),
    )
    return _digest(b"".join(map(_digest, parts)))


def _digest(octets: bytes) -> bytes:
    return hashlib.sha256(octets).digest()
