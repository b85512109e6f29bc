"""Voices: which officer speaks, shown by a registered credential of a person, never by the terminal alone."""

from __future__ import annotations

from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate

from domain.errors import Code, Refusal
from domain.parties import Credential, Role, Usage
from domain.ports import UnitOfWork
from domain.proposals import Voice


def require_officer(work: UnitOfWork, voice: Voice, octets: bytes, now: datetime) -> Credential:
    """The credential of the officer who says `octets` (see `domain.proposals.spoken`).

    Raises Refusal(UNKNOWN_CALLER) for a certificate that is not registered or has ended, Refusal(NOT_ADMITTED) for one
    that is no officer's or whose officer is suspended, Refusal(BAD_REQUEST_SIGNATURE).
    """
    credential = work.parties.credential(voice.fingerprint)
    if credential is None or credential.usage is not Usage.TLS:
        raise Refusal(
            Code.UNKNOWN_CALLER, "the certificate is not registered; officers speak with their own credential"
        )
    if credential.party.role is not Role.OPERATOR:
        raise Refusal(Code.NOT_ADMITTED, "this is for officers: parties of the role operator")
    if not credential.party.in_force(now):
        raise Refusal(Code.NOT_ADMITTED, "the officer is suspended")
    if not credential.usable(now):
        raise Refusal(Code.UNKNOWN_CALLER, "the officer's certificate has expired or is withdrawn")
    if voice.signature is not None and not _signed(credential.certificate, octets, voice.signature):
        raise Refusal(
            Code.BAD_REQUEST_SIGNATURE, "the officer's key did not sign this proposal as it stands; look at it again"
        )
    return credential


def signed_by(work: UnitOfWork, voice: Voice, octets: bytes) -> Credential | None:
    """The officer's credential whose key signed `octets`, ended or not: for what was said long ago. None for nobody's
    signature, and for a voice that a TLS handshake stood for."""
    credential = work.parties.credential(voice.fingerprint)
    if credential is None or credential.party.role is not Role.OPERATOR or voice.signature is None:
        return None
    return credential if _signed(credential.certificate, octets, voice.signature) else None


def same_person(one: Credential, other: Credential) -> bool:
    """Whether two credentials stand for one person: the same party, or the same key under two names."""
    return one.party.id == other.party.id or public_key(one.certificate) == public_key(other.certificate)


def public_key(certificate: bytes) -> bytes:
    """SubjectPublicKeyInfo (DER) of a registered certificate."""
    key = load_der_x509_certificate(certificate).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _signed(certificate: bytes, octets: bytes, signature: bytes) -> bool:
    key = load_der_x509_certificate(certificate).public_key()
    try:
        match key:
            case rsa.RSAPublicKey():
                key.verify(signature, octets, padding.PKCS1v15(), SHA256())
            case ec.EllipticCurvePublicKey():
                key.verify(signature, octets, ec.ECDSA(SHA256()))
            case _:
                return False
    except InvalidSignature:
        return False
    return True
