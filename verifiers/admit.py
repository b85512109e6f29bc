"""Admission of a requestor to certificate status: the register of verifiers joined to the decision table."""

from __future__ import annotations

from datetime import datetime

from domain.certificates import IssuerId, Kind
from domain.errors import Refusal
from domain.parties import Credential, Party
from domain.provisions import Channel, Provision, Record
from policies.admission import Admit, Admitted, Inquiry, Requestor, admit_party
from policies.ocsp import Access
from verifiers.register import Register


def admit_status(
    register: Register,
    access: Access,
    channel: Channel,
    requestor: Requestor,
    kind: Kind,
    now: datetime,
    record: Record | None = None,
) -> Admitted:
    """Who asks, and what for, if `requestor` may be told the status of certificates of `kind` at `now` by that channel.

    Raises Refusal(UNKNOWN_CALLER) or Refusal(NOT_ADMITTED). Withdrawals count from the next request on. That a party
    was refused is put on record, with the deciding row; strangers are not, who could fill the record at will.
    """
    fingerprint = requestor.signed_fingerprint
    if fingerprint is None:
        return _decide(register, access, channel, requestor, (requestor.tls, requestor.bound), kind, now, record)
    kept, key = register.kept(), (fingerprint, requestor.purpose, requestor.provider, kind, channel, access)
    found: tuple[datetime, Admitted] | None = kept.get(key)
    if found is not None and found[0] == now:
        return found[1]
    signer = _signer(register, fingerprint, now)
    who = (signer.party, signer.purpose) if signer else (None, None)
    admitted = _decide(register, access, channel, requestor, who, kind, now, record)
    # Only who is admitted: strangers are many. Purposes and providers that are admitted are few.
    kept[key] = (now, admitted)
    return admitted


def _decide(
    register: Register,
    access: Access,
    channel: Channel,
    requestor: Requestor,
    who: tuple[Party | None, str | None],
    kind: Kind,
    now: datetime,
    record: Record | None,
) -> Admitted:
    party, bound = who
    provider = register.provider(party, requestor.provider) if party else None
    named = requestor.provider is not None
    inquiry = Inquiry(access, party, kind, now, channel, named, provider, requestor.purpose, bound)
    try:
        return admit_party(inquiry)
    except Refusal as refusal:
        if record is not None and party is not None:
            record(refused_provision(inquiry, str(refusal.facts.get("rule"))))
        raise


def refused_provision(inquiry: Inquiry, rule: str) -> Provision:
    """The record of a refusal: who asked, and the row that decided; about no certificate and no list. What the caller
    declared is left out, which could be anything."""
    issuer, answered = IssuerId(inquiry.kind.value), f"refused: {rule}"
    purpose = inquiry.bound or ""
    return Provision(inquiry.now, inquiry.party, inquiry.provider, purpose, issuer, inquiry.channel, b"", answered)


def status_admission(register: Register, access: Access, channel: Channel, record: Record | None = None) -> Admit:
    """`admit_status` bound to the register, for a door."""

    def admit(requestor: Requestor, kind: Kind, now: datetime) -> Admitted:
        return admit_status(register, access, channel, requestor, kind, now, record)

    return admit


def handle_admission(
    party: Party,
    provider: Party | None,
    purpose: str | None,
    kind: Kind,
    now: datetime,
    channel: Channel = Channel.HANDLE,
) -> None:
    """Return if `party` may learn handles of certificates of `kind`, or news of them, for the service provider behind
    it if there is one. Handles are for notified verifiers, also where status is open to everybody. Raises Refusal as
    `admit_status`.
    """
    named = provider is not None
    admit_party(Inquiry("notified-verifiers", party, kind, now, channel, named, provider, purpose))


def _signer(register: Register, fingerprint: bytes, now: datetime) -> Credential | None:
    """Who signed. A TLS credential may sign requests too: its holder could ask over TLS and learn the same."""
    credential = register.credential(fingerprint)
    return credential if credential is not None and credential.usable(now) else None
