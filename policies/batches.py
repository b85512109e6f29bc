"""How much of a batch is taken at once, how long its queue may grow, and how long its results are kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """`longest` is the most lines of a batch, `queue` the most items that may wait for one municipality, `chunk` how
    many a worker takes up at a time, `retention` how long results are kept after the batch has ended."""

    longest: int = 10_000
    queue: int = 20_000
    chunk: int = 64
    retention: timedelta = timedelta(days=30)

    def faults(self) -> Iterator[str]:
        """What contradicts itself."""
        if self.longest > self.queue:
            yield "a queue must hold at least one batch of the greatest length"
