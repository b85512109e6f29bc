"""What an inspection is given to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from audit.chain import CheckSignature
from domain import der
from domain.certificates import Issuer, IssuerId
from domain.events import AuditHead, EventType
from domain.holds import HoldRules
from domain.ports import Begin, StatusLookup
from domain.revocation import CauseRule, RevocationCause
from policies.crl import CrlPolicy
from policies.events import EventRule

VerifySignature = Callable[[bytes, bytes, bytes | memoryview, bytes], bool]
"""(SubjectPublicKeyInfo, AlgorithmIdentifier, octets, signature) -> whether that key made that signature, by exactly
that algorithm. The first two are DER."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """The parts of one authority that must agree, and the rules to judge them by.

    `status` is what OCSP answers from, `directory` holds the published lists, `provisions` the segments of
    this `node`. `check_head` verifies heads of the audit
    trail; `anchor` is an earlier head that was kept elsewhere, if there is one. `delivery_within` is how long
    certificates may wait for their hand-over. `patience` is how long a change may
    wait for its list, and an application for its certificates, before that is a fault (a publisher that looks every
    minute should be given a few).
    """

    begin: Begin
    status: StatusLookup
    issuers: Mapping[IssuerId, Issuer]
    directory: Path
    provisions: Path
    node: str
    verify_signature: VerifySignature
    check_head: CheckSignature
    crl: CrlPolicy
    causes: Mapping[RevocationCause, CauseRule]
    holds: HoldRules
    events: Mapping[EventType, EventRule]
    delivery_within: timedelta
    patience: timedelta
    now: datetime
    anchor: AuditHead | None = None

    def signed_by(self, issuer: Issuer, octets: bytes | memoryview, algorithm: bytes) -> bool:
        """Whether a certificate or list (DER) is signed by the issuer's key with `algorithm`, the one named inside."""
        try:
            tbs, outside, bits = der.elements(octets, *der.only(octets, der.SEQUENCE))
        except ValueError:  # DerError too
            return False
        return octets[outside[1] : outside[3]] == algorithm and self.verify_signature(
            issuer.spki, algorithm, octets[tbs[1] : tbs[3]], bytes(octets[bits[2] + 1 : bits[3]])
        )
