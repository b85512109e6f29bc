"""Initialisation: a whole state directory, or nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from config import rules
from config.assemble import Services
from config.files import write_private, write_public
from config.founding import Founder
from config.handles import found_handle_key
from config.provisions import found_provisions
from config.receipts import found_receipts
from config.settings import FILE_NAME, Settings, load
from config.signers import Signers, make_key
from config.transport import found_transport
from domain.code_keys import CodeKeyRecord
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.lists import Scope
from domain.parties import LOCAL_OPERATOR
from domain.ports import Clock, RandomSource
from store import schema


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
    state = state.resolve()
    if state.exists() and (not state.is_dir() or any(state.iterdir())):
        raise Refusal(
            Code.BAD_CONFIGURATION,
            f"{state} is in use and will not be touched; choose another directory with --state",
        )
    if state.is_mount():
        raise Refusal(
            Code.BAD_CONFIGURATION, f"{state} is where a file system is mounted; choose a directory inside it"
        )
    text = rules.template() if template is None else template
    text = text.replace("@API@", api).replace("@STATUS@", status)
    building = state.with_name(f".{state.name}.{random(4).hex()}")
    building.mkdir(mode=0o700, parents=True)
    try:
        _build(building, text, clock(), random, on_step)
        building.rename(state)
    except BaseException:
        shutil.rmtree(building)
        raise


def _build(building: Path, text: str, now: datetime, random: RandomSource, on_step: Callable[[str], None]) -> None:
    """Everything that a state directory holds. The database comes last: what lies elsewhere stays if it fails."""
    write_private(building / FILE_NAME, text.encode())
    settings = _secrets(building, random)
    on_step("settings and secrets")
    found_transport(settings, now, random)
    on_step("transport authority and the API's TLS certificate")
    found_receipts(settings, now, random)
    on_step("key for receipts of validations")
    _issuers(settings, now, random, on_step)
    audit = make_key(settings, "ed25519", settings.audit_key)
    write_public(settings.audit_public_key, audit.public)
    on_step("audit key")
    found_provisions(settings, random)
    on_step("keys of provision records; their shares are for three officers")
    _database(settings, now)
    on_step("database")


def _secrets(state: Path, random: RandomSource) -> Settings:
    """Write the profiles and every secret that is kept in a file; the settings, which must then be without fault."""
    for name, text in rules.shipped_profiles().items():
        write_public(state / "profiles" / name, text.encode())
    settings = load(state)
    for secret in (
        settings.secrets.key_passphrase,
        settings.secrets.resident_index,
        settings.secrets.resident_seal,
        settings.secrets.provisions,
    ):
        if secret.file is not None:
            write_private(secret.file, random(32).hex().encode() + b"\n")
    return settings


def _issuers(settings: Settings, now: datetime, random: RandomSource, on_step: Callable[[str], None]) -> None:
    profiles = rules.load_profiles(settings.profiles)
    for row in settings.issuers:
        for name in (row.profile, row.authority_profile, row.responder_profile):
            rules.profile_named(profiles, name)
    founder = Founder(settings, Signers(settings), profiles, now, random)
    for row in settings.issuers:
        founder.found_responder(row, *founder.found_issuer(row))
        on_step(f"issuer {row.id} and its OCSP responder")


def _database(settings: Settings, now: datetime) -> None:
    """Make the tables, put each issuer's list of CA certificates in use, and begin the audit trail."""
    with closing(Services(settings)) as services:
        schema.create(services.database_url)
        facts = {
            "issuers": {issuer.id: issuer.key_identifier.hex() for issuer in services.issuers.values()},
            "profiles": {name: profile.digest for name, profile in rules.load_profiles(settings.profiles).items()},
        }
        with services.begin() as work:
            if work.audit.head() is not None:
                raise Refusal(
                    Code.BAD_CONFIGURATION,
                    "the database holds an authority already; give each one a database of its own",
                )
            work.audit.append(AuditEvent(Act.INITIALISED, LOCAL_OPERATOR.label, now, facts))
            for generation in services.sealer.generations:
                work.code_keys.put(CodeKeyRecord(generation, services.sealer.check(generation), now))
            work.code_keys.use(services.sealer.generations[-1:])
            for issuer in services.issuers:
                work.lists.register(Scope(issuer, None))
            found_handle_key(services, work)
            work.commit()
