"""SQL stores for tests, one fresh database each, and rows to put there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import update

from audit.chain import GENESIS
from domain.certificates import CertificateRecord, CertificateState, Kind
from domain.people import ResidentState
from domain.ports import Begin, StatusLookup, UnitOfWork
from domain.revocation import CrlReason, Revocation, RevocationCause
from store.engine import open_writer
from store.schema import create
from store.status import SqlStatusLookup
from store.tables import audit_head, metadata
from store.work import SqlBegin
from tests.support.people import KIYOSE, PERSON, certificate_record, serial_of
from tests.support.sealers import HeardKeys
from tests.support.signers import KeySigner, stored_keys

NOW = datetime(2027, 4, 1, tzinfo=UTC)


def audit_signer() -> KeySigner:
    """A P-256 key that signs audit heads."""
    return KeySigner(stored_keys("responders-p256")[0])


@dataclass(frozen=True)
class Store:
    """Whatever keeps the rows: `url` is empty where there is no database."""

    begin: Begin
    status: StatusLookup
    url: str = ""
    keys: HeardKeys = field(default_factory=HeardKeys)


@contextmanager
def sql_store(url: str, *, lock_wait: float = 5.0) -> Iterator[Store]:
    """The store in a database that has its tables."""
    keys = HeardKeys()
    begin, status = (
        SqlBegin(url, audit_signer(), lock_wait=lock_wait, keys=keys),
        SqlStatusLookup(url, lock_wait=lock_wait),
    )
    try:
        yield Store(begin, status, url, keys)
    finally:
        begin.close()
        status.close()


@contextmanager
def sqlite_store(folder: Path, *, lock_wait: float = 5.0) -> Iterator[Store]:
    """A store in a new file in `folder`."""
    url = f"sqlite:///{folder / 'jpki.db'}"
    create(url)
    with sql_store(url, lock_wait=lock_wait) as store:
        yield store


@contextmanager
def postgres_store(url: str, *, lock_wait: float = 5.0) -> Iterator[Store]:
    """A store in a database that has its tables; what earlier tests left there is removed."""
    engine = open_writer(url)
    with engine.begin() as connection:
        names = ", ".join(table.name for table in metadata.sorted_tables if table is not audit_head)
        connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY")
        connection.execute(
            update(audit_head).values(sequence=0, digest=GENESIS, signature=b"", key_id="", code_keys=(1,))
        )
    engine.dispose()
    with sql_store(url, lock_wait=lock_wait) as store:
        yield store


def digest_of(label: str) -> bytes:
    """32 octets, the same for the same label."""
    return hashlib.sha256(label.encode()).digest()


def add_resident(work: UnitOfWork, label: str = "resident", **changes: Any) -> int:
    """A present resident of 清瀬市; the row id."""
    values = {"municipality": KIYOSE.code, "attributes": PERSON, "state": ResidentState.PRESENT, "at": NOW, **changes}
    return work.residents.put(digest_of(label), b"sealed " + label.encode(), **values)[0]


def add_application(work: UnitOfWork, resident_id: int, key: str = "application") -> int:
    """An application of 清瀬市 for that resident; its id."""
    return work.applications.open(KIYOSE.name, key, digest_of(key), resident_id, KIYOSE.code, NOW)


def make_certificate(work: UnitOfWork, label: str = "holder", **changes: Any) -> CertificateRecord:
    """A reserved certificate, not yet stored, of a resident and an application that are; `label` names all three."""
    resident_id = add_resident(work, label)
    record = replace(
        certificate_record(Kind.SIGNATURE, add_application(work, resident_id, label)),
        serial=serial_of(label),
        resident_id=resident_id,
        state=CertificateState.RESERVED,
        der=b"tbs of " + label.encode(),
        spki_digest=digest_of("key of " + label),
    )
    return replace(record, **changes)


def add_certificate(begin: Begin, label: str = "holder", **changes: Any) -> CertificateRecord:
    """Store what `make_certificate` makes, in a unit of work of its own."""
    with begin() as work:
        record = make_certificate(work, label, **changes)
        work.certificates.reserve([record])
        work.commit()
    return record


def revocation_of(record: CertificateRecord, **changes: Any) -> Revocation:
    """A revocation of that certificate, soon after it was reserved."""
    made = Revocation(
        record.issuer,
        record.serial,
        record.municipality,
        RevocationCause.RESIDENT_EVENT,
        CrlReason.AFFILIATION_CHANGED,
        record.reserved_at.replace(minute=59),
        record.validity.not_after,
    )
    return replace(made, **changes)
