"""Succession: new key generations beside the old ones, as the settings name them."""

from __future__ import annotations

from pathlib import Path

from config.assemble import Services
from config.founding import Founder
from config.issuer_settings import IssuerSettings
from config.rules import load_profiles, profile_named
from domain.certificates import IssuerId
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.lists import Scope
from domain.parties import LOCAL_OPERATOR


def found_missing(services: Services) -> list[IssuerId]:
    """Found each configured issuer that has none of its four files yet; the issuers founded.

    Its lists are put in use for every municipality that is enrolled. Raises Refusal(BAD_CONFIGURATION) for an issuer
    with some of its files, which would be an issuer half lost, and ConfigurationFaults for a profile that is not there.
    """
    missing = [row for row in services.settings.issuers if _is_missing(row)]
    if not missing:
        return []
    now = services.clock()
    profiles = load_profiles(services.settings.profiles)
    for row in missing:
        for name in (row.profile, row.authority_profile, row.responder_profile):
            profile_named(profiles, name)
    founder = Founder(services.settings, services.signers, profiles, now, services.random)
    for row in missing:
        issuer, signer = founder.found_issuer(row)
        founder.found_responder(row, issuer, signer)
        facts = {
            "issuer": row.id,
            "key": issuer.key_identifier.hex(),
            "profiles": {
                name: profiles[name].digest for name in (row.profile, row.authority_profile, row.responder_profile)
            },
        }
        with services.begin() as work:
            work.audit.append(AuditEvent(Act.ISSUER_FOUNDED, LOCAL_OPERATOR.label, now, facts))
            work.lists.register(Scope(row.id, None))
            for party in work.parties.all():
                if party.municipality is not None:
                    work.lists.register(Scope(row.id, party.municipality))
            work.commit()
    return [row.id for row in missing]


def _is_missing(row: IssuerSettings) -> bool:
    places = (row.key, row.certificate, row.responder_key, row.responder_certificate)
    files = [place for place in places if isinstance(place, Path)]
    there = [file.name for file in files if file.exists()]
    if there and len(there) < len(files):
        raise Refusal(
            Code.BAD_CONFIGURATION,
            f"issuer {row.id} has {', '.join(there)} but not its other files; bring them back from the backup, or, if "
            "its founding was interrupted and it never issued, move these away and found it again",
        )
    return not there
