"""Examination of a configuration as a whole: files, keys, certificates, rules and database, and how they fit."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from config.assemble import Services
from config.document import ConfigurationFaults
from config.municipalities import load_municipalities
from config.rules import load_causes, load_events, load_profiles, load_substitutes, load_weak_keys
from config.settings import Settings
from domain.errors import Refusal
from policies.profile import Profile
from store import schema


def examine(settings: Settings, now: datetime) -> list[str]:
    """Every fault, each a sentence; empty when the services can start and work. Changes nothing."""
    services = Services(settings)
    faults = [*_exposed(settings)]
    for part in (
        lambda: services.sealer,
        lambda: load_weak_keys(settings.weak_keys),
        load_municipalities,
        load_causes,
        load_events,
        load_substitutes,
    ):
        faults += _caught(part)
    faults += _keys(services)
    faults += _caught(lambda: services.authority)
    faults += _profiles(services)
    faults += _responders(services, now)
    faults += _caught(lambda: _database(services))
    if settings.api.bind == settings.status.bind:
        faults.append("api.bind and status.bind are the same address")
    services.close()
    return list(dict.fromkeys(faults))


def _exposed(settings: Settings) -> Iterator[str]:
    """Files that others on the machine could read."""
    transport, secrets = settings.transport, settings.secrets
    private = [settings.audit_key, transport.authority_key, transport.server_key]
    private += [path for row in settings.issuers for path in (row.key, row.responder_key)]
    private += [
        secret.file
        for secret in (secrets.key_passphrase, secrets.resident_index, secrets.resident_seal)
        if secret.file is not None
    ]
    if stat.S_IMODE(settings.state.stat().st_mode) & 0o077:
        yield f"{settings.state} is open to others; run: chmod 700 {settings.state}"
    for path in private:
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield f"{path.name} is open to others; run: chmod 600 {path}"


def _keys(services: Services) -> Iterator[str]:
    """Every key opens and belongs to its certificate."""
    for row in services.settings.issuers:
        yield from _caught(partial(_pair, services, row.key, row.certificate))
        yield from _caught(partial(_pair, services, row.responder_key, row.responder_certificate))
    yield from _caught(lambda: services.signer(services.settings.audit_key))


def _pair(services: Services, key: Path, certificate: Path) -> None:
    services.signer(key, certificate.read_bytes())


def _profiles(services: Services) -> Iterator[str]:
    """Profiles exist and fit where they are named."""
    try:
        profiles = load_profiles(services.settings.profiles)
    except ConfigurationFaults as error:
        yield from error.faults
        return
    for row in services.settings.issuers:
        for name, purpose in (
            (row.profile, row.kind.value),
            (row.authority_profile, "ca"),
            (row.responder_profile, "ocsp-responder"),
        ):
            profile: Profile | None = profiles.get(name)
            if profile is None:
                yield f"issuer {row.id}: there is no profile {name}"
            elif profile.purpose != purpose:
                yield f"issuer {row.id}: profile {name} is for {profile.purpose}, not for {purpose}"


def _responders(services: Services, now: datetime) -> Iterator[str]:
    """Responder certificates speak for their issuers, and will for as long as an answer stands."""
    try:
        keys = services.responder.keys
    except (Refusal, ConfigurationFaults, OSError) as error:
        yield _sentence(error)
        return
    for issuer, key in keys.items():
        if not key.validity.covers(now):
            yield f"the responder certificate of {issuer} is not valid now; run: jpki responders renew"
        elif not key.validity.covers(now + services.settings.ocsp.answer_lifetime):
            yield f"the responder certificate of {issuer} ends before an answer made now; run: jpki responders renew"


def _database(services: Services) -> None:
    faults = schema.check(services.database_url)
    if faults:
        raise ConfigurationFaults([f"database: {fault}" for fault in faults])


def _caught(make: Callable[[], object]) -> list[str]:
    """What goes wrong when a part is made, as sentences."""
    try:
        make()
    except ConfigurationFaults as error:
        return list(error.faults)
    except (Refusal, OSError, ValueError) as error:
        return [_sentence(error)]
    return []


def _sentence(error: Exception) -> str:
    if isinstance(error, Refusal):
        return error.detail
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    return str(error)
