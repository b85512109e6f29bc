"""Receipts for revocations, holds and releases, in the form in which they are kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from ca.authority import Authority
from domain.certificates import Carrier, Kind
from domain.errors import Code, Refusal
from domain.holds import ReleaseReceipt
from domain.ports import UnitOfWork
from domain.revocation import CertificateEffect, CrlReason, EffectWord, RevocationCause, RevocationReceipt


def earlier_receipt(authority: Authority, work: UnitOfWork, caller: str, key: str, content: bytes) -> str | None:
    """The receipt, as it is kept, that `caller` (a label) got under this idempotency key; None for a new key.

    Raises Refusal(IDEMPOTENCY_MISMATCH) when something else was asked for then.
    """
    if (earlier := work.revocations.receipt(caller, key)) is None:
        return None
    digest, receipt = earlier
    if not authority.sealer.says(content, digest):
        raise Refusal(
            Code.IDEMPOTENCY_MISMATCH,
            "this idempotency key belongs to an earlier request with other content; use a new key",
        )
    return receipt


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
            "effects": effects_to_json(receipt.effects),
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
        effects=effects_from_json(kept.get("effects", [])),
    )


def release_to_json(receipt: ReleaseReceipt) -> str:
    """The receipt as one JSON document."""
    return json.dumps(
        {
            "id": receipt.id,
            "carrier": receipt.carrier.value,
            "received_at": receipt.received_at.isoformat(),
            "committed_at": receipt.committed_at.isoformat(),
            "effects": effects_to_json(receipt.effects),
        }
    )


def release_from_json(text: str) -> ReleaseReceipt:
    """The receipt that `release_to_json` wrote."""
    kept = json.loads(text)
    return ReleaseReceipt(
        id=kept["id"],
        carrier=Carrier(kept["carrier"]),
        received_at=datetime.fromisoformat(kept["received_at"]).astimezone(UTC),
        committed_at=datetime.fromisoformat(kept["committed_at"]).astimezone(UTC),
        effects=effects_from_json(kept["effects"]),
    )


def effects_to_json(effects: Iterable[CertificateEffect]) -> list[dict[str, object]]:
    """What became of each certificate, as JSON values."""
    return [
        {
            "kind": effect.kind.value,
            "carrier": effect.carrier.value,
            "effect": effect.effect.value,
            "reason": None if effect.reason is None else effect.reason.word,
            "since": effect.since.isoformat() if effect.since else None,
        }
        for effect in effects
    ]


def effects_from_json(kept: Iterable[Mapping[str, Any]]) -> tuple[CertificateEffect, ...]:
    """The effects that `effects_to_json` wrote."""
    return tuple(
        CertificateEffect(
            Kind(row["kind"]),
            Carrier(row["carrier"]),
            EffectWord(row["effect"]),
            CrlReason.of(row["reason"]) if row["reason"] else None,
            datetime.fromisoformat(row["since"]).astimezone(UTC) if row["since"] else None,
        )
        for row in kept
    )
