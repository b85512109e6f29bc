"""Sealers for tests: keys that are no secrets, and nonces that count."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from domain.code_keys import CodeKeys
from domain.ports import RandomSource
from residents.sealing import KeyRing, Sealer


def code_keys(generation: int = 1) -> CodeKeys:
    """The keys of a generation, the same at every call."""
    return CodeKeys(bytes([generation]) * 32, bytes([generation + 100]) * 32)


def key_ring(*generations: int) -> KeyRing:
    """The keys of these generations, or of the first."""
    return {generation: code_keys(generation) for generation in generations or (1,)}


def counting() -> RandomSource:
    """Octets that count."""
    numbers = count(1)
    return lambda size: next(numbers).to_bytes(size)


def make_sealer(*generations: int) -> Sealer:
    """A sealer with these generations, or the first."""
    return Sealer(key_ring(*generations), counting())


@dataclass
class HeardKeys:
    """The `CodeKeyWatch` port: hands on to a sealer what a store says, once there is one."""

    sealer: Sealer | None = None

    def attend(self, generations: tuple[int, ...]) -> bool:
        return self.sealer is not None and self.sealer.attend(generations)

    def require(self, generations: tuple[int, ...]) -> bool:
        return self.sealer is not None and self.sealer.require(generations)
