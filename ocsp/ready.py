"""Ready answers: signed once and given again, as long as the certificate is still good."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple


class ReadyAnswer(NamedTuple):
    """An OCSPResponse (DER) that says *good*, and its producedAt and nextUpdate."""

    der: bytes
    produced_at: datetime
    next_update: datetime


class ReadyAnswers:
    """Signed answers without a nonce, by CertID (DER), for `life` each and `most` at once.

    Whoever takes one has made sure that the certificate is good at this moment: what a revocation changes is looked up
    for every request, and only the signature is saved. They are kept in two halves, and the older one is forgotten
    when the younger is full, so that nothing is counted or moved when one is found.
    """

    def __init__(self, life: timedelta, most: int) -> None:
        self._life, self._half = life, max(most // 2, 1)
        self._young: dict[bytes, ReadyAnswer] = {}
        self._old: dict[bytes, ReadyAnswer] = {}

    def find(self, cert_id: bytes, now: datetime) -> ReadyAnswer | None:
        """The answer for that CertID, if there is one that may still be given `now`."""
        found = self._young.get(cert_id) or self._old.get(cert_id)
        if found is None or now - found.produced_at >= self._life or now < found.produced_at:
            return None
        return found

    def keep(self, cert_id: bytes, answer: ReadyAnswer) -> None:
        """Have that answer ready."""
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[cert_id] = answer
