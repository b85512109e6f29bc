"""Admission of a requestor to certificate status: the register of verifiers joined to the decision table."""

from __future__ import annotations

from datetime import datetime

from domain.certificates import Kind
from domain.parties import Credential, Party
from domain.ports import Clock
from domain.provisions import Channel
from policies.admission import Admit, Admitted, Inquiry, Requestor
from policies.ocsp import Access
from verifiers.gate import Gate
from verifiers.register import Register


def admit_status(
    register: Register,
    access: Access,
    channel: Channel,
    requestor: Requestor,
    kind: Kind,
    now: datetime,
    gate: Gate,
) -> Admitted:
    """Who asks, and what for, if `requestor` may be told the status of certificates of `kind` at `now` by that channel.

    Raises Refusal(UNKNOWN_CALLER), Refusal(NOT_ADMITTED) or Refusal(BUSY), as the gate does. Withdrawals count from
    the next request on.
    """
    fingerprint = requestor.signed_fingerprint
    if fingerprint is None:
        return _decide(register, access, channel, requestor, (requestor.tls, requestor.bound), kind, now, gate)
    kept, key = register.kept(), (fingerprint, requestor.purpose, requestor.provider, kind, channel, access)
    found: tuple[datetime, Admitted] | None = kept.get(key)
    if found is not None and found[0] == now:
        return found[1]
    signer = _signer(register, fingerprint, now)
    who = (signer.party, signer.purpose) if signer else (None, None)
    admitted = _decide(register, access, channel, requestor, who, kind, now, gate)
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
    gate: Gate,
) -> Admitted:
    party, bound = who
    provider = register.provider(party, requestor.provider) if party else None
    named = requestor.provider is not None
    inquiry = Inquiry(access, party, kind, now, channel, named, provider, requestor.purpose, bound)
    return gate.admit(inquiry)


def named_provider(register: Register, gate: Gate, clock: Clock, party: Party, name: str | None) -> Party | None:
    """The provider that a party names, if it does. For a name that is none raises as the gate does, of which no table
    lets anybody pass (`policies.admission_rows.FLOOR`)."""
    provider = register.provider(party, name)
    if name is not None and provider is None:
        kind = next((approval.kind for approval in party.approvals), Kind.SIGNATURE)
        gate.admit(Inquiry("notified-verifiers", party, kind, clock(), Channel.HANDLE, names_provider=True))
    return provider


def status_admission(register: Register, access: Access, channel: Channel, gate: Gate) -> Admit:
    """`admit_status` bound to the register, for a door."""

    def admit(requestor: Requestor, kind: Kind, now: datetime) -> Admitted:
        return admit_status(register, access, channel, requestor, kind, now, gate)

    return admit


def _signer(register: Register, fingerprint: bytes, now: datetime) -> Credential | None:
    """Who signed. A TLS credential may sign requests too: its holder could ask over TLS and learn the same."""
    credential = register.credential(fingerprint)
    return credential if credential is not None and credential.usable(now) else None
