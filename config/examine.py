"""Examination of a configuration as a whole: files, keys, certificates, rules and database, and how they fit."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from config.assemble import Services
from config.document import ConfigurationFaults, KeyPlace, TokenKey
from config.files import read_file
from config.handles import require_handle_keys
from config.issuer_settings import IssuerSettings
from config.law import read_law, shipped_texts
from config.municipalities import load_municipalities
from config.provisions import require_provision_keys
from config.receipts import open_receipts
from config.rules import load_profiles, load_variants, load_weak_keys
from config.settings import Settings
from config.transport import open_transport, read_certificate
from config.validating import time_stamp_authorities
from domain.errors import AWAY, Refusal

RENEW = "run: jpki responders renew"


def examine(settings: Settings, now: datetime, *, database_away: bool = False) -> list[str]:
    """Every fault, each a sentence; empty when the services can start and work. Changes nothing.

    With `database_away` a database that is away is no fault: services begin when it is back.
    """
    with closing(Services(settings)) as services:
        faults = [*_exposed(settings)]
        for part in (
            lambda: services.sealer,
            lambda: load_weak_keys(settings.weak_keys),
            load_municipalities,
            lambda: read_law(shipped_texts()),
            load_variants,
            lambda: _audit_keys(services),
            lambda: require_provision_keys(services.settings),
        ):
            faults += _caught(part)
        for row in settings.issuers:
            faults += _issuer(services, row, now)
        faults += _profiles(settings)
        faults += _transport(services, now)
        faults += _validation(services, now)
        if not (database_away and _is_away(services)):
            faults += _database(services)
    if settings.api.bind == settings.status.bind:
        faults.append("api.bind and status.bind are the same address")
    return list(dict.fromkeys(faults))


def _is_away(services: Services) -> bool:
    try:
        services.require_schema()
    except ConfigurationFaults:
        return False
    except Refusal as refusal:
        return refusal.code in AWAY
    return False


def _database(services: Services) -> list[str]:
    if faults := _caught(services.require_schema):
        return faults
    faults = [*_caught(services.require_code_keys), *_caught(lambda: require_handle_keys(services))]
    # What is made of all that, the tables of law in the database too; its parts' faults are known by now.
    return faults + _caught(lambda: services.authority)


def _exposed(settings: Settings) -> Iterator[str]:
    """Files that others on the machine could read."""
    transport, secrets = settings.transport, settings.secrets
    private = [settings.audit_key, settings.validation.key, transport.authority_key, transport.server_key]
    private += [place for place in settings.issuer_keys if isinstance(place, Path)]
    private += [
        secret.file
        for secret in (
            *(secrets.key_passphrase, secrets.resident_index, secrets.resident_seal, secrets.provisions),
            *([settings.token.pin] if settings.token else []),
        )
        if secret.file is not None
    ]
    private += [settings.state / "secrets" / name for name in ("handles.key", "tracers.key")]
    private += (settings.state / "secrets").glob("filter-*.key")
    if stat.S_IMODE(settings.state.stat().st_mode) & 0o077:
        yield f"{settings.state} is open to others; run: chmod 700 {settings.state}"
    for path in private:
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield f"{path.name} is open to others; run: chmod 600 {path}"


def _issuer(services: Services, row: IssuerSettings, now: datetime) -> Iterator[str]:
    """Key and certificate open and belong together; the responder speaks for the issuer as long as an answer stands."""
    for place, path in ((row.key, row.certificate), (row.responder_key, row.responder_certificate)):
        yield from _caught(partial(_signs, services, place, path))
    try:
        issuer = services.issuer(row)
        if issuer.validity.ended(now):
            if row.issuing:
                yield f"issuer {row.id} has ended; write issuing = false, and let another generation issue"
            return
        validity = services.responder_key(row, issuer).validity
    except (Refusal, ConfigurationFaults) as error:
        yield from _sentences(error)
        return
    if not validity.covers(now):
        yield f"the responder certificate of {row.id} is not valid now; {RENEW}"
    elif not validity.covers(min(now + services.settings.ocsp.answer_lifetime, issuer.validity.not_after)):
        yield f"the responder certificate of {row.id} ends before an answer made now; {RENEW}"


def _profiles(settings: Settings) -> Iterator[str]:
    """Profiles exist and fit where they are named."""
    try:
        profiles = load_profiles(settings.profiles)
    except ConfigurationFaults as error:
        yield from error.faults
        return
    for row in settings.issuers:
        for name, purpose in (
            (row.profile, row.kind.value),
            *([(row.mobile_profile, row.kind.value)] if row.mobile_profile else []),
            (row.authority_profile, "ca"),
            (row.responder_profile, "ocsp-responder"),
        ):
            profile = profiles.get(name)
            if profile is None:
                yield f"issuer {row.id}: there is no profile {name}"
            elif profile.purpose != purpose:
                yield f"issuer {row.id}: profile {name} is for {profile.purpose}, not for {purpose}"


def _transport(services: Services, now: datetime) -> Iterator[str]:
    """The API can speak TLS, and callers can be given credentials."""
    transport = services.settings.transport
    for key, path, ends in (
        (transport.authority_key, transport.authority_certificate, "make a new transport authority"),
        (transport.server_key, transport.server_certificate, RENEW),
    ):
        yield from _caught(partial(_pair, services, key, path))
        try:
            certificate = read_certificate(path)
        except Refusal:
            continue
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            yield f"{path.name} is not valid now; {ends}"
    yield from _caught(lambda: open_transport(services.settings))


def _validation(services: Services, now: datetime) -> Iterator[str]:
    """Receipts of validations can be signed, and believed time stamps are told by certificates."""
    settings = services.settings.validation
    yield from _caught(lambda: time_stamp_authorities(settings))
    if faults := _caught(lambda: open_receipts(services)):
        yield from faults
        return
    certificate = read_certificate(settings.certificate)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        yield f"{settings.certificate.name} is not valid now; {RENEW}"


def _audit_keys(services: Services) -> None:
    public = read_file(services.settings.audit_public_key)
    if services.signer(services.settings.audit_key).public != public:
        raise ConfigurationFaults(
            [f"{services.settings.audit_public_key.name} is not the public half of {services.settings.audit_key.name}"]
        )


def _signs(services: Services, key: KeyPlace, certificate: Path) -> None:
    """A key and its certificate. That one in the token can be used is only seen when it is."""
    signer = services.signer(key, read_file(certificate))
    if isinstance(key, TokenKey):
        signer.sign(b"no certificate, list or answer: a check that this key signs")


def _pair(services: Services, key: Path, certificate: Path) -> None:
    """A key and the PEM certificate it must belong to."""
    services.signer(key, read_certificate(certificate).public_bytes(Encoding.DER))


def _caught(make: Callable[[], object]) -> list[str]:
    """What goes wrong when a part is made, as sentences."""
    try:
        make()
    except (ConfigurationFaults, Refusal, ValueError) as error:
        return _sentences(error)
    return []


def _sentences(error: ConfigurationFaults | Refusal | ValueError) -> list[str]:
    match error:
        case ConfigurationFaults():
            return list(error.faults)
        case Refusal():
            return [error.detail]
    return [str(error)]
