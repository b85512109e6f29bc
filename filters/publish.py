"""Publishing filters: for a class of verifiers a base and a delta of each issuer, made, recorded, put in place."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from domain.certificates import Issuer, IssuerId
from domain.der import DerError
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.ports import Begin, Clock, RandomSource, Signer, UnitOfWork
from filters.census import Census
from filters.container import FilterFile, read_filter
from filters.make import make_filter

BASE_LIFE = timedelta(days=7)
"""After so long a delta is replaced by a new base: it has grown, and what expired is still in the base."""

Read = Callable[[str], bytes | None]
Write = Callable[[str, bytes], None]
"""Files by name in the folder of filters."""


@dataclass(frozen=True, slots=True, repr=False)
class FilterOffice:
    """What making filters needs. `key_of` gives the key of a class of verifiers, and refuses a class without one."""

    issuers: Mapping[IssuerId, Issuer]
    signers: Mapping[IssuerId, Signer]
    key_of: Callable[[str], bytes]
    begin: Begin
    clock: Clock
    random: RandomSource
    read: Read
    write: Write
    lifetime: timedelta


def file_name(verifiers: str, issuer: IssuerId, *, delta: bool) -> str:
    """`courts/signature-g1.base.filter` or `….delta.filter`."""
    return f"{verifiers}/{issuer}.{'delta' if delta else 'base'}.filter"


def publish_filters(
    office: FilterOffice,
    verifiers: str,
    *,
    fresh: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[str]:
    """Names of the files that were made: for every issuer that has not expired a delta over its base, or a new base
    when there is none, when it is too old, or when all shall be `fresh`.

    Raises Refusal(CLOCK_BEHIND) when the clock is behind the newest file, Refusal(SIGNER_UNAVAILABLE), and what
    `key_of` raises.
    """
    key, now, made = office.key_of(verifiers), office.clock(), []
    living = [issuer for issuer in office.issuers.values() if not issuer.validity.ended(now)]
    for done, issuer in enumerate(living, start=1):
        base = None if fresh else _usable_base(office, verifiers, issuer, now)
        number = int(now.timestamp())
        _require_later(office, verifiers, issuer, number)
        with office.begin(write=False) as work:
            census = take_census(work, issuer.id, now)
        octets = make_filter(
            census,
            issuer=issuer,
            signer=office.signers[issuer.id],
            verifiers=verifiers,
            key=key,
            number=number,
            base=base,
            now=now,
            lifetime=office.lifetime,
            random=office.random,
        )
        name = file_name(verifiers, issuer.id, delta=base is not None)
        facts = {"filter": name, "number": number, "sha256": hashlib.sha256(octets).hexdigest()}
        with office.begin() as work:
            work.audit.append(AuditEvent(Act.FILTER_MADE, "publisher:filters", now, facts))
            work.commit()
        office.write(name, octets)
        made.append(name)
        on_progress(done, len(living))
    return made


def take_census(work: UnitOfWork, issuer: IssuerId, now: datetime) -> Census:
    """All of the issuer's certificates that have not expired, reserved ones too, and which of them are revoked or
    held."""
    serials, begins = bytearray(), array("q")
    for octets, seconds in work.certificates.census(issuer, now):
        serials += octets
        begins.extend(seconds)
    revoked = b"".join(work.revocations.census(issuer, now))
    return Census.of(bytes(serials), np.frombuffer(begins, np.int64), revoked)


def _usable_base(office: FilterOffice, verifiers: str, issuer: Issuer, now: datetime) -> FilterFile | None:
    base = _read(office, file_name(verifiers, issuer.id, delta=False))
    if base is None or now - base.label.this_update >= BASE_LIFE:
        return None
    return base if base.label.key_identifier == issuer.key_identifier else None


def _require_later(office: FilterOffice, verifiers: str, issuer: Issuer, number: int) -> None:
    for file in _files(office, verifiers, issuer):
        if file.label.number >= number:
            raise Refusal(Code.CLOCK_BEHIND, "the clock is not after the newest filter; set it right, or wait a second")


def _files(office: FilterOffice, verifiers: str, issuer: Issuer) -> Iterator[FilterFile]:
    for delta in (False, True):
        if file := _read(office, file_name(verifiers, issuer.id, delta=delta)):
            yield file


def _read(office: FilterOffice, name: str) -> FilterFile | None:
    """The file, or None when it is not there or damaged: nobody can have used it."""
    octets = office.read(name)
    try:
        return read_filter(octets) if octets is not None else None
    except DerError:
        return None
