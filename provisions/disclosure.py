"""Disclosure (開示): residents see who was told what about their certificates, by their own key or at a counter."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from domain.certificates import CertificateRecord, CertificateState, IssuerId, Kind
from domain.code_keys import CodeSealer
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.parties import Party
from domain.people import ResidentCode
from domain.ports import Begin, Clock, RandomSource, UnitOfWork
from domain.serial import SerialNumber
from provisions.ledger import Told, read_ledger

LASTS = timedelta(minutes=5)
"""From a challenge to its answer."""

_FIRST_LINE = "JPKI disclosure of provision records, version 1"
_LABEL = b"jpki ledger challenge\x00"
_CHANCE, _MAC = 16, 16


class IdentityCheck(Enum):
    """By what the municipality knew the person at its counter. Source: 規則 §75, as quoted; the list is not whole."""

    CARD = "card"
    PASSPORT = "passport"
    RESIDENCE_CARD = "residence-card"
    LICENCE = "driving-licence"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class DisclosureOffice:
    """All that disclosure takes. `issuers` are those of authentication certificates."""

    begin: Begin
    clock: Clock
    random: RandomSource
    sealer: CodeSealer
    master: bytes = field(repr=False)
    issuers: Sequence[IssuerId] = ()


@dataclass(frozen=True, slots=True)
class Challenge:
    """A text that is answered once, before `expires_at`, with a signature over `content_of` it."""

    text: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What one resident is shown: what was filed by `as_of`, oldest first."""

    as_of: datetime
    told: Sequence[Told] = field(repr=False)


def content_of(challenge: str) -> bytes:
    """What the person's authentication key signs."""
    return f"{_FIRST_LINE}\n{challenge}\n".encode()


def make_challenge(office: DisclosureOffice) -> Challenge:
    """A challenge for whoever asks. Nothing is kept of it until it is answered."""
    expires_at = office.clock() + LASTS
    said = int(expires_at.timestamp()).to_bytes(8) + office.random(_CHANCE)
    return Challenge(base64.urlsafe_b64encode(said + _mac(office, said)).decode(), expires_at)


def disclose_to_owner(office: DisclosureOffice, certificate: bytes, challenge: str, signature: bytes) -> Disclosure:
    """What was told about the resident who holds the key of this authentication certificate (DER).

    RSA PKCS#1 v1.5 with SHA-256, or ECDSA with SHA-384. Raises Refusal: UNKNOWN_CALLER for a certificate that is none
    of ours or is no authentication certificate; BAD_PROOF for a challenge that is not ours or too old, or a wrong
    signature; NOT_ADMITTED for one that is revoked, held or has ended; ALREADY_APPLIED for a challenge answered before.
    """
    now = office.clock()
    _require_challenge(office, challenge, now)
    with office.begin(write=False) as work:
        record = _find(office, work, certificate)
    # Before its status is told, which is not for whoever has seen the certificate, and before anybody waits for us.
    _require_signature(certificate, challenge, signature)
    with office.begin() as work:
        if not record.validity.covers(now) or work.revocations.find(record.issuer, record.serial) or record.pending:
            raise Refusal(
                Code.NOT_ADMITTED, "this certificate is not in force; ask at the counter of your municipality"
            )
        work.provisions.spend(hashlib.sha256(challenge.encode()).digest(), now)
        disclosure = _disclose(office, work, record.resident_id, "resident", now, {"by": "authentication-certificate"})
        work.commit()
    return disclosure


def disclose_at_counter(
    office: DisclosureOffice, caller: Party, code: ResidentCode, identity: IdentityCheck
) -> Disclosure:
    """What was told about a resident of the municipality that asks for the person at its counter (法 §58(1)).

    Raises Refusal(UNKNOWN_RESIDENT), and Refusal(WRONG_MUNICIPALITY) for a resident of another.
    """
    now = office.clock()
    with office.begin() as work:
        resident = work.residents.find(*office.sealer.indexes(code))
        if resident is None:
            raise Refusal(Code.UNKNOWN_RESIDENT, "nobody is on record under this resident code")
        if resident.municipality != caller.municipality:
            raise Refusal(Code.WRONG_MUNICIPALITY, "this resident's record is held by another municipality")
        facts = {"by": "counter", "identity": identity.value}
        disclosure = _disclose(office, work, resident.id, caller.label, now, facts)
        work.commit()
    return disclosure


def _disclose(
    office: DisclosureOffice, work: UnitOfWork, resident: int, to: str, now: datetime, facts: Mapping[str, object]
) -> Disclosure:
    records = [row for row in work.certificates.of_resident(resident) if row.state is CertificateState.ISSUED]
    told = read_ledger(work, office.master, records)
    said = {"resident": resident, "lines": len(told), **facts}
    work.audit.append(AuditEvent(Act.LEDGER_DISCLOSED, to, now, said))
    return Disclosure(now, told)


def _find(office: DisclosureOffice, work: UnitOfWork, certificate: bytes) -> CertificateRecord:
    """The certificate's own row: it is ours when it is, octet for octet, one that we issued."""
    try:
        serial = SerialNumber.known(x509.load_der_x509_certificate(certificate).serial_number)
    except ValueError:
        serial = None
    for issuer in office.issuers if serial else ():
        record = work.certificates.find(issuer, cast(SerialNumber, serial))
        if record is not None and record.kind is Kind.AUTHENTICATION and record.der == certificate:
            return record
    raise Refusal(
        Code.UNKNOWN_CALLER, "this is no authentication certificate of this authority; show that of your own card"
    )


def _require_challenge(office: DisclosureOffice, challenge: str, now: datetime) -> None:
    try:
        octets = base64.b64decode(challenge, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    said, mac = octets[:-_MAC], octets[-_MAC:]
    if len(said) != 8 + _CHANCE or not hmac.compare_digest(mac, _mac(office, said)):
        raise Refusal(Code.BAD_PROOF, "this is no challenge of this authority; ask for a new one", pointer="/challenge")
    if now > datetime.fromtimestamp(int.from_bytes(said[:8]), UTC):
        raise Refusal(Code.BAD_PROOF, "the challenge is too old; ask for a new one", pointer="/challenge")


def _require_signature(certificate: bytes, challenge: str, signature: bytes) -> None:
    key = x509.load_der_x509_certificate(certificate).public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, content_of(challenge), padding.PKCS1v15(), hashes.SHA256())
        else:
            cast(ec.EllipticCurvePublicKey, key).verify(signature, content_of(challenge), ec.ECDSA(hashes.SHA384()))
    except InvalidSignature:
        raise Refusal(
            Code.BAD_PROOF, "the challenge is not signed by the key of this certificate", pointer="/signature"
        ) from None


def _mac(office: DisclosureOffice, said: bytes) -> bytes:
    return hmac.digest(office.master, _LABEL + said, "sha256")[:_MAC]
