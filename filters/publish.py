"""Publishing filters: for a class of verifiers a base and a delta of each issuer, made when due and put in place."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from domain.certificates import Issuer, IssuerId
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.ports import Begin, Clock, RandomSource, Signer, UnitOfWork
from filters.census import Census
from filters.container import FilterFile, read_filter
from filters.make import make_filter
from filters.shelf import Copy, Shelf, file_name

BASE_LIFE = timedelta(days=7)
"""After so long a delta is replaced by a new base: it has grown, and what expired is still in the base."""

LEASE = "filter-publisher"
LEASE_LIFE = timedelta(minutes=30)
"""Longer than one filter of all certificates takes; it is taken anew with each."""

Write = Callable[[str, bytes], None]
"""Puts a file of that name into the folder of filters, at once."""


@dataclass(frozen=True, slots=True)
class ClassKey:
    """The key of a class of verifiers. `word` is the class as its filters name it, another one for each key, so that
    nobody reads a filter with a key that is not its own."""

    word: str
    octets: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, repr=False)
class FilterOffice:
    """What making filters needs. `key_of` gives the key of a class of verifiers, and refuses a class without one;
    `holder` names this process among those that might make filters."""

    issuers: Mapping[IssuerId, Issuer]
    signers: Mapping[IssuerId, Signer]
    key_of: Callable[[str], ClassKey]
    begin: Begin
    clock: Clock
    random: RandomSource
    shelf: Shelf
    write: Write
    lifetime: timedelta
    holder: str = "filters"


def publish_filters(
    office: FilterOffice,
    verifiers: str,
    *,
    fresh: bool = False,
    due: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[str]:
    """Names of the files that were made: for every issuer that has not expired a delta over its base, or a new base
    when there is none, when it is too old or of another key, or when all shall be `fresh`. With `due`, only where half
    of the newest file's life is gone.

    One process at a time. Raises Refusal(BUSY) while another is at work or was in this very second,
    Refusal(CLOCK_BEHIND) when the clock is behind the newest file, Refusal(SIGNER_UNAVAILABLE), and what `key_of`
    raises.
    """
    key, now, made = office.key_of(verifiers), office.clock(), []
    living = [issuer for issuer in office.issuers.values() if not issuer.validity.ended(now)]
    wanted = [issuer for issuer in living if not due or _is_due(office, verifiers, issuer, key, now)]
    for done, issuer in enumerate(wanted, start=1):
        with _leased(office) as token:
            made.append(_publish(office, verifiers, issuer, key, token, fresh=fresh))
        on_progress(done, len(wanted))
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


def _publish(office: FilterOffice, verifiers: str, issuer: Issuer, key: ClassKey, token: int, *, fresh: bool) -> str:
    """The row on the trail is committed before the file is there. Killed in between, a row tells of a file that nobody
    saw, and the next run makes another."""
    now = office.clock()
    number = int(now.timestamp())
    _require_later(office, verifiers, issuer, number)
    base = None if fresh else _usable_base(office, verifiers, issuer, key, now)
    with office.begin(write=False) as work:
        census = take_census(work, issuer.id, now)
    octets = make_filter(
        census,
        issuer=issuer,
        signer=office.signers[issuer.id],
        verifiers=key.word,
        key=key.octets,
        number=number,
        base=base,
        now=now,
        lifetime=office.lifetime,
        random=office.random,
    )
    name = file_name(verifiers, issuer.id, delta=base is not None)
    facts = {"filter": name, "number": number, "sha256": hashlib.sha256(octets).hexdigest()}
    with office.begin() as work:
        _hold(office, work, token)
        work.audit.append(AuditEvent(Act.FILTER_MADE, "publisher:filters", now, facts))
        work.commit()
    with office.begin() as work:  # who slept meanwhile puts nothing over what another made since
        _hold(office, work, token)
        office.write(name, octets)
        work.commit()
    return name


@contextmanager
def _leased(office: FilterOffice) -> Iterator[int]:
    with office.begin() as work:
        token = _hold(office, work)
        work.commit()
    try:
        yield token
    finally:
        with suppress(Refusal), office.begin() as work:
            work.lists.release(LEASE, office.holder)
            work.commit()


def _hold(office: FilterOffice, work: UnitOfWork, token: int | None = None) -> int:
    now = office.clock()
    held = work.lists.lease(LEASE, office.holder, now, now + LEASE_LIFE)
    if not held or token not in (None, held):
        raise Refusal(Code.BUSY, "another process makes filters; wait until it is done, or half an hour if it died")
    return held


def _is_due(office: FilterOffice, verifiers: str, issuer: Issuer, key: ClassKey, now: datetime) -> bool:
    base, delta = office.shelf.pair(verifiers, issuer.id)
    if base is None or not _is_usable(base, issuer, key, now):
        return True
    newest = (delta or base).label
    return now >= newest.this_update + (newest.next_update - newest.this_update) / 2


def _usable_base(
    office: FilterOffice, verifiers: str, issuer: Issuer, key: ClassKey, now: datetime
) -> FilterFile | None:
    base, _ = office.shelf.pair(verifiers, issuer.id)
    if base is None or not _is_usable(base, issuer, key, now):
        return None
    octets = office.shelf.read(base)
    return read_filter(octets) if octets is not None else None


def _is_usable(base: Copy, issuer: Issuer, key: ClassKey, now: datetime) -> bool:
    label = base.label
    mine = (label.key_identifier, label.verifiers) == (issuer.key_identifier, key.word)
    return mine and now - label.this_update < BASE_LIFE


def _require_later(office: FilterOffice, verifiers: str, issuer: Issuer, number: int) -> None:
    for delta in (False, True):
        copy = office.shelf.find(verifiers, issuer.id, delta=delta)
        if copy is not None and copy.label.number == number:
            raise Refusal(Code.BUSY, "a filter was made in this very second, which numbers it; wait for the next one")
        if copy is not None and copy.label.number > number:
            raise Refusal(Code.CLOCK_BEHIND, "the clock is behind the newest filter; set it right")
