"""Provisions: every hand-over of certificate status, told to a record before the answer leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from domain.certificates import IssuerId
from domain.parties import Party

ASKED_OCTETS = 16
EVIDENCE_OCTETS = 12
NAME_OCTETS = 44
"""What a record keeps of a purpose, an issuer's id or an answer, in UTF-8."""


class Channel(IntEnum):
    """By which way status was handed over. The numbers stand in records and never change their meaning."""

    OCSP = 1
    CRL = 2
    FILTER = 3
    HANDLE = 4
    NOTICE = 5
    VALIDATION = 6


class Provision(NamedTuple):
    """One hand-over: who got what about whom, when, for what.

    `party` is None for anybody, `provider` for whoever does not stand behind a platform. `asked` are the 16 octets of
    a serial, the area of a list, or nothing where it cannot be one of ours. `answered` is a word. `evidence` is a
    digest: of the transaction that gave reason to ask, or of the list that was handed over; 12 octets of it are kept.
    A tuple, because one is made for every answer.
    """

    when: datetime
    party: Party | None
    provider: Party | None
    purpose: str
    issuer: IssuerId
    channel: Channel
    asked: bytes
    answered: str
    evidence: bytes = b""

    def __repr__(self) -> str:
        """Nothing of what was asked."""
        return "Provision(…)"


Record = Callable[[Provision], None]
"""Puts a provision on record: when it returns, the end of the process takes nothing back. Called before the answer
leaves. Raises Refusal(STORE_UNAVAILABLE) when there is no room, and then no answer may leave."""


def asked_serial(serial: int) -> bytes:
    """`asked` for a serial as somebody's request has it: nothing if it is longer than any of ours, or negative."""
    return serial.to_bytes(ASKED_OCTETS) if 0 <= serial < 1 << 8 * ASKED_OCTETS else b""
