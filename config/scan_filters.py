"""Scan filters of a state directory: made and signed for one audit, handed over with their key, opened elsewhere."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from config.assemble import Services
from config.files import make_durable, read_file, write_private
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.parties import LOCAL_OPERATOR
from keys.algorithms import ED25519, verify
from scan.container import ScanFilter, open_filter, write_filter
from scan.digest import KEY_OCTETS
from scan.making import make_filter

LONGEST = timedelta(days=92)
_AUDIT = re.compile("[a-z0-9][a-z0-9-]{0,62}")
_FORMAT = "jpki-scan-key-1"
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MadeFilter:
    """The two files, and how many certificates the filter is of."""

    filter: Path
    key: Path
    certificates: int
    octets: int


@dataclass(frozen=True, slots=True, repr=False)
class ScanKey:
    """What comes with a filter: its key, and the public key of the authority that signed it."""

    key: bytes
    authority: bytes


def make_scan_filter(
    services: Services,
    audit: str,
    folder: Path,
    *,
    lifetime: timedelta,
    hashes: int,
    salts: Sequence[str] = (),
    serials: bytes | None = None,
) -> MadeFilter:
    """A filter of every certificate on record, expired ones too, or of these `serials` (16 octets each, side by side),
    as `AUDIT.scan` and `AUDIT.scan-key` in a folder.

    It is on the audit trail before it has its name, and has it last of all: what was begun and not finished is made
    anew. Raises Refusal(MALFORMED) for a name or a lifetime that is none, Refusal(ALREADY_APPLIED) when it is there.
    """
    if not _AUDIT.fullmatch(audit):
        raise Refusal(Code.MALFORMED, "an audit is named by small letters, digits and hyphens")
    if not timedelta(0) < lifetime <= LONGEST:
        raise Refusal(Code.MALFORMED, f"a scan filter may be used for 1 to {LONGEST.days} days")
    path, key_path = folder / f"{audit}.scan", folder / f"{audit}.scan-key"
    if path.exists():
        raise Refusal(Code.ALREADY_APPLIED, f"{path.name} is there already; every audit has a filter of its own")
    serials, now = _serials(services) if serials is None else serials, services.clock()
    key = services.random(KEY_OCTETS)
    made = make_filter(
        audit,
        serials,
        key=key,
        made=now,
        expires=now + lifetime,
        random=services.random,
        hashes=hashes,
        salts=[salt.encode() for salt in salts],
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = folder / f".{audit}.scan.new"
    for unfinished in (beside, key_path):
        unfinished.unlink(missing_ok=True)
    write_private(beside, b"")
    signer = services.signer(services.settings.audit_key)
    with beside.open("wb") as file:
        digest = write_filter(file, made, key, signer.sign)
        file.flush()
        os.fsync(file.fileno())
    facts = {
        "audit": audit,
        "certificates": made.label.certificates,
        "expires": f"{made.label.expires:%Y-%m-%dT%H:%M:%SZ}",
        "sha256": digest,
    }
    with services.begin() as work:
        work.audit.append(AuditEvent(Act.SCAN_FILTER_MADE, LOCAL_OPERATOR.label, now, facts))
        work.commit()
    authority = base64.b64encode(read_file(services.settings.audit_public_key)).decode()
    content = {"format": _FORMAT, "audit": audit, "key": key.hex(), "authority": authority}
    write_private(key_path, json.dumps(content, indent=2).encode() + b"\n")
    beside.rename(path)
    make_durable(folder)
    return MadeFilter(path, key_path, made.label.certificates, path.stat().st_size)


def _serials(services: Services) -> bytes:
    serials = bytearray()
    with services.begin(write=False) as work:
        for issuer in services.issuers:
            for octets, _ in work.certificates.census(issuer, _BEGINNING):
                serials += octets
    return bytes(serials)


def read_scan_key(path: Path) -> ScanKey:
    """Raises Refusal(MALFORMED) for a file that is no key of a scan filter."""
    try:
        content = json.loads(read_file(path))
        key, authority = bytes.fromhex(content["key"]), base64.b64decode(content["authority"], validate=True)
        form = content["format"]
    except (ValueError, KeyError, TypeError, RecursionError):
        form, key, authority = "", b"", b""
    if form != _FORMAT or len(key) != KEY_OCTETS:
        raise Refusal(
            Code.MALFORMED, f"{path.name} is not the key of a scan filter; take the .scan-key that came with it"
        )
    return ScanKey(key, authority)


def open_scan_filter(path: Path, key: ScanKey, now: datetime) -> ScanFilter:
    """The filter, verified and within its time. Raises what `open_filter` and `ScanLabel.require_usable` raise."""
    found = open_filter(path, key.key, verifier(key))
    found.label.require_usable(now)
    return found


def verifier(key: ScanKey) -> Callable[[bytes, bytes], bool]:
    """The check of a signature of the authority."""
    return partial(_verified, key.authority)


def _verified(authority: bytes, octets: bytes, signature: bytes) -> bool:
    try:
        return verify(authority, ED25519, octets, signature)
    except ValueError:
        return False
