"""A table of keyed digests: whether one is in it, in few octets each, for millions of questions at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

_SPARSE = 8
"""At least so many bits of the bitmap for each entry: it answers most questions with one look."""

_CROWD = 4
"""At most so many entries in a bucket on average."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class DigestTable:
    """Digests of two words each. The first word's upper bits name a bit of the `bitmap`, the second word's upper bits a
    bucket, whose `remainders` of so many `width` bits lie from one of the `starts` to the next."""

    width: int
    bitmap: NDArray[np.uint8]
    starts: NDArray[np.uint32]
    remainders: NDArray[np.uint32]

    @classmethod
    def of(cls, digests: Words, width: int) -> DigestTable:
        """The table of these digests, two words in a row, with remainders of `width` bits, at most 32. It takes 6 to 8
        octets for each."""
        count = max(len(digests), 1)
        bits = max(3, (count * _SPARSE - 1).bit_length())
        flags = np.zeros(1 << bits, np.bool_)
        flags[digests[:, 0] >> np.uint64(64 - bits)] = True
        buckets = max(0, ((count - 1) // _CROWD).bit_length())
        ordered = np.sort(digests[:, 1])
        edges = np.arange(1, 1 << buckets, dtype=np.uint64) << np.uint64(64 - buckets) if buckets else ordered[:0]
        starts = np.zeros((1 << buckets) + 1, np.uint32)
        starts[1:-1] = np.searchsorted(ordered, edges)
        starts[-1] = len(ordered)
        remainders = (ordered & np.uint64((1 << width) - 1)).astype(np.uint32)
        return cls(width, np.packbits(flags, bitorder="little"), starts, remainders)

    def __len__(self) -> int:
        return len(self.remainders)

    @property
    def chance(self) -> float:
        """How probable it is that a digest of something else is taken for one of these."""
        buckets = len(self.starts) - 1
        filled = min(1.0, len(self) / (8 * len(self.bitmap)))
        return float(filled * len(self) / buckets / 2**self.width)

    def contains(self, digests: Words) -> NDArray[np.bool_]:
        """For each digest whether it is in the table, or by chance looks so."""
        found = np.zeros(len(digests), np.bool_)
        if not len(self):
            return found
        bits = (8 * len(self.bitmap)).bit_length() - 1
        places = digests[:, 0] >> np.uint64(64 - bits)
        marks = self.bitmap[(places >> np.uint64(3)).astype(np.int64)] >> (places & np.uint64(7)).astype(np.uint8)
        (likely,) = np.nonzero(marks & np.uint8(1))
        if len(likely):
            found[likely] = self._in_bucket(digests[likely, 1])
        return found

    def _in_bucket(self, words: Words) -> NDArray[np.bool_]:
        buckets = (len(self.starts) - 1).bit_length() - 1
        bucket = (words >> np.uint64(64 - buckets)).astype(np.int64) if buckets else np.zeros(len(words), np.int64)
        at, end = self.starts[bucket].astype(np.int64), self.starts[bucket + 1].astype(np.int64)
        wanted = (words & np.uint64((1 << self.width) - 1)).astype(np.uint32)
        found = np.zeros(len(words), np.bool_)
        last = len(self.remainders) - 1
        for step in range(int((end - at).max(initial=0))):
            place = at + step
            found |= (place < end) & (self.remainders[np.minimum(place, last)] == wanted)
        return found
