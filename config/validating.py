"""Delegated validation as the services run it."""

from __future__ import annotations

from functools import partial

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from config.assemble import Services
from config.files import read_file, read_pem_certificate
from config.validation_settings import ValidationSettings
from domain.errors import Code, Refusal
from validation.examine import examine
from validation.parts import ConsentedHandles, ReceiptKey, Validation
from validation.sandbox import Sandbox


def make_validation(services: Services) -> Validation:
    """Its parts. Raises Refusal(BAD_CONFIGURATION) when the key for receipts is missing or does not fit."""
    settings = services.settings.validation
    certificate = read_pem_certificate(settings.certificate)
    return Validation(
        issuers=services.issuers,
        begin=services.begin,
        status=services.status,
        examine=partial(examine, Sandbox(_time_stamps(settings))),
        receipts=ReceiptKey(services.signer(settings.key, certificate), certificate),
        handles=ConsentedHandles(services.begin, services.handles.ring),
        record=services.record,
        policy=settings.policy,
        clock=services.clock,
        random=services.random,
    )


def _time_stamps(settings: ValidationSettings) -> list[bytes]:
    """The certificates (DER) of authorities whose time stamps are believed."""
    if settings.time_stamps is None:
        return []
    try:
        certificates = x509.load_pem_x509_certificates(read_file(settings.time_stamps))
    except ValueError:
        raise Refusal(Code.BAD_CONFIGURATION, f"{settings.time_stamps.name} must hold certificates in PEM") from None
    return [certificate.public_bytes(Encoding.DER) for certificate in certificates]
