"""The key that signs receipts of validations: made once, certified by the transport authority for nothing else."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key

from config.assemble import Services
from config.files import read_pem_certificate, replace_public
from config.settings import Settings
from config.signers import make_key
from config.transport import open_transport
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.parties import LOCAL_OPERATOR
from domain.ports import RandomSource
from validation.parts import ReceiptKey

LIFE = timedelta(days=397)


def found_receipts(settings: Settings, now: datetime, random: RandomSource) -> bool:
    """Make the key and its first certificate; False where they are."""
    if settings.validation.certificate.exists():
        return False
    settings.validation.key.unlink(missing_ok=True)  # left by one who was interrupted, and never certified
    certify_receipts(settings, make_key(settings, "ec-p256", settings.validation.key).public, now, random)
    return True


def certify_receipts(settings: Settings, public: bytes, now: datetime, random: RandomSource) -> x509.Certificate:
    """Put a certificate for this key (SubjectPublicKeyInfo) in place, from `now` on."""
    key = load_der_public_key(public)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError("receipts are signed with a key on P-256")
    certificate = open_transport(settings).certify_receipts(key, now, LIFE, random)
    replace_public(settings.validation.certificate, certificate.public_bytes(Encoding.PEM))
    return certificate


def open_receipts(services: Services) -> ReceiptKey:
    """The key in use. Raises Refusal(BAD_CONFIGURATION)."""
    settings = services.settings.validation
    if not settings.certificate.exists():
        raise Refusal(Code.BAD_CONFIGURATION, "there is no key for receipts of validations; make it with: jpki upgrade")
    certificate = read_pem_certificate(settings.certificate)
    return ReceiptKey(services.signer(settings.key, certificate), certificate)


def tell_certified(services: Services) -> None:
    """Put the certificate that is in place now on the audit trail."""
    certificate = read_pem_certificate(services.settings.validation.certificate)
    facts = {"certificate": hashlib.sha256(certificate).hexdigest()}
    with services.begin() as work:
        work.audit.append(AuditEvent(Act.RECEIPTS_CERTIFIED, LOCAL_OPERATOR.label, services.clock(), facts))
        work.commit()
