"""The content of a scope's next list: the standing revocations, and what they change against the published list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from crl.diff import Comparison, ListDifference, Said, refuse_shrinking, refuse_turning
from crl.earlier import Earlier
from crl.entries import encode_rows
from crl.octets import ListOctets
from crl.publisher import Publisher, is_due
from crl.read import RevocationList, read_list
from crl.releases import releases_among
from crl.rows import Rows, Tally
from domain.der import DerError
from domain.errors import Code, Refusal
from domain.lists import ListRecord, Scope, ScopeRecord
from domain.ports import UnitOfWork
from domain.revocation import RevocationCount
from domain.serial import SerialNumber


@dataclass(frozen=True, slots=True, repr=False)
class ListContent:
    """What belongs on the next list of a scope that was `known` so, and whose newest signed list was `latest`:
    `octets` that hold the entries, a tally of the `standing` revocations as they were read, how many and which there
    must be by the database's own `count`, and the `changes` against the published list.
    """

    known: ScopeRecord
    latest: ListRecord | None
    octets: ListOctets
    standing: Tally
    count: RevocationCount
    changes: ListDifference


def gather_content(
    publisher: Publisher, scope: Scope, file: memoryview | None, now: datetime, *, force: bool
) -> ListContent | None:
    """The content, or None when the scope is not due; `file` is its published list.

    An expired certificate stays until one list after its expiry (RFC 5280 §3.3): those that had expired when the last
    list was made are left out, and so is a hold that was lifted; any other entry that would disappear or turn back is
    Refusal(WOULD_SHRINK). Raises
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
        octets, standing, changes = _gather(work, scope, since, before)
        count = work.revocations.count(scope, since)
        refuse_turning(changes, dict(releases_among(work, scope.issuer, changes.turned)))
        if changes.removed:
            refuse_shrinking(changes, _explained(work, scope, changes.removed, since))
    return ListContent(known, latest, octets, standing, count, changes)


def _gather(
    work: UnitOfWork, scope: Scope, since: datetime | None, before: RevocationList | None
) -> tuple[ListOctets, Tally, ListDifference]:
    """Entries, tally and changes, made together while the rows come: there may be millions."""
    octets, standing = ListOctets(), Tally()
    earlier = Earlier(before.entries if before else b"", whole=False)
    comparison = Comparison(earlier)
    for block in work.revocations.blocks_of(scope, since):
        rows = Rows.of(block)
        entries = encode_rows(rows)
        octets.add(entries, len(rows))
        standing.add(rows)
        if not earlier.skip(entries):
            comparison.feed(rows)
    return octets, standing, comparison.result()


def _published_list(file: memoryview | None) -> RevocationList | None:
    """What the published file says; None also when it is damaged, since no client can have used it either."""
    try:
        return read_list(file) if file is not None else None
    except DerError:
        return None


def _explained(work: UnitOfWork, scope: Scope, removed: Mapping[bytes, Said], since: datetime | None) -> set[bytes]:
    """Those of `removed` whose certificate had expired before `since`, or whose hold was lifted."""
    lifted = {octets for octets, _ in releases_among(work, scope.issuer, removed)}
    if since is None:
        return lifted
    found = {octets: work.certificates.find(scope.issuer, SerialNumber.of(octets)) for octets in removed}
    return lifted | {
        octets for octets, certificate in found.items() if certificate and certificate.validity.ended(since)
    }
