"""Delegated validation as the services run it."""

from __future__ import annotations

from functools import partial

from config.assemble import Services
from config.files import read_pem_certificate
from validation.examine import examine, nothing_else
from validation.parts import ConsentedHandles, ReceiptKey, Validation


def make_validation(services: Services) -> Validation:
    """Its parts. Raises Refusal(BAD_CONFIGURATION) when the key for receipts is missing or does not fit."""
    settings = services.settings.validation
    certificate = read_pem_certificate(settings.certificate)
    return Validation(
        issuers=services.issuers,
        begin=services.begin,
        status=services.status,
        examine=partial(examine, nothing_else),
        receipts=ReceiptKey(services.signer(settings.key, certificate), certificate),
        handles=ConsentedHandles(services.begin, services.handles.ring),
        record=services.record,
        policy=settings.policy,
        clock=services.clock,
        random=services.random,
    )
