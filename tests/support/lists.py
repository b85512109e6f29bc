"""Revocations and revocation lists for tests, and a publisher over the store in memory."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from cryptography import x509

from crl.build import build_tbs_crl
from crl.entries import encode_rows
from crl.files import read_current
from crl.octets import ListOctets
from crl.plan import ListPlan
from crl.publish import Publisher
from crl.read import RevocationList, read_list
from crl.rows import Rows, Tally
from crl.scope import distribution_point
from domain import der
from domain.certificates import CertificateState, IssuerId, Kind, Validity
from domain.lists import ListState, Scope
from domain.ports import Begin
from domain.revocation import CrlReason, Revocation, RevocationCause, RevocationCount, weight
from domain.serial import SerialNumber
from domain.signing import assemble
from policies.crl import CrlPolicy
from tests.support.authority import KIYOSE, LOCATIONS, NAMES, SAPPORO, make_issuer
from tests.support.blocks import block_of
from tests.support.people import serial_of
from tests.support.signers import authority_signer
from tests.support.stores import add_certificate

NOW = datetime(2027, 4, 1, tzinfo=UTC)
EXPIRY = datetime(2032, 3, 31, 14, 59, 59, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = CrlPolicy(lifetime=2 * DAY, interval=DAY, backdate=timedelta(minutes=5))

ISSUERS = {issuer.id: issuer for issuer in (make_issuer(kind, g) for kind in Kind for g in ("g1", "g2"))}
SIGNERS = {issuer: authority_signer(*issuer.split("-")) for issuer in ISSUERS}

G1, G2 = IssuerId("signature-g1"), IssuerId("signature-g2")
SCOPE = Scope(G1, KIYOSE.code)
ELSEWHERE = Scope(G1, SAPPORO.code)
AUTHORITY_SCOPE = Scope(G1, None)


def make_revocation(
    label: str | SerialNumber = "holder",
    reason: CrlReason = CrlReason.AFFILIATION_CHANGED,
    *,
    revoked_at: datetime = NOW - timedelta(hours=3),
    not_after: datetime = EXPIRY,
    scope: Scope = SCOPE,
) -> Revocation:
    """A revocation in `scope`; the same label gives the same serial."""
    serial = serial_of(label) if isinstance(label, str) else label
    municipality = scope.municipality or KIYOSE.code
    return Revocation(scope.issuer, serial, municipality, RevocationCause.RESIDENT_EVENT, reason, revoked_at, not_after)


def point_of(scope: Scope) -> bytes:
    """The distribution point name of a scope in the two municipalities that tests know."""
    municipalities = {place.code: place for place in (KIYOSE, SAPPORO)}
    return distribution_point(scope, NAMES[ISSUERS[scope.issuer].kind].subject, municipalities, LOCATIONS)


def make_plan(scope: Scope = SCOPE, **changes: Any) -> ListPlan:
    """The plan of list number 7 of a scope, made on `NOW`."""
    this_update, next_update = POLICY.window(NOW)
    plan = ListPlan(
        issuer=ISSUERS[scope.issuer],
        algorithm=SIGNERS[scope.issuer].algorithm,
        scope=scope,
        point=point_of(scope),
        number=7,
        this_update=this_update,
        next_update=next_update,
    )
    return replace(plan, **changes)


def rows_of(revocations: Iterable[Revocation]) -> Rows:
    """The revocations as columns, by serial, each serial once."""
    by_serial = {row.serial: row for row in revocations}
    return Rows.of(block_of([by_serial[serial] for serial in sorted(by_serial)]))


def tally_of(revocations: Iterable[Revocation]) -> Tally:
    """The tally of the revocations, by serial."""
    tally = Tally()
    tally.add(rows_of(revocations))
    return tally


def count_of(revocations: Iterable[Revocation]) -> RevocationCount:
    """What a store counts of the revocations."""
    weights = [weight(row.serial.octets, int(row.revoked_at.timestamp()), row.reason) for row in revocations]
    return RevocationCount(len(weights), sum(weights))


def encode_entries(revocations: Iterable[Revocation]) -> list[bytes]:
    """The entry of each revocation, by serial."""
    rows = rows_of(revocations)
    return [encode_rows(rows[place : place + 1]) for place in range(len(rows))]


def make_tbs(plan: ListPlan, entries: Iterable[bytes]) -> bytes:
    """The octets to be signed, with these entries."""
    return bytes(make_octets(plan, entries).view())


def make_octets(plan: ListPlan, entries: Iterable[bytes]) -> ListOctets:
    """The octets to be signed, which can still grow."""
    octets = ListOctets()
    for entry in entries:
        octets.add(entry, 1)
    build_tbs_crl(plan, octets)
    return octets


def octets_of(tbs: bytes) -> ListOctets:
    """Octets that might be those of a list."""
    octets = ListOctets()
    octets.put_behind(tbs)
    return octets


def entries_of(found: RevocationList) -> dict[bytes, tuple[datetime, CrlReason]]:
    """Serial octets, and the time and reason of each entry, in the order of the list."""
    return {
        serial.ljust(16, b"\x00"): (datetime.fromtimestamp(seconds, UTC), CrlReason(reason))
        for rows in found.rows()
        for serial, seconds, reason in zip(
            rows.serials.tolist(), rows.seconds.tolist(), rows.reasons.tolist(), strict=True
        )
    }


def make_list(revocations: Iterable[Revocation] = (), scope: Scope = SCOPE, **changes: Any) -> bytes:
    """A signed list (DER), with no questions asked."""
    plan = make_plan(scope, **changes)
    tbs = make_tbs(plan, encode_entries(revocations))
    return assemble(tbs, plan.algorithm, SIGNERS[scope.issuer].sign(tbs))


def tbs_of(octets: bytes) -> bytes:
    """The to-be-signed part of a signed object."""
    start, end = der.only(octets, der.SEQUENCE)
    return octets[start : der.read(octets, start, end)[2]]


def make_publisher(begin: Begin, directory: Path, clock: Callable[[], datetime], **changes: Any) -> Publisher:
    publisher = Publisher(
        issuers=ISSUERS,
        signers=SIGNERS,
        point=point_of,
        policy=POLICY,
        begin=begin,
        clock=clock,
        directory=directory,
        holder="first",
    )
    return replace(publisher, **changes)


def record_revocation(begin: Begin, *revocations: Revocation) -> None:
    """Put revocations on record, and with them the certificates they are about unless these are there already."""
    for revocation in revocations:
        with begin(write=False) as work:
            known = work.certificates.find(revocation.issuer, revocation.serial)
        if known is None:
            add_certificate(
                begin,
                f"{revocation.issuer} {revocation.serial.octets.hex()}",
                issuer=revocation.issuer,
                serial=revocation.serial,
                kind=ISSUERS[revocation.issuer].kind,
                municipality=revocation.municipality,
                validity=Validity(datetime(2027, 1, 1, tzinfo=UTC), revocation.not_after),
                state=CertificateState.ISSUED,
                ended_at=revocation.revoked_at,
            )
        with begin() as work:
            work.revocations.put(revocation, "receipt", revocation.revoked_at)
            work.commit()


def check_consistent(publisher: Publisher, *, settled: bool = True) -> None:
    """What must hold for every scope after every crash; when `settled`, the newest list is published and complete."""
    with publisher.begin(write=False) as work:
        known = work.lists.scopes()
        for scope in (record.scope for record in known):
            records = work.lists.records(scope)
            assert all(earlier.number < later.number for earlier, later in pairwise(records))
            file = read_current(publisher.directory, scope)
            by_digest = {record.digest: record for record in records if record.state is not ListState.RESERVED}
            if file is None:
                assert not settled
                continue
            record, found = by_digest[hashlib.sha256(file).digest()], read_list(file)
            assert (found.number, found.this_update) == (record.number, record.this_update)
            assert is_signed(file, scope)
            if settled:
                assert record.state is ListState.PUBLISHED
                assert record == next(row for row in reversed(records) if row.state is ListState.PUBLISHED)
                digest = (publisher.directory / f"{scope.path}.sha256").read_text()
                assert digest == f"{hashlib.sha256(file).hexdigest()}  {scope.file_name}\n"
                serials = b"".join(block.serials for block in work.revocations.blocks_of(scope, record.this_update))
                assert {serials[at : at + 16] for at in range(0, len(serials), 16)} <= entries_of(found).keys()


def is_signed(octets: bytes, scope: Scope) -> bool:
    issuer = x509.load_der_x509_certificate(ISSUERS[scope.issuer].certificate)
    return x509.load_der_x509_crl(octets).is_signature_valid(issuer.public_key())  # type: ignore[arg-type]


def openssl(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run openssl in `folder`."""
    return subprocess.run(["openssl", *arguments], cwd=folder, check=False, capture_output=True, text=True)
