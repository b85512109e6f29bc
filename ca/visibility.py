"""When a revocation could be seen: in OCSP with its commit, in lists with the first one that shows it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from domain.changes import ListChange
from domain.errors import Code, Refusal
from domain.lists import ListRecord
from domain.parties import Party
from domain.ports import Begin


@dataclass(frozen=True, slots=True)
class Showing:
    """A change of one series of lists, and the first published list that shows it: None while it waits for that."""

    change: ListChange
    record: ListRecord | None


@dataclass(frozen=True, slots=True)
class Visibility:
    """Where what a receipt is about can be seen. Times are aware UTC.

    `in_ocsp_at` is the commit: every answer that is made from then on, by whichever responder of this database, is
    made of it. Who was answered before may rely on that until its nextUpdate. None when the act changed nothing.
    """

    receipt: str
    revoked: tuple[str, ...]
    received_at: datetime
    committed_at: datetime
    in_ocsp_at: datetime | None
    showings: tuple[Showing, ...]

    @property
    def in_lists_at(self) -> datetime | None:
        """When the last of its lists was in place; None while one is not, or none is to come."""
        times = [showing.record.published_at for showing in self.showings if showing.record]
        known = [moment for moment in times if moment]
        return max(known) if known and len(known) == len(self.showings) else None


def visibility_of(begin: Begin, receipt: str, applicant: Party | None) -> Visibility:
    """Where the revocations of a receipt can be seen, for its applicant alone; for anybody's when `applicant` is None.

    Raises Refusal(NOT_FOUND), in the same words for a number nobody has and for somebody else's.
    """
    with begin(write=False) as work:
        kept = work.revocations.receipt_of(receipt)
        if kept is None or (applicant is not None and kept[0] not in _names(applicant)):
            raise Refusal(Code.NOT_FOUND, "you have no receipt of this number; give the number of a receipt of yours")
        changes = work.changes.of_receipt(receipt)
        showings = tuple(Showing(change, work.changes.shown_by(change)) for change in changes)
    said = json.loads(kept[1])
    committed_at = datetime.fromisoformat(said["committed_at"]).astimezone(UTC)
    return Visibility(
        receipt=receipt,
        revoked=tuple(said.get("revoked", ())),
        received_at=datetime.fromisoformat(said["received_at"]).astimezone(UTC),
        committed_at=committed_at,
        in_ocsp_at=committed_at if changes else None,
        showings=showings,
    )


def _names(applicant: Party) -> Sequence[str]:
    """Under which names receipts of this party are kept: those of its requests, and of its notices."""
    return applicant.label, f"notices of {applicant.label}"


def visibility_to_json(found: Visibility) -> dict[str, object]:
    """The same as JSON values."""
    return {
        "receipt": found.receipt,
        "revoked": list(found.revoked),
        "received_at": found.received_at.isoformat(),
        "committed_at": found.committed_at.isoformat(),
        "in_ocsp_at": found.in_ocsp_at.isoformat() if found.in_ocsp_at else None,
        "in_lists_at": found.in_lists_at.isoformat() if found.in_lists_at else None,
        "lists": [_shown(showing) for showing in found.showings],
    }


def _shown(showing: Showing) -> dict[str, object]:
    record = showing.record
    published_at = record.published_at if record else None
    return {
        "list": showing.change.scope.path,
        "certificates": showing.change.count,
        "number": record.number if record else None,
        "this_update": record.this_update.isoformat() if record else None,
        "published_at": published_at.isoformat() if published_at else None,
    }
