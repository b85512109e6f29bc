"""Certificate status as OCSP and the lists know it: good, revoked or unknown, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from domain.revocation import CrlReason

Word = Literal["good", "revoked", "unknown"]


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """`revoked_at` and `reason` are set exactly when `word` is "revoked". `reason` is None when
    no reason is to be told. `not_after` is the end of a certificate that is good, where that is known."""

    word: Word
    revoked_at: datetime | None = None
    reason: CrlReason | None = None
    not_after: datetime | None = field(default=None, compare=False)

    def at(self, now: datetime) -> CertificateStatus:
        """What may be said at `now`. After its end no certificate is good: revocations are kept until then, and later
        nobody can say that there was none. Source: 施行令 §§3-6 (text of 2003)."""
        over = self.word == "good" and self.not_after is not None and self.not_after < now
        return UNKNOWN if over else self


GOOD = CertificateStatus("good")
UNKNOWN = CertificateStatus("unknown")


def good_until(not_after: datetime) -> CertificateStatus:
    """The status of a certificate that ends then and of which no revocation is on record."""
    return CertificateStatus("good", not_after=not_after)
