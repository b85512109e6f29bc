"""Receipts for revocations, in the form in which they are kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from domain.certificates import Kind
from domain.revocation import RevocationCause, RevocationReceipt


def receipt_to_json(receipt: RevocationReceipt) -> str:
    """The receipt as one JSON document."""
    return json.dumps(
        {
            "id": receipt.id,
            "cause": receipt.cause.value,
            "revoked": [kind.value for kind in receipt.revoked],
            "already": [kind.value for kind in receipt.already],
            "received_at": receipt.received_at.isoformat(),
            "committed_at": receipt.committed_at.isoformat(),
        }
    )


def receipt_from_json(text: str) -> RevocationReceipt:
    """The receipt that `receipt_to_json` wrote."""
    kept = json.loads(text)
    return RevocationReceipt(
        id=kept["id"],
        cause=RevocationCause(kept["cause"]),
        revoked=tuple(map(Kind, kept["revoked"])),
        already=tuple(map(Kind, kept["already"])),
        received_at=datetime.fromisoformat(kept["received_at"]).astimezone(UTC),
        committed_at=datetime.fromisoformat(kept["committed_at"]).astimezone(UTC),
    )
