"""Renewal of responder certificates before they end: answers never outlive them."""

from __future__ import annotations

from config.assemble import Services
from config.founding import renew_responder
from config.rules import load_profiles
from domain.certificates import IssuerId


def renew_due(services: Services, *, everyone: bool = False) -> list[IssuerId]:
    """Renew each responder certificate with less than a third of its life left, or all; the issuers renewed.

    The issuing keys are opened only if something is due. Raises Refusal(BAD_PLAN) when the issuer itself has ended.
    """
    now = services.clock()
    due = [row for row in services.settings.issuers if everyone or _is_due(services, row.id)]
    profiles = load_profiles(services.settings.profiles) if due else {}
    for row in due:
        renew_responder(
            services.settings,
            row,
            profiles,
            services.issuers[row.id],
            services.issuer_signers[row.id],
            services.signer(row.responder_key),
            now,
            services.random,
        )
    return [row.id for row in due]


def _is_due(services: Services, issuer: IssuerId) -> bool:
    validity = services.responder.keys[issuer].validity
    return services.clock() > validity.not_after - (validity.not_after - validity.not_before) / 3
