"""Revocations as columns, for stores and lists in tests."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from domain.revocation import Revocation, RevocationBlock


def block_of(revocations: Sequence[Revocation]) -> RevocationBlock:
    """The revocations in the order given."""
    return RevocationBlock(
        b"".join(row.serial.octets for row in revocations),
        array("q", [int(row.revoked_at.timestamp()) for row in revocations]),
        bytes(row.reason for row in revocations),
    )
