"""A publisher's run: every scope that changed or is due gets its new list, one at a time, under a lease."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from crl.publication import publish_scope
from crl.publisher import LEASE, Publisher, hold_lease, is_due, require_clock
from domain.certificates import IssuerId
from domain.errors import Code, Refusal
from domain.lists import ListRecord, Scope

__all__ = ["PublicationReport", "Publisher", "publish_due"]


@dataclass(frozen=True, slots=True)
class PublicationReport:
    """What a run did: the new lists, how many scopes needed none, and which were refused one, and why."""

    published: tuple[ListRecord, ...]
    unchanged: int
    refused: tuple[tuple[Scope, Refusal], ...]


def publish_due(
    publisher: Publisher,
    *,
    scopes: Collection[Scope] | None = None,
    force: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> PublicationReport:
    """Publish all scopes in use, or those of `scopes`, that changed or are due; with `force`, the others too.

    A scope's refusal goes into the report and stops no other. Only a signer that is away is not asked again for the
    issuer's next scopes. `on_progress` hears (scopes done, scopes due). Raises Refusal(BUSY) when another
    publisher is at work, and Refusal(STORE_UNAVAILABLE).
    """
    now = publisher.clock()
    with publisher.begin(write=False) as work:
        records = {record.scope: record for record in work.lists.scopes()}
    wanted = sorted(records if scopes is None else set(scopes), key=lambda scope: scope.path)
    # A scope that is not in use counts as due: it is refused by name instead of passed over.
    due = [s for s in wanted if s not in records or is_due(publisher, records[s], now, force=force)]
    outcomes: dict[Scope, ListRecord | Refusal | None] = dict.fromkeys(wanted)
    away: dict[IssuerId, Refusal] = {}
    if due:
        with _leased(publisher) as token:
            for done, scope in enumerate(due, start=1):
                outcomes[scope] = _attempt(publisher, scope, away, token, force=force)
                if on_progress:
                    on_progress(done, len(due))
    return PublicationReport(
        published=tuple(outcome for outcome in outcomes.values() if isinstance(outcome, ListRecord)),
        unchanged=sum(outcome is None for outcome in outcomes.values()),
        refused=tuple((scope, outcome) for scope, outcome in outcomes.items() if isinstance(outcome, Refusal)),
    )


def _attempt(
    publisher: Publisher, scope: Scope, away: dict[IssuerId, Refusal], token: int, *, force: bool
) -> ListRecord | Refusal | None:
    """What came of publishing one scope. A signer that was found away goes into `away` and is not asked again; a file
    that cannot be written is its own scope's trouble."""
    if scope.issuer in away:
        return away[scope.issuer]
    try:
        return publish_scope(publisher, scope, force=force, token=token)
    except Refusal as refusal:
        if refusal.code is Code.STORE_UNAVAILABLE:
            raise
        if refusal.code is Code.SIGNER_UNAVAILABLE:
            away[scope.issuer] = refusal
        return refusal
    except OSError as error:
        why = error.strerror or type(error).__name__
        return Refusal(
            Code.STORE_UNAVAILABLE,
            f"the file of list {scope.path} cannot be read or written ({why}); see to the disk and the folder's owner",
        )


@contextmanager
def _leased(publisher: Publisher) -> Iterator[int]:
    """Hold the lease, whose token this gives, and give it back in the end; one that cannot be given back runs out by
    itself."""
    require_clock(publisher)
    with publisher.begin() as work:
        token = hold_lease(publisher, work)
        work.commit()
    try:
        yield token
    finally:
        with suppress(Refusal), publisher.begin() as work:
            work.lists.release(LEASE, publisher.holder)
            work.commit()
