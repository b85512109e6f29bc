"""Erasure of validations that were kept long enough: answers that may be asked for again, and consents used up."""

from __future__ import annotations

from domain.events import Act, AuditEvent
from domain.ports import Begin, Clock

BATCH = 1000
"""Validations in one transaction."""


def erase_over(begin: Begin, clock: Clock, actor: str) -> int:
    """Erase at most `BATCH` of those whose time is over; how many. A consent is forgotten after its own end at the
    earliest, so it is never good again. Raises Refusal(BUSY), Refusal(STORE_UNAVAILABLE)."""
    now = clock()
    with begin(write=False) as work:
        if not work.validations.over(now, 1):
            return 0
    with begin() as work:
        keys = work.validations.over(now, BATCH)
        work.validations.erase(keys)
        work.audit.append(AuditEvent(Act.VALIDATIONS_ERASED, actor, now, {"validations": len(keys)}))
        work.commit()
    return len(keys)
