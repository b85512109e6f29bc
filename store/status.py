"""Certificate status for OCSP: one prepared query over connections of its own, past everything that takes time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from domain.certificates import CertificateState, IssuerId
from domain.revocation import CrlReason
from domain.serial import SerialNumber
from domain.status import UNKNOWN, CertificateStatus, good_until
from store.direct import Connections
from store.engine import LOCK_WAIT

_QUERY = """
SELECT c.state, c.not_after, r.revoked_at, r.reason
FROM certificates AS c LEFT JOIN revocations AS r ON r.issuer = c.issuer AND r.serial = c.serial
WHERE c.issuer = {0} AND c.serial = {0}
"""
_ISSUED = CertificateState.ISSUED.value


class SqlStatusLookup:
    """`domain.ports.StatusLookup`. Threads may share it; a forked child opens connections of its own."""

    def __init__(self, url: str, *, lock_wait: float = LOCK_WAIT) -> None:
        """`lock_wait` is in seconds. Connects when first asked. Raises Refusal(BAD_CONFIGURATION)."""
        self._connections = Connections(url, lock_wait=lock_wait)
        self._text = self._connections.text(_QUERY)

    def status_of(self, issuer: IssuerId, serial: SerialNumber) -> CertificateStatus:
        """Raises Refusal(STORE_UNAVAILABLE) or Refusal(BUSY)."""
        rows = self._connections.rows(self._text, (issuer, serial.octets))
        if not rows or rows[0][0] != _ISSUED:
            return UNKNOWN
        _, not_after, revoked_at, reason = rows[0]
        if revoked_at is None or reason is None:
            return good_until(datetime.fromtimestamp(not_after, UTC))
        return CertificateStatus("revoked", datetime.fromtimestamp(revoked_at, UTC), CrlReason(reason))

    def good_at(self, _issuer: IssuerId, _now: datetime, _until: int) -> Callable[[bytes], bool]:
        """Nothing is quick here."""
        return lambda _: False

    def close(self) -> None:
        """Close the connections that are not in use; the next look-up opens a new one."""
        self._connections.close()
