"""Entries: what a line of the ledger says, as octets and as a value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from domain.provisions import Channel
from provisions.segment import NOBODY, Content, Sealed


@dataclass(frozen=True, slots=True)
class Entry:
    """Who was told what about the subject of the line, when and for what. `party` and `provider` are row ids."""

    at: datetime
    party: int | None
    provider: int | None
    purpose: str
    channel: Channel
    answered: str
    evidence: bytes


def write_entries(rows: Iterable[Sealed], content: Content) -> bytes:
    """The records of a segment that are about one subject, for one line."""
    names = content.names
    said = [
        (
            row.seconds,
            row.party,
            row.provider,
            names.get(row.purpose, "?"),
            row.channel,
            names.get(row.answer, "?"),
            row.evidence.hex() if any(row.evidence) else "",
        )
        for row in rows
    ]
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()


def read_entries(octets: bytes) -> Iterator[Entry]:
    """What `write_entries` wrote."""
    for seconds, party, provider, purpose, channel, answered, evidence in json.loads(octets):
        yield Entry(
            datetime.fromtimestamp(seconds, UTC),
            None if party == NOBODY else party,
            None if provider == NOBODY else provider,
            purpose,
            Channel(channel),
            answered,
            bytes.fromhex(evidence),
        )
