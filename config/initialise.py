"""Initialisation: a whole state directory, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from config import rules
from config.assemble import Services, profile_named
from config.files import read_secret, write_private, write_public
from config.founding import found_issuer, found_responder, make_key
from config.settings import FILE_NAME, Settings, load
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.lists import Scope
from domain.parties import LOCAL_OPERATOR
from domain.ports import Clock, RandomSource
from domain.serial import OCTETS, SerialNumber
from keys.generation import to_encrypted_pem
from keys.transport import certify_server, make_transport_authority
from store import schema

TRANSPORT_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=397)


def initialise(
    state: Path,
    *,
    api: str,
    status: str,
    template: str | None,
    clock: Clock,
    random: RandomSource,
    on_step: Callable[[str], None],
) -> None:
    """Make an authority in `state`, which must not exist yet or be empty; it appears only when it is complete.

    `template` replaces the demonstration settings. Raises Refusal(BAD_CONFIGURATION) for a directory in use, and
    ConfigurationFaults when the settings have faults.
    """
    if state.exists() and (not state.is_dir() or any(state.iterdir())):
        raise Refusal(
            Code.BAD_CONFIGURATION,
            f"{state} is in use and will not be touched; choose another directory with --state",
        )
    now = clock()
    building = state.absolute().with_name(f".{state.name}.{random(4).hex()}")
    building.mkdir(mode=0o700, parents=True)
    text = rules.template() if template is None else template
    write_private(building / FILE_NAME, text.replace("@API@", api).replace("@STATUS@", status).encode())
    settings = _secrets(building, random)
    on_step("settings and secrets")
    _transport(settings, now, random)
    on_step("transport authority and the API's TLS certificate")
    _issuers(settings, now, random, on_step)
    audit = make_key(settings, "ed25519", settings.audit_key)
    write_public(settings.audit_public_key, audit.public)
    on_step("audit key")
    _database(settings, now)
    on_step("database")
    if state.exists():
        state.rmdir()
    building.rename(state)


def _secrets(state: Path, random: RandomSource) -> Settings:
    """Write the profiles and every secret that is kept in a file; the settings, which must then be without fault."""
    for name, text in rules.shipped_profiles().items():
        write_public(state / "profiles" / name, text.encode())
    settings = load(state)
    for secret in (
        settings.secrets.key_passphrase,
        settings.secrets.resident_index,
        settings.secrets.resident_seal,
    ):
        if secret.file is not None:
            write_private(secret.file, random(32).hex().encode() + b"\n")
    return settings


def _transport(settings: Settings, now: datetime, random: RandomSource) -> None:
    passphrase = read_secret(settings.secrets.key_passphrase)
    transport = settings.transport
    organization = next(value for _, value in settings.names[settings.issuers[0].kind].subject[1:2])
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = make_transport_authority(authority_key, organization, _serial(random), now, TRANSPORT_LIFE)
    write_private(transport.authority_key, to_encrypted_pem(authority_key, passphrase))
    write_public(transport.authority_certificate, authority.public_bytes(Encoding.PEM))
    host = settings.api.bind.rpartition(":")[0].strip("[]")
    hosts = tuple(dict.fromkeys((host, "localhost", "127.0.0.1")))
    certificate: x509.Certificate = certify_server(
        authority, authority_key, server_key.public_key(), hosts, _serial(random), now, SERVER_LIFE
    )
    write_private(transport.server_key, to_encrypted_pem(server_key, passphrase))
    write_public(transport.server_certificate, certificate.public_bytes(Encoding.PEM))


def _issuers(settings: Settings, now: datetime, random: RandomSource, on_step: Callable[[str], None]) -> None:
    profiles = rules.load_profiles(settings.profiles)
    for row in settings.issuers:
        for name in (row.profile, row.authority_profile, row.responder_profile):
            profile_named(profiles, name)
    for row in settings.issuers:
        issuer, signer = found_issuer(settings, row, profiles, now, random)
        found_responder(settings, row, profiles, issuer, signer, now, random)
        on_step(f"issuer {row.id} and its OCSP responder")


def _database(settings: Settings, now: datetime) -> None:
    """Make the tables, put each issuer's list of CA certificates in use, and begin the audit trail."""
    services = Services(settings)
    schema.create(services.database_url)
    profiles = rules.load_profiles(settings.profiles)
    with services.begin() as work:
        facts = {
            "issuers": {issuer.id: issuer.key_identifier.hex() for issuer in services.issuers.values()},
            "profiles": {name: profile.digest for name, profile in profiles.items()},
        }
        work.audit.append(AuditEvent(Act.INITIALISED, LOCAL_OPERATOR.label, now, facts))
        for issuer in services.issuers:
            work.lists.register(Scope(issuer, None))
        work.commit()
    services.close()


def _serial(random: RandomSource) -> SerialNumber:
    return SerialNumber.drawn_from(random(OCTETS))
