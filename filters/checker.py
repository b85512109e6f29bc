"""Checking certificates with filters, offline: what a verifier runs. Nobody learns whom it checks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import Enum

from domain.errors import Code, Refusal
from domain.serial import SerialNumber
from filters.container import FilterFile
from filters.placement import Placement, opens

Verify = Callable[[bytes, bytes, bytes], bool]
"""(AlgorithmIdentifier, octets, signature) -> whether the issuer's key made that signature."""


class Verdict(Enum):
    """What filters say. *Not covered* means to ask by OCSP: the certificate is newer than the filters."""

    GOOD = "good"
    REVOKED = "revoked"
    NOT_COVERED = "not-covered"


class FilterChecker:
    """A base filter, and perhaps a delta over it, of one issuer and one class of verifiers."""

    def __init__(self, key: bytes, base: FilterFile, delta: FilterFile | None, verify: Verify) -> None:
        """`key` is that of the class. Raises Refusal(FOREIGN_ISSUER) for a file that the issuer did not sign,
        Refusal(NOT_ADMITTED) for one that was made with another key, and Refusal(OUT_OF_ORDER) for a delta that does
        not belong to this base."""
        for file in (base, delta):
            if file is not None and not verify(file.algorithm, file.tbs, file.signature):
                raise Refusal(Code.FOREIGN_ISSUER, "the filter is not signed by the issuer; fetch it again")
            if file is not None and not opens(key, file.filter.salt):
                raise Refusal(Code.NOT_ADMITTED, "the filter was made with another key; fetch both again")
        if base.label.base is not None or (delta is not None and not _follows(delta, base)):
            raise Refusal(Code.OUT_OF_ORDER, "the delta belongs to another base filter; fetch both again")
        self.newest = (delta or base).label
        self._base, self._delta = base, delta
        self._placements = {id(file): Placement(key, file.filter.salt) for file in (base, delta) if file}

    def check(self, serial: SerialNumber, not_before: datetime, now: datetime) -> Verdict:
        """Whether the certificate is revoked, as of the newest file's thisUpdate. `not_before` is the beginning of its
        validity. The caller has verified the certificate and that it is within its validity: of others the answer says
        nothing. Raises Refusal(CLOCK_BEHIND) before thisUpdate, Refusal(OUT_OF_ORDER) after nextUpdate."""
        if now < self.newest.this_update:
            raise Refusal(Code.CLOCK_BEHIND, "the clock is behind the filter; set the clock right")
        if now > self.newest.next_update:
            raise Refusal(Code.OUT_OF_ORDER, "the filter is too old to be used; fetch a newer one")
        if not_before > self.newest.covers:
            return Verdict.NOT_COVERED
        revoked = not_before <= self._base.label.covers and self._contains(self._base, serial)
        if self._delta is not None:
            revoked ^= self._contains(self._delta, serial)
        return Verdict.REVOKED if revoked else Verdict.GOOD

    def _contains(self, file: FilterFile, serial: SerialNumber) -> bool:
        return bool(file.filter.contains(self._placements[id(file)], serial.octets)[0])


def _follows(delta: FilterFile, base: FilterFile) -> bool:
    mine, its = delta.label, base.label
    return (
        mine.base == its.number
        and mine.number > its.number
        and (mine.issuer, mine.key_identifier, mine.verifiers) == (its.issuer, its.key_identifier, its.verifiers)
    )
