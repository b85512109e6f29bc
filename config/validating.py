"""Delegated validation as the services run it."""

from __future__ import annotations

from functools import partial

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from config.assemble import Services
from config.files import read_file
from config.receipts import open_receipts
from config.validation_settings import ValidationSettings
from domain.errors import Code, Refusal
from validation.examine import examine
from validation.parts import ConsentedHandles, Validation
from validation.sandbox import Sandbox


def make_sandbox(settings: ValidationSettings) -> Sandbox:
    """Where documents are read; close it. Raises Refusal(BAD_CONFIGURATION)."""
    return Sandbox(time_stamp_authorities(settings))


def make_validation(services: Services, sandbox: Sandbox) -> Validation:
    """Its parts. Raises Refusal(BAD_CONFIGURATION) when the key for receipts is missing or does not fit."""
    return Validation(
        issuers=services.issuers,
        begin=services.begin,
        status=services.status,
        examine=partial(examine, sandbox),
        receipts=open_receipts(services),
        handles=ConsentedHandles(services.begin, services.handles.ring),
        gate=services.gate,
        provider_of=services.register.provider,
        record=services.record,
        policy=services.settings.validation.policy,
        clock=services.clock,
        random=services.random,
    )


def time_stamp_authorities(settings: ValidationSettings) -> list[bytes]:
    """The certificates (DER) of authorities whose time stamps are believed. Raises Refusal(BAD_CONFIGURATION)."""
    if settings.time_stamps is None:
        return []
    try:
        certificates = x509.load_pem_x509_certificates(read_file(settings.time_stamps))
    except ValueError:
        raise Refusal(Code.BAD_CONFIGURATION, f"{settings.time_stamps.name} must hold certificates in PEM") from None
    return [certificate.public_bytes(Encoding.DER) for certificate in certificates]
