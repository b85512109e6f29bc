"""The audit chain: canonical bodies, links, signed heads, and the check that finds the first break."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from domain.events import AuditEvent, AuditHead, AuditRow

GENESIS = bytes(32)
"""What stands before the first row."""

CheckSignature = Callable[[str, bytes, bytes], bool]
"""(key id, octets, signature) -> whether that key, known from elsewhere, made that signature over these octets."""

# A digest made for one purpose must never pass for another one.
_LINK = b"jpki audit link v1\x00"
_HEAD = b"jpki audit head v1\x00"

_write = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain stops being believable, and why."""

    sequence: int
    why: str


def body_of(event: AuditEvent) -> str:
    """Canonical JSON of an event: sorted keys, no blanks, text as it is, time as RFC 3339 with Z.

    Raises ValueError for a naive or fractional time and for NaN, TypeError for facts that are not plain JSON.
    """
    content = {"act": event.act.value, "actor": event.actor, "at": _time_of(event.at), "facts": dict(event.facts)}
    return _write(content)


@lru_cache(maxsize=64)
def _time_of(moment: datetime) -> str:
    """Cached: what happens together happens in one second."""
    if moment.tzinfo is None or moment.microsecond:
        raise ValueError("an audit event wants an aware time in whole seconds")
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


def link(previous: bytes, sequence: int, body: str) -> bytes:
    """The digest (SHA-256) of row `sequence`: it fixes the row's body, its place, and by `previous` all before it."""
    return hashlib.sha256(_LINK + previous + sequence.to_bytes(8) + body.encode()).digest()


def chain(head: tuple[int, bytes], bodies: Iterable[str]) -> list[AuditRow]:
    """The rows that continue a chain whose newest (sequence, digest) is `head`."""
    sequence, digest = head
    rows = []
    for body in bodies:
        sequence += 1
        digest = link(digest, sequence, body)
        rows.append(AuditRow(sequence, body, digest))
    return rows


def head_octets(sequence: int, digest: bytes) -> bytes:
    """What the signature of a head covers."""
    return _HEAD + sequence.to_bytes(8) + digest


def verify(
    rows: Iterable[AuditRow],
    head: AuditHead | None,
    check_signature: CheckSignature,
    anchor: AuditHead | None = None,
) -> Break | None:
    """The first break in a chain that begins at row 1, or None. Reads `rows` once, one row at a time.

    Found are rows edited, removed, added or moved, a tail cut off or grown, and a head nobody signed. Whoever holds the
    audit key can still rewrite everything; `anchor`, an earlier head kept out of their reach, finds that too.
    """
    sequence, digest = 0, GENESIS
    for row in rows:
        if row.sequence != sequence + 1:
            return Break(sequence + 1, f"row {row.sequence} stands where row {sequence + 1} belongs")
        sequence, digest = row.sequence, link(digest, row.sequence, row.body)
        if row.digest != digest:
            return Break(sequence, "the row's digest does not follow from its body and the row before it")
        if anchor is not None and anchor.sequence == sequence and anchor.digest != digest:
            return Break(sequence, "the row is not the one that the earlier head vouched for")
    return _ends(sequence, digest, head, check_signature, anchor)


def _ends(
    sequence: int, digest: bytes, head: AuditHead | None, check_signature: CheckSignature, anchor: AuditHead | None
) -> Break | None:
    if head is None:
        if sequence:
            return Break(1, "there are rows, but no head vouches for them")
    elif head.sequence != sequence:
        return Break(min(sequence, head.sequence) + 1, f"the head says {head.sequence} rows, there are {sequence}")
    elif head.digest != digest:
        return Break(sequence, "the head vouches for another last row")
    for kept in (anchor, head):
        if kept is not None and not check_signature(
            kept.key_id, head_octets(kept.sequence, kept.digest), kept.signature
        ):
            return Break(kept.sequence, "the signature of a head is wrong, or its key is not one we know")
    if anchor is not None and anchor.sequence > sequence:
        return Break(sequence + 1, f"the earlier head vouched for {anchor.sequence} rows, there are {sequence}")
    return None
