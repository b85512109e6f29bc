"""The content of a scope's next list: the standing revocations, and what they change against the published list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from crl.diff import ListDifference, difference, refuse_shrinking
from crl.entries import encode_entries
from crl.publisher import Publisher, is_due
from crl.read import RevocationList, read_list
from domain.der import DerError
from domain.errors import Code, Refusal
from domain.lists import ListRecord, Scope, ScopeRecord
from domain.ports import UnitOfWork
from domain.revocation import Revocation
from domain.serial import SerialNumber


@dataclass(frozen=True, slots=True, repr=False)
class ListContent:
    """What belongs on the next list of a scope that was `known` so, and whose newest signed list was `latest`:
    the `standing` revocations, the `entries` that say them, and the `changes` against the published list."""

    known: ScopeRecord
    latest: ListRecord | None
    standing: tuple[Revocation, ...]
    entries: list[bytes]
    changes: ListDifference


def gather_content(
    publisher: Publisher, scope: Scope, file: bytes | None, now: datetime, *, force: bool
) -> ListContent | None:
    """The content, or None when the scope is not due; `file` is its published list.

    An expired certificate stays until one list after its expiry (RFC 5280 §3.3): those that had expired when the last
    list was made are left out, and any other entry that would disappear is Refusal(WOULD_SHRINK). Raises
    Refusal(NOT_FOUND) for a scope not in use and Refusal(OUT_OF_ORDER) when the file is newer than the database.
    """
    with publisher.begin(write=False) as work:
        known, latest = work.lists.scope(scope), work.lists.latest(scope)
        if known is None:
            raise Refusal(Code.NOT_FOUND, f"there is no list {scope.path}: no certificate belongs on it")
        if not is_due(publisher, known, now, force=force):
            return None
        before = _published_list(file)
        if before is not None and before.number > (latest.number if latest else 0):
            raise Refusal(
                Code.OUT_OF_ORDER,
                f"the published {scope.path} has number {before.number}, which the database never gave out: it is "
                "older than the files. Restore the newer database, or move the published file away first",
            )
        since = known.published.this_update if known.published else None
        standing = tuple(work.revocations.for_scope(scope, since))
        entries = encode_entries(standing)
        changes = difference(before, entries)
        if changes.removed:
            refuse_shrinking(changes, _expired(work, scope, changes.removed, since) if since else ())
    return ListContent(known, latest, standing, entries, changes)


def _published_list(file: bytes | None) -> RevocationList | None:
    """What the published file says; None also when it is damaged, since no client can have used it either."""
    try:
        return read_list(file) if file is not None else None
    except DerError:
        return None


def _expired(work: UnitOfWork, scope: Scope, serials: Iterable[bytes], since: datetime) -> set[bytes]:
    """Those of `serials` whose certificate had expired before `since`."""
    found = {octets: work.certificates.find(scope.issuer, SerialNumber.of(octets)) for octets in serials}
    return {octets for octets, certificate in found.items() if certificate and certificate.validity.ended(since)}
