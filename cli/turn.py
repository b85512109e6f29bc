"""A turn: what one publisher at a time does waits until the other one is done."""

from __future__ import annotations

from collections.abc import Callable
from time import sleep
from typing import TypeVar

from domain.errors import Code, Refusal

T = TypeVar("T")

_TRIES, _PAUSE = 180, 0.5  # seconds; one that died keeps its lease for a minute


def in_turn(act: Callable[[], T]) -> T:
    """What `act` gives, tried again while it is refused as BUSY, for a minute and a half. Raises what it raises."""
    for _ in range(_TRIES):
        try:
            return act()
        except Refusal as refusal:
            if refusal.code is not Code.BUSY:
                raise
        sleep(_PAUSE)
    return act()
