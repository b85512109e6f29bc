"""Proposals: acts that nobody may do alone; each takes effect when a second officer confirms it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from domain.ports import UnitOfWork

# A digest made for one purpose must never pass for another one.
_DIGEST = b"jpki proposal v1\x00"
_SPOKEN = b"jpki officer v1\x00"

Word = Literal["propose", "confirm", "dismiss"]


class ProposalState(Enum):
    """An OPEN one whose time has passed cannot be confirmed any more, see `Proposal.expired`."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Voice:
    """An officer speaks: by the SHA-256 of a registered certificate, and by a signature that its key made over what is
    said (`spoken`). None stands for a TLS handshake in which the officer has just shown to hold the key."""

    fingerprint: bytes
    signature: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Decision:
    """Who confirmed or dismissed a proposal, when, and why it was dismissed."""

    officer: str
    voice: Voice
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one officer proposes. `kind` names a `JointAct`, `content` (canonical JSON) says all that it needs to know.

    `officer` is the label of the proposer's party, `voice` its credential. What is confirmed is `digest`.
    """

    id: str
    kind: str
    content: str
    reason: str
    officer: str
    voice: Voice
    proposed_at: datetime
    expires_at: datetime
    state: ProposalState = ProposalState.OPEN
    decision: Decision | None = None

    @property
    def digest(self) -> bytes:
        """SHA-256 over everything that was proposed, by which credential, and until when."""
        said = (
            self.id,
            self.kind,
            self.content,
            self.reason,
            self.voice.fingerprint.hex(),
            int(self.proposed_at.timestamp()),
            int(self.expires_at.timestamp()),
        )
        return hashlib.sha256(_DIGEST + canonical(said).encode()).digest()

    @property
    def said(self) -> Mapping[str, object]:
        """The content as it was given."""
        content: Mapping[str, object] = json.loads(self.content)
        return content

    def expired(self, now: datetime) -> bool:
        """Whether it is too late to decide."""
        return self.state is ProposalState.OPEN and now > self.expires_at


@dataclass(frozen=True, slots=True)
class JointAct:
    """A kind of act that takes two.

    `check` refuses content that cannot be meant, before it is proposed and again before it is done; `do` does it in the
    transaction that confirms, and gives the facts for the audit row. Both raise Refusal, and neither commits.
    """

    kind: str
    title_en: str
    title_ja: str
    check: Callable[[UnitOfWork, Mapping[str, object], datetime], None]
    do: Callable[[UnitOfWork, Proposal, datetime], Mapping[str, object]]
    lasts: timedelta = timedelta(days=7)


def canonical(content: object) -> str:
    """JSON with sorted keys and no blanks: equal texts for equal contents."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def spoken(word: Word, digest: bytes, reason: str = "") -> bytes:
    """The octets that an officer's key signs to propose, confirm or dismiss the proposal with that digest."""
    return _SPOKEN + b"\x00".join((word.encode(), digest, hashlib.sha256(reason.encode()).digest()))


class ProposalRepository(Protocol):
    """All proposals that were ever made."""

    def put(self, proposal: Proposal) -> None:
        """Store an open proposal. Raises Refusal(ALREADY_APPLIED) when its id is taken."""

    def find(self, id_: str) -> Proposal | None: ...

    def decide(self, id_: str, state: ProposalState, decision: Decision) -> None:
        """Close an open proposal. Raises LookupError when no open one has this id."""

    def confirmed(self, kind: str) -> int:
        """How many proposals of that kind were confirmed: never fewer than before."""

    def agreed(self, kind: str) -> Sequence[Proposal]:
        """Those that were confirmed, in the order of their confirmation."""

    def page(self, state: ProposalState | None, limit: int) -> Sequence[Proposal]:
        """At most `limit` proposals, of that state or all, newest first."""
