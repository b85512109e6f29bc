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
    """Found each configured issuer that has none of its four files yet, and put on record those that are not, also
    where an earlier founding was cut off between the two; the issuers that are new on record.

    Their lists are put in use for every municipality that is enrolled. Raises Refusal(BAD_CONFIGURATION) for an issuer
    with some of its files, which would be an issuer half lost, and ConfigurationFaults for a profile that is not there.
    """
    rows = services.settings.issuers
    missing = [row for row in rows if _is_missing(row)]
    profiles = load_profiles(services.settings.profiles)
    for name in (name for row in missing for name in _profiles_of(row)):
        profile_named(profiles, name)
    now = services.clock()
    founder = Founder(services.settings, services.signers, profiles, now, services.random)
    for row in missing:
        founder.found_responder(row, *founder.found_issuer(row))
    with services.begin() as work:
        new = [row for row in rows if work.lists.scope(Scope(row.id, None)) is None]
        municipalities = [party.municipality for party in work.parties.all() if party.municipality is not None]
        for row in new:
            facts = {
                "issuer": row.id,
                "key": services.issuer(row).key_identifier.hex(),
                "profiles": {name: profile_named(profiles, name).digest for name in _profiles_of(row)},
            }
            work.audit.append(AuditEvent(Act.ISSUER_FOUNDED, LOCAL_OPERATOR.label, now, facts))
            for municipality in (None, *municipalities):
                work.lists.register(Scope(row.id, municipality))
        if new:
            work.commit()
    return [row.id for row in new]


def _profiles_of(row: IssuerSettings) -> tuple[str, ...]:
    return row.profile, row.authority_profile, row.responder_profile


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
