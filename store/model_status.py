"""Status as the model of a node says it, or the database where the model says nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import lmdb

from domain.certificates import IssuerId
from domain.ports import Clock, StatusLookup, Steady
from domain.serial import SerialNumber
from domain.status import CertificateStatus
from store.model import StatusModel

_NANOSECONDS = 10**9


class ModelStatusLookup:
    """`domain.ports.StatusLookup` that asks the model first. What is not in it, and everything when it has not been
    seen to agree with the database for longer than `max_age`, is asked of the `source`: only that may say *unknown*."""

    def __init__(
        self, model: StatusModel, source: StatusLookup, clock: Clock, steady: Steady, max_age: timedelta
    ) -> None:
        self._model, self._source, self._clock, self._steady = model, source, clock, steady
        self._max_age = int(max_age.total_seconds() * _NANOSECONDS)

    def status_of(self, issuer: IssuerId, serial: SerialNumber) -> CertificateStatus:
        """Raises Refusal(STORE_UNAVAILABLE) or Refusal(BUSY)."""
        try:
            oldest = self._steady() - self._max_age
            found = self._model.find(issuer, serial, oldest, int(self._clock().timestamp()))
        except (lmdb.Error, OSError):
            found = None
        return found or self._source.status_of(issuer, serial)

    def good_at(self, issuer: IssuerId, now: datetime, until: int) -> Callable[[bytes], bool]:
        try:
            return self._model.good_at(issuer, int(now.timestamp()), until - self._max_age)
        except (lmdb.Error, OSError):
            return lambda _: False

    def is_fresh(self) -> bool:
        """Whether the model alone is believed now."""
        age = self.age()
        return age is not None and age * _NANOSECONDS <= self._max_age

    def standing(self) -> tuple[int, int, int]:
        """How many certificates are in the base, how many changes beside it, and how far the feed was read; nothing of
        a model that cannot be read."""
        try:
            state, sizes = self._model.state(), self._model.sizes()
        except (lmdb.Error, OSError):
            return 0, 0, 0
        return *sizes, state.position.sequence if state else 0

    def age(self) -> float | None:
        """Seconds since the model was last seen to agree with the database; None when there is none."""
        try:
            state = self._model.state()
        except (lmdb.Error, OSError):
            return None
        return (self._steady() - state.checked_at) / _NANOSECONDS if state and state.checked_at else None
