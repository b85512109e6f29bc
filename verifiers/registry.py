"""The register of parties: verifiers and other callers, their credentials, and the audit row of every change."""

from __future__ import annotations

import hashlib
from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import InvalidVersion, load_der_x509_certificate

from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.parties import Credential, Party, Role, Usage
from domain.ports import UnitOfWork
from domain.proposals import Proposal
from verifiers.voices import public_key

FOUNDERS = 2
"""Officers that the terminal registers. From then on officers come and go by proposal."""

_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


def add_party(work: UnitOfWork, party: Party, at: datetime, actor: Party, confirmed: Proposal | None = None) -> Party:
    """Register `party` (its id is ignored); the stored party. The caller commits, here and below.

    Raises Refusal(MALFORMED) when role, municipality and kinds do not go together, Refusal(ALREADY_APPLIED) when the
    role has a party of that name, Refusal(SECOND_OFFICER) for an officer beyond the founders without a `confirmed` act.
    """
    _require_two(work, party, confirmed)
    if not party.name.strip() or not party.name.isprintable():
        raise Refusal(Code.MALFORMED, "a party needs a name of printable characters", pointer="name")
    if (party.role is Role.MUNICIPALITY) != (party.municipality is not None):
        raise Refusal(Code.MALFORMED, "a municipality needs its code, and only a municipality", pointer="municipality")
    if (party.role is Role.VERIFIER) != bool(party.kinds):
        raise Refusal(
            Code.MALFORMED, "a verifier needs the kinds it has notified, and only a verifier", pointer="kinds"
        )
    stored = work.parties.add(party, at)
    until = stored.in_force_until
    facts = {
        "party": stored.label,
        "municipality": stored.municipality and str(stored.municipality),
        "kinds": sorted(kind.value for kind in stored.kinds),
        "in_force_until": until and until.isoformat(),
    }
    work.audit.append(AuditEvent(Act.PARTY_ADDED, actor.label, at, facts))
    return stored


def find_party(work: UnitOfWork, role: Role, name: str) -> Party:
    """The registered party. Raises Refusal(NOT_FOUND)."""
    party = work.parties.find(role.value, name)
    if party is None:
        raise Refusal(Code.NOT_FOUND, f"there is no {role.value} named {name}; see the list of parties")
    return party


def suspend(work: UnitOfWork, party: Party, at: datetime, actor: Party, confirmed: Proposal | None = None) -> None:
    """Stop `party` and with it all its credentials.

    Raises Refusal(ALREADY_APPLIED) when it is suspended already, Refusal(SECOND_OFFICER) as `add_party` does.
    """
    _require_two(work, party, confirmed)
    if party.suspended_at is not None:
        raise Refusal(Code.ALREADY_APPLIED, "the party is suspended already")
    work.parties.suspend(party.id, at)
    work.audit.append(AuditEvent(Act.PARTY_SUSPENDED, actor.label, at, {"party": party.label}))


def add_credential(
    work: UnitOfWork,
    party: Party,
    certificate: bytes,
    usage: Usage,
    at: datetime,
    actor: Party,
    confirmed: Proposal | None = None,
    purpose: str | None = None,
) -> Credential:
    """Let a certificate (DER) speak for `party`. One certificate has one usage, and one officer's key is no other's.

    Raises Refusal(MALFORMED) for octets that are no certificate, one that has expired, or a usage that does not go
    with the role; Refusal(BAD_KEY) for a key other than RSA of 2048 to 4096 bits, P-256, P-384 or P-521, or that of
    another officer; Refusal(ALREADY_APPLIED) for a certificate that was ever registered, by whomever; and
    Refusal(SECOND_OFFICER) as `add_party` does, but not for an officer's first one; and for a verifier that was
    approved, unless the verifier itself registers it.
    """
    if usage is Usage.OCSP_REQUEST and party.role is not Role.VERIFIER:
        raise Refusal(Code.MALFORMED, "only verifiers sign OCSP requests", pointer="usage")
    not_after = _not_after(certificate)
    if at > not_after:
        raise Refusal(Code.MALFORMED, "the certificate has expired; register its successor", pointer="certificate")
    fingerprint = hashlib.sha256(certificate).digest()
    if party.role is Role.OPERATOR:
        if work.parties.credentials(party.id):
            _require_two(work, party, confirmed)
        _require_own_key(work, party, certificate)
    elif party.approvals and party.id != actor.id:
        _require_two(work, party, confirmed)
    if work.parties.credential(fingerprint) is not None:
        raise Refusal(
            Code.ALREADY_APPLIED, "the certificate is or was registered; make a new one", pointer="certificate"
        )
    credential = Credential(fingerprint, usage, party, not_after, certificate=certificate, purpose=purpose)
    work.parties.add_credential(credential, at)
    facts = {**_facts(credential), "not_after": not_after.isoformat()}
    work.audit.append(AuditEvent(Act.CREDENTIAL_ADDED, actor.label, at, facts))
    return credential


def withdraw(
    work: UnitOfWork, fingerprint: bytes, at: datetime, actor: Party, confirmed: Proposal | None = None
) -> None:
    """End a credential from the next request on, for good.

    Raises Refusal(NOT_FOUND), Refusal(ALREADY_APPLIED) when it is withdrawn already, Refusal(SECOND_OFFICER) as
    `add_party` does, unless an officer ends an own one.
    """
    credential = work.parties.credential(fingerprint)
    if credential is None:
        raise Refusal(Code.NOT_FOUND, "no credential has this fingerprint; see the list of parties")
    if credential.party.id != actor.id and credential.party.role is Role.OPERATOR:
        _require_two(work, credential.party, confirmed)
    if credential.withdrawn_at is not None:
        raise Refusal(Code.ALREADY_APPLIED, "the credential is withdrawn already")
    work.parties.withdraw(fingerprint, at)
    work.audit.append(AuditEvent(Act.CREDENTIAL_WITHDRAWN, actor.label, at, _facts(credential)))


def _require_two(work: UnitOfWork, party: Party, confirmed: Proposal | None) -> None:
    """Whoever could make or unmake officers alone could stand for two. About an approved verifier two decide, too."""
    if confirmed is not None:
        return
    if party.approvals:
        raise Refusal(
            Code.SECOND_OFFICER, "the verifier was approved by two officers, and two decide (see: jpki verifiers)"
        )
    if party.role is not Role.OPERATOR:
        return
    if sum(row.role is Role.OPERATOR for row in work.parties.all()) >= FOUNDERS:
        raise Refusal(
            Code.SECOND_OFFICER, "there are officers: these decide about officers by two (see: jpki proposals make)"
        )


def _require_own_key(work: UnitOfWork, party: Party, certificate: bytes) -> None:
    mine = public_key(certificate)
    for other in work.parties.all():
        if other.role is not Role.OPERATOR or other.id == party.id:
            continue
        if any(public_key(credential.certificate) == mine for credential in work.parties.credentials(other.id)):
            raise Refusal(
                Code.BAD_KEY, "another officer has this key; each person has a key of their own", pointer="certificate"
            )


def _facts(credential: Credential) -> dict[str, object]:
    return {
        "party": credential.party.label,
        "usage": credential.usage.value,
        "fingerprint": credential.fingerprint.hex(),
    }


def _not_after(certificate: bytes) -> datetime:
    """End of the validity of a certificate whose key is acceptable."""
    try:
        parsed = load_der_x509_certificate(certificate)
        key = parsed.public_key()
    except (ValueError, InvalidVersion, UnsupportedAlgorithm):
        raise Refusal(Code.MALFORMED, "this is not an X.509 certificate in DER", pointer="certificate") from None
    match key:
        case rsa.RSAPublicKey() if 2048 <= key.key_size <= 4096:
            pass
        case ec.EllipticCurvePublicKey() if isinstance(key.curve, _CURVES):
            pass
        case _:
            raise Refusal(
                Code.BAD_KEY, "want a key of type RSA (2048 to 4096 bits), P-256, P-384 or P-521", pointer="certificate"
            )
    return parsed.not_valid_after_utc
