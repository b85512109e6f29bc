"""Answers to notices: what the sender is told, once and again, of those applied, held and quarantined."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from ca.receipts import effects_from_json, effects_to_json
from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.events import EventType, NoticeState
from domain.revocation import CertificateEffect


class NothingRevoked(Enum):
    """Why a notice revoked nothing."""

    EXEMPT_EVENT = "exempt-event"
    NO_LIVE_CERTIFICATE = "no-live-certificate"


@dataclass(frozen=True, slots=True)
class NoticeReceipt:
    """What an applied notice did. No serial is in it, and nothing of the resident.

    `changes` names fields of the record, `effects` say what became of each live certificate. `nothing` is set exactly
    when `revoked` is empty. `repeated` says that the notice was applied before; the rest is as it was then. Both times
    are aware UTC.
    """

    id: str
    notice_id: str
    event: EventType
    revoked: tuple[Kind, ...]
    nothing: NothingRevoked | None
    received_at: datetime
    committed_at: datetime
    changes: tuple[str, ...] = ()
    effects: tuple[CertificateEffect, ...] = ()
    repeated: bool = False

    def to_json(self) -> str:
        """The receipt as it is kept and answered."""
        return json.dumps(
            {
                "receipt": self.id,
                "notice_id": self.notice_id,
                "event": self.event.value,
                "revoked": [kind.value for kind in self.revoked],
                "nothing": self.nothing.value if self.nothing else None,
                "changes": list(self.changes),
                "effects": effects_to_json(self.effects),
                "received_at": self.received_at.isoformat(),
                "committed_at": self.committed_at.isoformat(),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> NoticeReceipt:
        content = json.loads(text)
        return cls(
            id=content["receipt"],
            notice_id=content["notice_id"],
            event=EventType(content["event"]),
            revoked=tuple(Kind(kind) for kind in content["revoked"]),
            nothing=NothingRevoked(content["nothing"]) if content["nothing"] else None,
            received_at=datetime.fromisoformat(content["received_at"]),
            committed_at=datetime.fromisoformat(content["committed_at"]),
            changes=tuple(content.get("changes", ())),
            effects=effects_from_json(content.get("effects", ())),
        )

    def again(self) -> NoticeReceipt:
        """The receipt for a repeat of the notice."""
        return replace(self, repeated=True)


@dataclass(frozen=True, slots=True)
class HeldNotice:
    """A notice that waits: it comes after number `expected` of its sender, which is not here yet."""

    notice_id: str
    sequence: int
    expected: int
    received_at: datetime
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class QuarantinedNotice:
    """A notice that had no effect and will have none. Its number counts as used; `reason` and `detail` say why."""

    notice_id: str
    sequence: int | None
    reason: Code
    detail: str
    received_at: datetime
    repeated: bool = False
    cause: Refusal | None = field(default=None, compare=False, repr=False)

    def refusal(self) -> Refusal:
        """What a caller hears who asked for this one notice."""
        facts: dict[str, object] = {
            **(self.cause.facts if self.cause else {}),
            "state": NoticeState.QUARANTINED.value,
            "notice_id": self.notice_id,
            "sequence": self.sequence,
        }
        return Refusal(self.reason, self.detail, pointer=self.cause.pointer if self.cause else None, facts=facts)


NoticeAnswer = NoticeReceipt | HeldNotice | QuarantinedNotice
