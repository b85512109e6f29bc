"""The desk: residents named by code or by their four items, and a bound on naming nobody."""

from __future__ import annotations

from datetime import datetime

from ca.authority import Authority
from ca.entitlement import find_resident
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.parties import Party, Role
from domain.people import BasicAttributes, Resident, ResidentCode
from domain.ports import UnitOfWork
from policies.matching import match_octets

Name = ResidentCode | BasicAttributes
"""Who is meant: the resident with this code, or the only one with these four items."""

GAP = 1000
"""Residents whose items are made comparable on the way when one is looked for; loads of more are the publisher's."""

OUTAGES = frozenset({Code.BUSY, Code.STORE_UNAVAILABLE, Code.BAD_CONFIGURATION})


def find_named(authority: Authority, work: UnitOfWork, caller: Party, name: Name) -> Resident:
    """The resident who is meant; a municipality finds its own only.

    Raises Refusal(UNKNOWN_RESIDENT). Named by the items, nobody, several and somebody else's resident are refused in
    the same words: the caller must not learn who lives where.
    """
    home = caller.municipality if caller.role is Role.MUNICIPALITY else None
    if isinstance(name, ResidentCode):
        return find_resident(authority, work, name, home)
    match_new(authority, work, GAP)
    found = work.residents.by_items(tuple(authority.sealer.digests(match_octets(name))))
    if len(found) != 1 or home not in (None, found[0].municipality):
        raise nobody()
    return found[0]


def nobody() -> Refusal:
    """What is said for no match, for several, and for somebody who has nothing to be stopped."""
    return Refusal(
        Code.UNKNOWN_RESIDENT,
        "these items lead to nobody whose certificates could be stopped; check each as the register writes it, or "
        "have the resident code",
        pointer="/attributes",
    )


def match_new(authority: Authority, work: UnitOfWork, limit: int) -> int:
    """Make the digests of items that are new, of at most `limit` residents; of how many. To be committed."""
    residents = work.residents.unmatched(limit)
    digests = [(row.id, authority.sealer.digest(match_octets(row.attributes))) for row in residents]
    work.residents.keep_matches(digests)
    return len(digests)


def require_attempts(authority: Authority, work: UnitOfWork, caller: Party, at: datetime) -> None:
    """Return if the caller may try again. Raises Refusal(TOO_MANY_ATTEMPTS)."""
    desk = authority.holds.desk
    if work.holds.misses(caller.label, at - desk.window) >= desk.attempts:
        minutes = int(desk.window.total_seconds() // 60)
        raise Refusal(
            Code.TOO_MANY_ATTEMPTS,
            f"{desk.attempts} attempts within {minutes} minutes led to nobody; wait until they are older",
            facts={"attempts": desk.attempts, "window_minutes": minutes},
        )


def count_miss(authority: Authority, work: UnitOfWork, caller: Party, name: Name, why: str, at: datetime) -> None:
    """Count an attempt against the caller, and tell the audit trail, which hears nothing of what was asked."""
    work.holds.miss(caller.label, at, at - authority.holds.desk.window)
    facts = {"by": "code" if isinstance(name, ResidentCode) else "items", "why": why}
    work.audit.append(AuditEvent(Act.HOLD_MISSED, caller.label, at, facts))
