"""The settings of a verifier: one TOML file, read as a whole, with every fault told at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from jpki_verify.rejection import Code, Rejected
from jpki_verify.tables import Table


class Kind(StrEnum):
    """The two kinds of certificates: 署名用 and 利用者証明用."""

    SIGNATURE = "signature"
    AUTHENTICATION = "authentication"


SOURCES = ("ocsp", "lists", "filter")
_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")


@dataclass(frozen=True, slots=True)
class AnchorFile:
    """A file with an authority's certificate, and the SHA-256 that its DER must have."""

    path: Path
    digest: bytes
    kind: Kind


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to believe. `distrusted` are SHA-256 of certificates, of responders too, that are not to be believed."""

    anchors: tuple[AnchorFile, ...]
    policies: Mapping[Kind, frozenset[str]]
    distrusted: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Credential:
    """The certificate and key (PEM) that the authority knows this verifier by, and the certificate (PEM) that the
    authority's own servers are known by."""

    certificate: Path
    key: Path
    authority: Path


@dataclass(frozen=True, slots=True)
class StatusRules:
    """Where status comes from, in the order of `sources`, and how old or late it may be."""

    sources: tuple[str, ...]
    ocsp: str | None
    lists: str | None
    filters: Path | None
    filter_key: Path | None
    filters_url: str | None
    patience: timedelta
    filter_patience: timedelta
    tolerance: timedelta
    oldest_list: timedelta
    list_octets: int


@dataclass(frozen=True, slots=True)
class Declared:
    """What the authority is told that it is asked for: one of the purposes that were approved, by kind, and whom it is
    asked for behind a platform operator. None where there is but one."""

    purposes: Mapping[Kind, str | None]
    provider: str | None


@dataclass(frozen=True, slots=True)
class StoreRules:
    """The file of what is kept, and for how long."""

    path: Path
    challenge_life: timedelta
    account_life: timedelta
    evidence_life: timedelta


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. `handles` is the address at which the authority gives handles, over mutual TLS."""

    audience: str
    trust: Trust
    credential: Credential
    status: StatusRules
    declared: Declared
    handles: str
    store: StoreRules


def load_settings(path: Path) -> Settings:
    """The settings in a file. Raises Rejected(BAD_CONFIGURATION) with every fault."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError:
        raise Rejected(Code.BAD_CONFIGURATION, f"{path} cannot be read: make one with jpki-verify init") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Rejected(Code.BAD_CONFIGURATION, f"{path.name} is not TOML: {error}") from None
    faults: list[str] = []
    whole = Table(values, "", path.parent, faults)
    settings = Settings(
        audience=whole.text("audience"),
        trust=_trust(whole),
        credential=_credential(whole.table("credential")),
        status=_status(whole.table("status")),
        declared=_declared(whole.table("declared")),
        handles=_handles(whole.table("handles")),
        store=_store(whole.table("store")),
    )
    whole.close()
    if faults:
        raise Rejected(Code.BAD_CONFIGURATION, "; ".join(faults))
    return settings


def _trust(whole: Table) -> Trust:
    anchors = tuple(_anchor(row) for row in whole.rows("anchor"))
    if not anchors:
        whole.fault("anchor", "want one [[anchor]] for each authority that you trust")
    table = whole.table("policies")
    policies = {kind: frozenset(table.texts(kind.value)) for kind in Kind}
    for kind, oids in policies.items():
        if not all(map(_OID.fullmatch, oids)):
            table.fault(kind.value, "want object identifiers such as 2.999.8.5.1.1.20")
        if not oids and any(anchor.kind is kind for anchor in anchors):
            table.fault(kind.value, "want the policies under which these certificates are issued")
    if policies[Kind.SIGNATURE] & policies[Kind.AUTHENTICATION]:
        table.fault("signature", "no policy belongs to both kinds")
    table.close()
    distrusted = frozenset(whole.digest_of("distrusted", text) for text in whole.texts("distrusted"))
    return Trust(anchors, policies, distrusted)


def _anchor(row: Table) -> AnchorFile:
    path, digest, word = row.path("file"), row.digest("sha256"), row.text("kind")
    if word not in set(Kind):
        row.fault("kind", "want signature or authentication")
    row.close()
    return AnchorFile(path, digest, Kind(word) if word in set(Kind) else Kind.SIGNATURE)


def _credential(table: Table) -> Credential:
    found = Credential(table.path("certificate"), table.path("key"), table.path("authority"))
    table.close()
    return found


def _status(table: Table) -> StatusRules:
    filters = table.path("filters") if "filters" in table else None
    filters_url = table.address("filters_url", "https")
    fetched = filters / "class.key" if filters and filters_url else None
    rules = StatusRules(
        sources=table.texts("sources", ("ocsp", "lists")),
        ocsp=table.address("ocsp", "http", "https"),
        lists=table.address("lists", "http", "https"),
        filters=filters,
        filter_key=table.path("filter_key") if "filter_key" in table else fetched,
        filters_url=filters_url,
        patience=timedelta(seconds=table.whole("patience_seconds", 5, 1, 60)),
        tolerance=timedelta(seconds=table.whole("clock_tolerance_seconds", 60, 0, 600)),
        filter_patience=timedelta(seconds=table.whole("filter_patience_seconds", 60, 1, 3600)),
        oldest_list=timedelta(hours=table.whole("oldest_list_hours", 48, 1, 24 * 7)),
        list_octets=table.whole("list_megabytes", 64, 1, 1024) << 20,
    )
    needs = {"ocsp": rules.ocsp, "lists": rules.lists, "filter": rules.filters and rules.filter_key}
    if not rules.sources or len(set(rules.sources)) < len(rules.sources) or not set(rules.sources) <= set(SOURCES):
        table.fault("sources", f"want some of {', '.join(SOURCES)}, in the order in which they are asked")
    for source in set(rules.sources) & set(SOURCES):
        if not needs[source]:
            want = "filters, and filters_url or filter_key, are" if source == "filter" else f"{source} is"
            table.fault("sources", f"{source} is among the sources, but its setting is missing: {want} not there")
    table.close()
    return rules


def _declared(table: Table) -> Declared:
    declared = Declared({kind: table.maybe(kind.value) for kind in Kind}, table.maybe("provider"))
    table.close()
    return declared


def _handles(table: Table) -> str:
    if "url" not in table:
        table.fault("url", "is missing: the authority makes the handles")
    url = table.address("url", "https") or ""
    table.close()
    return url


def _store(table: Table) -> StoreRules:
    rules = StoreRules(
        path=table.path("path", "jpki-verify.db"),
        challenge_life=timedelta(seconds=table.whole("challenge_seconds", 180, 10, 3600)),
        account_life=timedelta(days=table.whole("account_days", 400, 1, 36500)),
        evidence_life=timedelta(days=table.whole("evidence_days", 30, 0, 36500)),
    )
    table.close()
    return rules
