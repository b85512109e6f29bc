"""Recovery: applications that were interrupted between reservation and signature are completed, never repeated."""

from __future__ import annotations

import logging
from datetime import datetime

from ca.authority import Authority
from ca.completion import resume
from domain.errors import Code, Refusal

_log = logging.getLogger(__name__)

_OUTAGES = {Code.SIGNER_UNAVAILABLE, Code.STORE_UNAVAILABLE, Code.BUSY}


def finish_unfinished(authority: Authority, before: datetime) -> int:
    """Complete the applications reserved before that moment and not issued; how many were completed.

    `before` should leave those alone that are being worked on just now; meeting one does no harm. An application that
    cannot be completed is logged by its id and left. Raises Refusal(SIGNER_UNAVAILABLE), Refusal(STORE_UNAVAILABLE)
    and Refusal(BUSY) as soon as they occur: the others would fare no better.
    """
    now = authority.clock()
    with authority.begin(write=False) as work:
        unfinished = work.applications.unfinished(before)
    finished = 0
    for application in unfinished:
        try:
            resume(authority, application, now)
        except Refusal as refusal:
            if refusal.code in _OUTAGES:
                raise
            _log.error("application %d cannot be completed: %s", application.id, refusal)
        else:
            finished += 1
    return finished
