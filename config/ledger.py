"""Disclosure of one state directory: what the doors and the terminal show residents with."""

from __future__ import annotations

from config.assemble import Services
from config.provisions import master_key
from domain.certificates import Kind
from provisions.disclosure import DisclosureOffice


def disclosure_office(services: Services) -> DisclosureOffice:
    """Raises ConfigurationFaults without the secret of the ledger."""
    return DisclosureOffice(
        begin=services.begin,
        clock=services.clock,
        random=services.random,
        sealer=services.sealer,
        master=master_key(services.settings),
        issuers=tuple(row.id for row in services.settings.issuers if row.kind is Kind.AUTHENTICATION),
    )
