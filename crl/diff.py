"""What the next list of a scope changes; an entry may not disappear without an explanation."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass

from crl.entries import tails_of
from crl.read import RevocationList
from domain.errors import Code, Refusal


@dataclass(frozen=True, slots=True, repr=False)
class ListDifference:
    """Serial octets that appear, that disappear, and whose time or reason changes (a hold became a revocation)."""

    added: frozenset[bytes]
    removed: frozenset[bytes]
    changed: frozenset[bytes]


def difference(before: RevocationList | None, entries: Iterable[bytes]) -> ListDifference:
    """What a list of these encoded entries changes against the one published `before`, if there was one."""
    old = before.tails if before else {}
    new = tails_of(entries)
    return ListDifference(
        added=frozenset(new.keys() - old.keys()),
        removed=frozenset(old.keys() - new.keys()),
        changed=frozenset(serial for serial, tail in old.items() if new.get(serial, tail) != tail),
    )


def refuse_shrinking(found: ListDifference, explained: Container[bytes]) -> None:
    """Raises Refusal(WOULD_SHRINK) when an entry disappears whose serial is not among `explained`."""
    unexplained = sum(serial not in explained for serial in found.removed)
    if unexplained:
        raise Refusal(
            Code.WOULD_SHRINK,
            f"{unexplained} of {len(found.removed)} disappearing entries are unexplained: no revocation of these "
            "certificates is on record, and they had not expired before the last list. Restore the revocations; to "
            "publish without them, move the published file away first",
            facts={"unexplained": unexplained, "removed": len(found.removed)},
        )
