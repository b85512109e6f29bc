"""Settings: one frozen value, read from `jpki.toml` and checked as a whole."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import cast, get_args

from config.document import ConfigurationFaults, KeyPlace, Secret, Section, TokenKey
from config.issuer_settings import IssuerSettings, read_issuers
from config.provision_settings import ProvisionSettings, read_provisions
from config.token_settings import TokenSettings, read_token
from config.validation_settings import ValidationSettings, read_validation
from domain import oids
from domain.certificates import Kind
from policies.batches import BatchPolicy
from policies.crl import CrlPolicy
from policies.distribution import Locations
from policies.ocsp import Access, NeverIssued, OcspPolicy
from policies.subject import AuthorityNames

FILE_NAME = "jpki.toml"
_URL = re.compile(r"https?://[^\s/]+(/[^\s/]+)*")
_BIND = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z.-]+):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class ListenSettings:
    """Where a service listens and with how many worker processes and threads each.

    With `event_loop` each worker answers OCSP in one loop for all connections; the threads do the rest.
    """

    bind: str
    workers: int
    threads: int
    event_loop: bool = False


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """TLS of the API: its own certificate and key, and the authority whose client certificates it trusts."""

    authority_certificate: Path
    authority_key: Path
    server_certificate: Path
    server_key: Path


@dataclass(frozen=True, slots=True)
class SecretSettings:
    """Where the passphrase of all keys lies, the two keys that keep resident codes out of sight, and the key that files
    records of provisions."""

    key_passphrase: Secret
    resident_index: Secret
    resident_seal: Secret
    provisions: Secret


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """The worker processes of batches, how often they look for work, and what they keep to."""

    workers: int
    poll: timedelta
    policy: BatchPolicy


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Where a node's status model lies, how long it may not have been compared with the database, and how often it
    is."""

    folder: Path
    max_age: timedelta
    poll: timedelta


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the authority is told. Durations are timedeltas, paths are absolute, secrets are references."""

    state: Path
    database: str | Secret
    secrets: SecretSettings
    token: TokenSettings | None
    names: dict[Kind, AuthorityNames]
    issuers: tuple[IssuerSettings, ...]
    profiles: Path
    weak_keys: Path | None
    delivery_within: timedelta
    locations: Locations
    ocsp: OcspPolicy
    model: ModelSettings
    crl: CrlPolicy
    crl_access: Access
    crl_directory: Path
    publish_poll: timedelta
    batches: BatchSettings
    provisions: ProvisionSettings
    audit_key: Path
    audit_public_key: Path
    transport: TransportSettings
    validation: ValidationSettings
    api: ListenSettings
    status: ListenSettings

    @property
    def issuer_keys(self) -> list[KeyPlace]:
        return [place for row in self.issuers for place in (row.key, row.responder_key)]


def load(state: Path) -> Settings:
    """The settings of a state directory. Raises ConfigurationFaults with every fault found."""
    settings, faults = parse(state)
    if faults:
        raise ConfigurationFaults(faults)
    return settings


def parse(state: Path) -> tuple[Settings, list[str]]:
    """The settings of a state directory, usable as far as they go, and every fault in them.

    Raises ConfigurationFaults where there is nothing to read.
    """
    path = state / FILE_NAME
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigurationFaults([f"there is no {FILE_NAME} in {state}; make one with: jpki init"]) from None
    except OSError as error:
        raise ConfigurationFaults([f"{path} cannot be read: {error.strerror}"]) from None
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, a number too long, brackets too deep
        raise ConfigurationFaults([f"{FILE_NAME}: {error}"]) from None
    faults: list[str] = []
    settings = read(Section("", content, faults, state.resolve()))
    return settings, faults


def read(root: Section) -> Settings:
    """The settings that a parsed document describes; faults are noted in `root.faults`."""
    database = root.section("database")
    secrets = root.section("secrets")
    names = root.section("names")
    locations = root.section("locations")
    crl = root.section("crl")
    audit = root.section("audit")
    transport = root.section("transport")
    issuance = root.section("issuance")
    settings = Settings(
        state=root.base,
        database=_database(database),
        secrets=SecretSettings(
            secrets.secret("key_passphrase"),
            secrets.secret("resident_index"),
            secrets.secret("resident_seal"),
            # The default is for states of versions that kept no records of provisions.
            secrets.secret("provisions", {"file": "secrets/provisions"}),
        ),
        token=read_token(root),
        names={kind: _names(names.section(kind.value)) for kind in Kind},
        issuers=read_issuers(root.sections("issuer"), root),
        profiles=issuance.file("profiles", "profiles"),
        weak_keys=issuance.file("weak_keys") if "weak_keys" in issuance.content else None,
        delivery_within=timedelta(days=issuance.integer("delivery_days", 30, 1, 366)),
        locations=Locations(
            crl=_location(locations, "crl"), ocsp=_location(locations, "ocsp"), issuers=_location(locations, "issuers")
        ),
        ocsp=_ocsp(root.section("ocsp")),
        model=_model(root.section("status_model")),
        crl=_crl(crl),
        crl_access=cast(Access, crl.choice("access", get_args(Access), "notified-verifiers")),
        crl_directory=crl.file("directory", "crl"),
        publish_poll=timedelta(seconds=crl.integer("poll_seconds", 2, 1, 3600)),
        batches=_batches(root.section("batches")),
        provisions=read_provisions(root.section("provisions")),
        audit_key=audit.file("key", "keys/audit.pem"),
        audit_public_key=audit.file("public_key", "certs/audit.pub"),
        transport=TransportSettings(
            transport.file("authority_certificate", "certs/transport-ca.pem"),
            transport.file("authority_key", "keys/transport-ca.pem"),
            transport.file("server_certificate", "certs/api-server.pem"),
            transport.file("server_key", "keys/api-server.pem"),
        ),
        validation=read_validation(root.section("validation")),
        api=_listen(root.section("api"), "127.0.0.1:8443"),
        status=_listen(root.section("status"), "127.0.0.1:8080", may_loop=True),
    )
    if settings.token is None and any(isinstance(place, TokenKey) for place in settings.issuer_keys):
        root.fault("token", "is missing; a key is in it")
    for section in (root, database, secrets, names, locations, crl, audit, transport, issuance):
        section.done()
    return settings


def _database(section: Section) -> str | Secret:
    """An address without a password, or a reference to one that may hold it. `sqlite:///name` lies in the state
    directory."""
    if isinstance(section.content.get("url"), dict):
        return section.secret("url")
    url = section.text("url")
    if url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
        return f"sqlite:///{section.base / url.removeprefix('sqlite:///')}"
    if "@" in url and ":" in url.partition("://")[2].rpartition("@")[0]:
        section.fault("url", 'holds a password; write url = { file = "…" } or { env = "…" } and keep the address there')
    return url


def _names(section: Section) -> AuthorityNames:
    names = AuthorityNames(section.name("subject"), section.name("alternative"))
    if names.subject and [kind for kind, _ in names.subject[:3]] != [
        oids.COUNTRY,
        oids.ORGANIZATION,
        oids.ORGANIZATIONAL_UNIT,
    ]:
        section.fault("subject", "want it to begin with C, O and OU: lists and responders are named below these three")
    section.done()
    return names


def _location(section: Section, key: str) -> str | None:
    text = section.optional_text(key)
    if text is not None and not (_URL.fullmatch(text) and text.isascii()):
        section.fault(key, "want an http(s) URL in ASCII without a slash at the end")
    return text


def _listen(section: Section, bind: str, *, may_loop: bool = False) -> ListenSettings:
    listen = ListenSettings(
        section.text("bind", bind),
        section.integer("workers", 2, 1, 256),
        section.integer("threads", 32, 1, 256),
        may_loop and section.choice("server", ("threads", "event-loop"), "threads") == "event-loop",
    )
    found = _BIND.fullmatch(listen.bind)
    if not found or int(found[2]) > 65535:
        section.fault("bind", "want host:port, for example 127.0.0.1:8443")
    section.done()
    return listen


def _ocsp(section: Section) -> OcspPolicy:
    policy = OcspPolicy(
        access=cast(Access, section.choice("access", get_args(Access), "notified-verifiers")),
        never_issued=cast(NeverIssued, section.choice("never_issued", get_args(NeverIssued), "unknown")),
        answer_lifetime=timedelta(minutes=section.integer("answer_minutes", 60, 1, 10080)),
        good_max_age=timedelta(seconds=section.integer("good_max_age_seconds", 300, 0, 604800)),
        revoked_max_age=timedelta(seconds=section.integer("revoked_max_age_seconds", 60, 0, 604800)),
        max_cert_ids=section.integer("max_certificates", 32, 1, 64),
        ready=timedelta(seconds=section.integer("ready_seconds", 0, 0, 604800)),
    )
    for fault in policy.faults():
        section.faults.append(f"ocsp: {fault}")
    section.done()
    return policy


def _batches(section: Section) -> BatchSettings:
    policy = BatchPolicy(
        longest=section.integer("longest", 10_000, 1, 100_000),
        queue=section.integer("queue", 20_000, 1, 1_000_000),
        chunk=section.integer("chunk", 64, 1, 1000),
        retention=timedelta(days=section.integer("retention_days", 30, 1, 3650)),
    )
    for fault in policy.faults():
        section.faults.append(f"batches: {fault}")
    workers, poll = section.integer("workers", 1, 1, 64), section.integer("poll_seconds", 2, 1, 60)
    section.done()
    return BatchSettings(workers, timedelta(seconds=poll), policy)


def _model(section: Section) -> ModelSettings:
    settings = ModelSettings(
        section.file("folder", "status-model"),
        timedelta(seconds=section.integer("max_age_seconds", 5, 1, 3600)),
        timedelta(milliseconds=section.integer("poll_milliseconds", 250, 10, 60_000)),
    )
    if settings.poll >= settings.max_age:
        section.fault("poll_milliseconds", "must be less than max_age_seconds, or the model is never believed")
    section.done()
    return settings


def _crl(section: Section) -> CrlPolicy:
    policy = CrlPolicy(
        lifetime=timedelta(hours=section.integer("lifetime_hours", 48, 1, 8760)),
        interval=timedelta(hours=section.integer("interval_hours", 24, 1, 8760)),
        backdate=timedelta(seconds=section.integer("backdate_seconds", 0, 0, 3600)),
        deltas=section.flag("deltas", False),
    )
    for fault in policy.faults():
        section.faults.append(f"crl: {fault}")
    return policy
