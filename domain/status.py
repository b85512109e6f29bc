"""Certificate status as OCSP and the lists know it: good, revoked or unknown, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.revocation import CrlReason

Word = Literal["good", "revoked", "unknown"]


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """`revoked_at` and `reason` are set exactly when `word` is "revoked". `reason` is None when
    no reason is to be told."""

    word: Word
    revoked_at: datetime | None = None
    reason: CrlReason | None = None


GOOD = CertificateStatus("good")
UNKNOWN = CertificateStatus("unknown")
