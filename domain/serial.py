"""Serial numbers (発行の番号): their range, their forms, and what may be printed."""

from __future__ import annotations

from dataclasses import dataclass

OCTETS = 16
_LOW = 1 << 126
_HIGH = 1 << 127


@dataclass(frozen=True, slots=True, order=True, repr=False)
class SerialNumber:
    """A serial of this authority: a positive integer of exactly 16 DER octets.

    The sign bit is 0 and the next bit is 1, so every serial has one width; 126 bits are left to chance.
    RFC 5280 §4.1.2.2 asks for at most 20 octets. A serial in somebody's request is not yet a
    `SerialNumber`: `SerialNumber.known` says whether it can be one of ours.
    """

    value: int

    def __post_init__(self) -> None:
        if not _LOW <= self.value < _HIGH:
            raise ValueError("serial number out of range")

    @classmethod
    def drawn_from(cls, random: bytes) -> SerialNumber:
        """The serial made of 16 random octets; the two top bits are fixed, the other 126 are kept."""
        if len(random) != OCTETS:
            raise ValueError(f"want {OCTETS} random octets, got {len(random)}")
        return cls(int.from_bytes(random) & (_LOW - 1) | _LOW)

    @classmethod
    def of(cls, octets: bytes) -> SerialNumber:
        """The serial whose 16 big-endian content octets these are."""
        if len(octets) != OCTETS:
            raise ValueError("serial number out of range")
        return cls(int.from_bytes(octets))

    @classmethod
    def known(cls, value: int) -> SerialNumber | None:
        """`value` as a serial, or None when this authority can never have issued it."""
        return cls(value) if _LOW <= value < _HIGH else None

    @property
    def octets(self) -> bytes:
        """16 big-endian octets: the DER content octets and the database key; sorts as the number does."""
        return self.value.to_bytes(OCTETS)

    def __repr__(self) -> str:
        """Nothing of the value: serials are protected data and reprs end up in logs."""
        return "SerialNumber(…)"

    __str__ = __repr__
