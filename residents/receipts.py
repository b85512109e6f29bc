"""Receipts for notices: what the sender is told, once and again."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from domain.certificates import Kind
from domain.events import EventType


class NothingRevoked(Enum):
    """Why a notice revoked nothing."""

    EXEMPT_EVENT = "exempt-event"
    NO_LIVE_CERTIFICATE = "no-live-certificate"


@dataclass(frozen=True, slots=True)
class NoticeReceipt:
    """What became of a notice. No serial is in it, and nothing of the resident.

    `nothing` is set exactly when `revoked` is empty. `repeated` says that the notice was applied before; the rest is
    as it was then. Both times are aware UTC.
    """

    id: str
    notice_id: str
    event: EventType
    revoked: tuple[Kind, ...]
    nothing: NothingRevoked | None
    received_at: datetime
    committed_at: datetime
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
        )

    def again(self) -> NoticeReceipt:
        """The receipt for a repeat of the notice."""
        return replace(self, repeated=True)
