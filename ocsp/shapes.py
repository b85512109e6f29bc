"""Requests recognised without being read again: those that differ from one read before in serial and nonce only."""

from __future__ import annotations

from typing import NamedTuple

from domain.certificates import IssuerId
from domain.serial import OCTETS, SerialNumber
from ocsp.request import OcspQuery, plain_request


class Shape(NamedTuple):
    """Where things lie in a plain request about one of our serials; `nonce_at` is its length when it has no nonce."""

    issuer: IssuerId
    cert_id_at: int
    serial_at: int
    serial_end: int
    nonce_at: int


class Shapes:
    """Shapes by the octets around serial and nonce. Nearly all requests have one of a few.

    A request equal to a well-formed one everywhere but in the value octets of its serial and its nonce is well formed
    too, and means the same issuer: lengths are equal, a nonce may hold any octets, and a serial of ours cannot be
    padded. Only plain requests to our issuers are remembered, so there are at most 129 shapes for each spelling of an
    issuer: the memory is bounded whatever strangers send.
    """

    def __init__(self) -> None:
        self.places: dict[int, tuple[int, int, int]] = {}
        """By the length of a request, where its serial begins and ends, and its nonce begins."""
        self._shapes: dict[bytes, Shape] = {}

    def recall(self, octets: bytes) -> Shape | None:
        """The shape of this request, if it is known."""
        places = self.places.get(len(octets))
        return self._shapes.get(frame_of(octets, *places)) if places and is_ours(octets, places[0]) else None

    def learn(self, octets: bytes, query: OcspQuery, issuer: IssuerId) -> None:
        """Remember the shape of a request that was read as `query` and is about `issuer`, if it is plain."""
        cert_id = query.cert_ids[0]
        if SerialNumber.known(cert_id.serial) is None or octets != plain_request(cert_id.octets, query.nonce):
            return
        cert_id_at = octets.index(cert_id.octets)
        serial_end = cert_id_at + len(cert_id.octets)
        nonce_at = len(octets) - len(query.nonce or b"")
        serial_at = serial_end - OCTETS
        self.places[len(octets)] = places = serial_at, serial_end, nonce_at
        self._shapes[frame_of(octets, *places)] = Shape(issuer, cert_id_at, *places)


def frame_of(octets: bytes, serial_at: int, serial_end: int, nonce_at: int) -> bytes:
    """What requests of one shape have in common."""
    return octets[:serial_at] if serial_end == nonce_at else octets[:serial_at] + octets[serial_end:nonce_at]


def is_ours(octets: bytes, serial_at: int) -> bool:
    """Whether the serial that begins there is in the range of SerialNumber: the top bits of ours are 01."""
    return octets[serial_at] & 0xC0 == 0x40
