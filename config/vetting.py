"""Verifiers at the terminal: credentials certified for them, and the whole way to an approval in one go."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from config.assemble import Services
from config.enrolment import write_credential
from config.officers import OfficerCredential, require_two
from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.parties import LOCAL_OPERATOR, Party, Role, Usage
from domain.proposals import Proposal
from verifiers import registry
from verifiers.approvals import approval_content
from verifiers.vetting import Request, add_evidence, apply, notify

KINDS = {kind.value: kind for kind in Kind}
"""Kinds by their words."""


@dataclass(frozen=True, slots=True)
class Handed:
    """Where a verifier's new credential lies, and for how long it is made; `request` is a PKCS#10 of its own key."""

    folder: Path
    life: timedelta
    request: bytes | None = None


def add_verifier(
    services: Services,
    wanted: Request,
    officers: tuple[OfficerCredential, OfficerCredential],
    until: datetime | None,
    evidence: str,
    handed: Handed,
    reason: str,
) -> Party:
    """Register a verifier, bring `evidence` for every criterion, and have two officers, both here, approve it; or one
    more credential for a verifier that is approved for the same. It may ask from then on.

    Raises Refusal(SECOND_OFFICER) before anything is done, and as each of the steps; a second attempt goes on from the
    step that failed.
    """
    with services.begin(write=False) as work:
        require_two(work, *officers, services.clock())
        known = work.parties.find(Role.VERIFIER.value, wanted.name)
    if known is not None and known.approvals:
        _require_same(known, wanted, services.clock())
        with write_credential(services, known, handed.folder, handed.life, handed.request) as certificate:
            content: dict[str, object] = {
                "verifier": known.name,
                "usage": Usage.TLS.value,
                "certificate": base64.b64encode(certificate).decode(),
                "purpose": "",
            }
            _agree(services, officers, "verifier-credential", content, reason)
        return known
    rules, now = services.law.verifiers, services.clock()
    party = Party(0, Role.VERIFIER, wanted.name)
    with write_credential(services, party, handed.folder, handed.life, handed.request) as certificate:
        with services.begin() as work:
            if known is None or all(row.decided_at for row in work.vettings.of_party(known.id)):
                apply(work, rules, wanted, now, LOCAL_OPERATOR)
            party = registry.find_party(work, Role.VERIFIER, wanted.name)
            for criterion in rules.wanted(wanted.standing):
                add_evidence(work, rules, party, criterion, evidence, now, LOCAL_OPERATOR)
            registry.add_credential(work, party, certificate, Usage.TLS, now, LOCAL_OPERATOR)
            work.commit()
        approve_verifier(services, wanted.name, officers, now, until, reason)
    with services.begin() as work:
        party = registry.find_party(work, Role.VERIFIER, wanted.name)
        notify(work, party, frozenset(wanted.purposes), services.clock(), LOCAL_OPERATOR)
        work.commit()
    return party


def approve_verifier(
    services: Services,
    name: str,
    officers: tuple[OfficerCredential, OfficerCredential],
    since: datetime,
    until: datetime | None,
    reason: str,
) -> None:
    """Have one officer propose to approve a verifier's open application, and the other one confirm it."""
    _agree(services, officers, "verifier-approval", content_of(services, name, since, until), reason)


def content_of(services: Services, name: str, since: datetime, until: datetime | None) -> dict[str, object]:
    """What the approval of a verifier's open application is about; without `until` for as long as may be."""
    rules = services.law.verifiers
    with services.begin(write=False) as work:
        party = registry.find_party(work, Role.VERIFIER, name)
        longest = 365 * rules.standings[party.standing].years if party.standing else 0
        return approval_content(work, rules, party, since, until or since + timedelta(days=longest))


def encoded(octets: bytes) -> str:
    """Base64 of the DER of a certificate in PEM or DER. Raises Refusal(MALFORMED)."""
    pem = octets.lstrip().startswith(b"-----")
    try:
        parsed = x509.load_pem_x509_certificate(octets) if pem else x509.load_der_x509_certificate(octets)
    except ValueError:
        raise Refusal(Code.MALFORMED, "this is not an X.509 certificate in PEM or DER") from None
    return base64.b64encode(parsed.public_bytes(Encoding.DER)).decode()


def _agree(
    services: Services,
    officers: tuple[OfficerCredential, OfficerCredential],
    kind: str,
    content: dict[str, object],
    reason: str,
) -> Proposal:
    one, other = officers
    return other.confirm(services.board, one.propose(services.board, kind, content, reason))


def _require_same(known: Party, wanted: Request, now: datetime) -> None:
    same = {approval.kind: approval.purposes for approval in known.approvals if approval.withdrawn_at is None}
    if same != dict(wanted.purposes) or known.standing is not wanted.standing:
        raise Refusal(
            Code.ALREADY_APPLIED,
            "the verifier is registered with other kinds, purposes or standing; give the same ones for one more "
            "credential, or apply for others: jpki verifiers apply",
        )
    if not all(approval.in_force(now) for approval in known.approvals if approval.kind in same):
        raise Refusal(Code.NOT_ADMITTED, "the verifier's approval is not in force; renew it: jpki verifiers apply")
