"""The publisher: what publication needs, when a scope is due, and who may publish at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from domain.certificates import Issuer, IssuerId
from domain.errors import Code, Refusal
from domain.lists import Scope, ScopeRecord
from domain.ports import Begin, Clock, Signer, UnitOfWork
from policies.crl import CrlPolicy

LEASE = "crl-publisher"
LEASE_LIFE = timedelta(minutes=1)
"""Longer than any one list takes; it is extended with every list."""

SKEW = timedelta(seconds=10)
"""How far a publisher's clock may be from the clock that all share."""


@dataclass(frozen=True, slots=True, repr=False)
class Publisher:
    """What publication needs. `point` gives a scope's DistributionPointName (`crl.scope.distribution_point`);
    `freshest` where its delta list lies, if it has one; `directory` holds the files; `holder` names this process among
    the publishers that might run. `shared_clock` is the database's, where these may be on several machines."""

    issuers: Mapping[IssuerId, Issuer]
    signers: Mapping[IssuerId, Signer]
    point: Callable[[Scope], bytes]
    policy: CrlPolicy
    begin: Begin
    clock: Clock
    directory: Path
    holder: str
    freshest: Callable[[Scope], bytes] = lambda _: b""
    shared_clock: Clock | None = None

    def moment(self) -> datetime:
        """Now by the clock that all publishers share."""
        return self.shared_clock() if self.shared_clock else self.clock()


def is_due(publisher: Publisher, record: ScopeRecord, now: datetime, *, force: bool) -> bool:
    """Whether the scope gets a new list now: the policy says so, or its file is gone.

    An issuer that has expired signs no more. A clock behind the last list counts as due: the reservation refuses it.
    """
    issuer = publisher.issuers.get(record.scope.issuer)
    if issuer and issuer.validity.ended(now):
        return False
    policy = publisher.policy
    if force or policy.is_due(record, now) or policy.is_behind(record, now):
        return True
    return not (publisher.directory / record.scope.path).exists()


def hold_lease(publisher: Publisher, work: UnitOfWork, token: int | None = None) -> int:
    """Take or extend the lease; its token. Raises Refusal(BUSY) while another publisher has it, or, given the token
    under which this was begun, when another one has had it since: whoever slept meanwhile must begin anew."""
    now = publisher.moment()
    held = work.lists.lease(LEASE, publisher.holder, now, now + LEASE_LIFE)
    if not held:
        raise Refusal(Code.BUSY, "another publisher is at work; wait until it is done, or a minute if it died")
    if token is not None and held != token:
        raise Refusal(Code.BUSY, "another publisher was at work meanwhile; what was begun before is given up")
    return held


def require_clock(publisher: Publisher) -> None:
    """Raises Refusal(CLOCK_BEHIND) when this machine's clock is not that of the database: lists carry its time."""
    if abs(publisher.clock() - publisher.moment()) > SKEW:
        raise Refusal(
            Code.CLOCK_BEHIND,
            "this machine's clock and the database's are more than ten seconds apart; set them right before publishing",
        )
