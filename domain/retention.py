"""What may be asked of records that are erased when they were kept long enough."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from domain.certificates import IssuerId
from domain.serial import SerialNumber


class ErasableRecords(Protocol):
    """Certificates or revocations, of which some were kept long enough."""

    def expired(self, before: datetime) -> Iterator[tuple[IssuerId, SerialNumber]]:
        """Those of certificates that ended before that moment, the first to end first.

        Of revocations only those whose certificate ended before the published list of the scope was made, too: the next
        list has no place for them (RFC 5280 §3.3).
        """

    def erase(self, issuer: IssuerId, serial: SerialNumber) -> None:
        """Erase the record; that of a certificate only after its revocation."""
