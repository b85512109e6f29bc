"""The status of one serial: looked up, or decided without looking."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from domain.certificates import IssuerId
from domain.ports import StatusLookup
from domain.revocation import CrlReason
from domain.serial import SerialNumber
from domain.status import UNKNOWN, CertificateStatus
from policies.ocsp import NeverIssued

NEVER_ISSUED: Final = CertificateStatus("revoked", datetime(1970, 1, 1, tzinfo=UTC), CrlReason.CERTIFICATE_HOLD)
"""How a serial that was never issued is called revoked: on hold since 1970, so that it may still become good
(RFC 6960 §2.2). An answer with it carries the extended-revoke extension."""


def status_of(
    lookup: StatusLookup, issuer: IssuerId, serial: int, never_issued: NeverIssued, now: datetime
) -> CertificateStatus:
    """What may be said of `serial` at `now`, by `lookup`; a number that cannot be one of ours is not looked up.

    Without an issuance it is UNKNOWN, or NEVER_ISSUED where the policy has it so. A reserved certificate, not signed
    yet, counts as not issued. The certificates of issuers and responders have no issuance row either: their status is
    a matter of the list of CA certificates and of ocsp-nocheck. One that has ended is UNKNOWN, and revoked while its
    revocation is still on record.
    """
    known = SerialNumber.known(serial)
    status = UNKNOWN if known is None else lookup.status_of(issuer, known)
    return NEVER_ISSUED if status.word == "unknown" and never_issued == "revoked" else status.at(now)
