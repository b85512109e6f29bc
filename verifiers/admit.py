"""Admission of a requestor to certificate status: the register of verifiers joined to the decision table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from domain.certificates import Kind
from domain.parties import Credential, Party
from domain.ports import Begin
from policies.admission import Admit, Admitted, Inquiry, Requestor, admit_party
from policies.ocsp import Access

CredentialLookup = Callable[[bytes], Credential | None]
"""The registered credential with that SHA-256 fingerprint."""


def admit_status(find: CredentialLookup, access: Access, requestor: Requestor, kind: Kind, now: datetime) -> Admitted:
    """Who asks, if `requestor` may be told the status of certificates of `kind` at `now`.

    Raises Refusal(UNKNOWN_CALLER) or Refusal(NOT_ADMITTED). The credential is looked up for every request, so its
    withdrawal counts from the next one on.
    """
    party = _party(find, requestor, now)
    admit_party(Inquiry(access, party, kind, now))
    return Admitted(party)


def status_admission(begin: Begin, access: Access) -> Admit:
    """`admit_status` bound to the store, for the responder. Opens a reading unit of work for signed requests only."""

    def find(fingerprint: bytes) -> Credential | None:
        with begin(write=False) as work:
            return work.parties.credential(fingerprint)

    def admit(requestor: Requestor, kind: Kind, now: datetime) -> Admitted:
        return admit_status(find, access, requestor, kind, now)

    return admit


def handle_admission(party: Party, provider: Party | None, purpose: str | None, kind: Kind, now: datetime) -> None:  # noqa: ARG001
    """Return if `party` may learn handles of certificates of `kind`, for the service provider behind it if there is
    one. Handles are for notified verifiers, also where status is open to everybody. Raises Refusal as `admit_status`.
    """
    for asking in (party, provider):
        if asking is not None:
            admit_party(Inquiry("notified-verifiers", asking, kind, now))


def _party(find: CredentialLookup, requestor: Requestor, now: datetime) -> Party | None:
    """Who is asking. A TLS credential may sign requests too: its holder could ask over TLS and learn the same."""
    if requestor.signed_fingerprint is None:
        return requestor.tls
    credential = find(requestor.signed_fingerprint)
    return credential.party if credential is not None and credential.usable(now) else None
