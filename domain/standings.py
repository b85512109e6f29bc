"""Standings: what a verifier is in law, what it was approved for, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from domain.certificates import Kind


class Standing(Enum):
    """The classes of verifiers (公的個人認証法 §17, §36; 規則 §29)."""

    ADMINISTRATIVE_BODY = "administrative-body"
    COURT = "court"
    CERTIFIED_CA = "certified-ca"
    ACCREDITED_PRIVATE = "accredited-private"
    GROUP_VERIFIER = "group-verifier"
    CONFIRMER = "confirmer"
    PLATFORM_OPERATOR = "platform-operator"
    SERVICE_PROVIDER = "service-provider"

    @property
    def through(self) -> Standing | None:
        """Whom those of this standing ask through, who do not ask themselves."""
        return _THROUGH.get(self)


_THROUGH = {
    Standing.CONFIRMER: Standing.GROUP_VERIFIER,
    Standing.SERVICE_PROVIDER: Standing.PLATFORM_OPERATOR,
}


@dataclass(frozen=True, slots=True)
class Approval:
    """What two officers approved for one kind of certificates: which purposes, and when. In force once the verifier's
    notification was received. `proposal` names the last proposal about it, where reasons are found."""

    kind: Kind
    purposes: frozenset[str]
    since: datetime
    until: datetime
    proposal: str
    notified_at: datetime | None = None
    suspended_at: datetime | None = None
    withdrawn_at: datetime | None = None

    def in_force(self, now: datetime) -> bool:
        """Whether it counts at `now`: notified, not suspended or withdrawn, within its period."""
        return (
            self.notified_at is not None
            and self.suspended_at is None
            and self.withdrawn_at is None
            and self.since <= now <= self.until
        )

    def state(self, now: datetime) -> str:
        """One word for people."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        if now > self.until:
            return "ended"
        if self.suspended_at is not None:
            return "suspended"
        return "approved" if self.notified_at is None or now < self.since else "in-force"
