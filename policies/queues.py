"""Who is served next: the queues of municipalities share what a worker takes up, in turn and alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Queue = TypeVar("Queue")


def shares(waiting: Mapping[Queue, int], count: int) -> dict[Queue, int]:
    """How many of `count` places each queue gets, those first in `waiting` first; no queue that gets none is named.

    Every item costs two signatures, so one place is one turn: round robin, as deficit round robin is for items of equal
    size (Shreedhar and Varghese, SIGCOMM 1995). No queue gets more than one place above another that still has items,
    and no place stays empty while anything waits.
    """
    found: dict[Queue, int] = {}
    going = {queue: items for queue, items in waiting.items() if items > 0}
    left = min(count, sum(going.values()))
    while left:
        turn = max(1, left // len(going))
        for queue, items in list(going.items()):
            share = min(turn, items, left)
            found[queue] = found.get(queue, 0) + share
            left -= share
            if items == share:
                del going[queue]
            else:
                going[queue] = items - share
            if not left:
                break
    return found


def fairness(served: Mapping[Queue, int]) -> float:
    """Jain's index: 1 when all were served alike, 1/n when one got everything.

    Source: Jain, Chiu and Hawe, A Quantitative Measure of Fairness, DEC-TR-301, 1984.
    """
    amounts = list(served.values())
    squares = sum(amount * amount for amount in amounts)
    return sum(amounts) ** 2 / (len(amounts) * squares) if squares else 1.0
