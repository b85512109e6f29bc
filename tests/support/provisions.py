"""Provisions to put on record, keys to seal them to, and what comes back out of the segments."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from domain.certificates import IssuerId, Kind
from domain.parties import Party, Role
from domain.ports import Begin, Clock
from domain.provisions import Channel, Provision
from provisions.filing import Filing
from provisions.segment import Content, SealKeys, open_key, read_content, read_header
from provisions.shares import public_of
from provisions.tags import filing_key
from provisions.writer import SegmentWriter
from tests.support.authority import NOW
from tests.support.people import serial_of

MASTER = b"master of the filing and ledger!"
UNLOCKING = b"private key that nobody has alone"[:32]
SEAL_KEYS = SealKeys(public_of(filing_key(MASTER)), public_of(UNLOCKING))
BANK = Party(7, Role.VERIFIER, "bank", kinds=frozenset(Kind))
SHOP = Party(8, Role.VERIFIER, "shop", kinds=frozenset(Kind))
ISSUER = IssuerId("signature-g1")


def make_provision(asked: str | bytes = "a certificate", **changes: Any) -> Provision:
    """The bank hears that a certificate is good; `asked` is a serial by name, or the octets themselves."""
    values: dict[str, Any] = {
        "when": NOW,
        "party": BANK,
        "provider": None,
        "purpose": "log-in",
        "issuer": ISSUER,
        "channel": Channel.OCSP,
        "asked": serial_of(asked).octets if isinstance(asked, str) else asked,
        "answered": "good",
    }
    return Provision(**values | changes)


def segments_in(folder: Path) -> list[Path]:
    """In the order in which they were begun."""
    return sorted(folder.iterdir())


def content_of(path: Path) -> Content:
    """What a segment holds, opened by the key for unlocking."""
    octets = path.read_bytes()
    header = read_header(octets)
    assert header is not None
    return read_content(octets, open_key(header.unlocking, UNLOCKING, header.id))


def told_in(path: Path) -> Iterator[tuple[datetime, int, str, str, str, bytes]]:
    """(when, party, issuer, purpose, answer, what was asked) of each record."""
    content = content_of(path)
    for row in content.records:
        names = content.names
        when = datetime.fromtimestamp(row.seconds, NOW.tzinfo)
        yield when, row.party, names[row.issuer], names[row.purpose], names[row.answer], row.asked


def make_filing(folder: Path, begin: Begin, clock: Clock, **changes: Any) -> Filing:
    """What files the segments of `folder`."""
    values: dict[str, Any] = {
        "folder": folder,
        "node": "node",
        "master": MASTER,
        "begin": begin,
        "clock": clock,
        "random": os.urandom,
    }
    return Filing(**values | changes)


def write_segment(folder: Path, clock: Clock, *provisions: Provision, slots: int = 512) -> None:
    """Put these on record, in as few segments as have room for them."""
    writer = SegmentWriter(folder, SEAL_KEYS, clock, os.urandom, slots=slots)
    for provision in provisions:
        writer(provision)
    writer.close()
