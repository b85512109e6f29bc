"""All issued certificates of an issuer and which of them are revoked: what a filter is built from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.serial import OCTETS

SERIAL = np.dtype(f"S{OCTETS}")


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Census:
    """Certificates by serial, with the seconds since 1970 at which their validity begins, and whether each is revoked
    or held."""

    serials: NDArray[np.bytes_]
    not_before: NDArray[np.int64]
    revoked: NDArray[np.bool_]

    @classmethod
    def of(cls, serials: bytes, not_before: NDArray[np.int64], revoked: bytes) -> Census:
        """`serials` and those of the `revoked` ones, 16 octets each; the first in rising order. ValueError when one is
        revoked that is not there, or a serial comes twice."""
        issued, listed = np.frombuffer(serials, SERIAL), np.frombuffer(revoked, SERIAL)
        if not bool(np.all(issued[1:] > issued[:-1])):
            raise ValueError("serials are not in rising order")
        places = np.searchsorted(issued, listed)
        if len(listed) and (not len(issued) or not (issued[np.minimum(places, len(issued) - 1)] == listed).all()):
            raise ValueError("a certificate is revoked that was never issued")
        flags = np.zeros(len(issued), np.bool_)
        flags[places] = True
        return cls(issued, not_before, flags)

    def split(self, chosen: NDArray[np.bool_]) -> tuple[memoryview, memoryview]:
        """The serials that are chosen, and the others, side by side."""
        return self.serials[chosen].view(np.uint8).data, self.serials[~chosen].view(np.uint8).data
