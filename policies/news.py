"""What verifiers are told of certificates by handle, and when: late and in batches, so that times join nothing."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from domain.handles import HandleWord, StatusChange
from domain.revocation import CrlReason, RevocationCause
from policies.validity import JST

SPREAD = 28
"""News come on one of so many days after the event, at midnight in Japan, all of a day together. They are for the
upkeep of accounts: whether a certificate is revoked, OCSP says at once, and is asked whenever one is used."""


def word_of(change: StatusChange, *, whole: bool) -> HandleWord | None:
    """What a change of a certificate's status means for its line (`whole`), or for a handle of the certificate alone;
    None when it means nothing.

    A renewed certificate is revoked as superseded, and its line goes on. One that waits for its hand-over is nobody's
    yet, and its line is that of the one it is to follow.
    """
    if change.kind is None or (whole and change.pending):
        return None
    if change.reason is None:
        return HandleWord.RELEASED if change.released_at else None
    if change.reason is CrlReason.CERTIFICATE_HOLD:
        return HandleWord.HELD
    return HandleWord.RENEWED if whole and change.cause is RevocationCause.RENEWAL else HandleWord.REVOKED


def due_at(now: datetime, draw: int) -> datetime:
    """When news that come up `now` are told: at midnight in Japan, after one to `SPREAD` nights, which `draw` decides.

    Two verifiers that compare when they heard of their customers see as many candidates as had news in `SPREAD` days.
    """
    midnight = datetime.combine(now.astimezone(JST).date(), time(), JST)
    return (midnight + timedelta(days=1 + draw % SPREAD)).astimezone(now.tzinfo)
