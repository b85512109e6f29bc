"""Verifiers and what gives them handles, over a store of tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from domain.certificates import Kind
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.ports import Begin
from domain.provisions import Record
from tests.support.authority import CARD, NOW, TurnedClock
from tests.support.lists import ISSUERS
from tests.support.responder import forget
from verifiers.admit import handle_admission
from verifiers.handle_office import HandleOffice
from verifiers.handle_rotation import HandleRotation, add_key
from verifiers.handles import HandleRing
from verifiers.registry import add_party

SECRETS = {generation: bytes((generation,)) * 32 for generation in range(1, 5)}
"""Keys of handles by generation."""


OLD_CARD = replace(CARD, id="old card", expires_on=date(2027, 6, 30))
"""Its certificates can be renewed on the day after they are issued."""


def add_verifier(begin: Begin, name: str, *kinds: Kind, at: datetime = NOW) -> Party:
    """A registered verifier of these kinds, or of both."""
    with begin() as work:
        party = add_party(work, Party(0, Role.VERIFIER, name, kinds=frozenset(kinds or Kind)), at, LOCAL_OPERATOR)
        work.commit()
    return party


def make_ring(secrets: Mapping[int, bytes] = SECRETS) -> HandleRing:
    return HandleRing(lambda: secrets)


def make_rotation(begin: Begin, clock: TurnedClock, ring: HandleRing | None = None) -> HandleRotation:
    return HandleRotation(begin, clock, ring or make_ring(), LOCAL_OPERATOR)


def make_office(
    begin: Begin, clock: TurnedClock, ring: HandleRing | None = None, record: Record = forget
) -> HandleOffice:
    """An office with the first key of handles in use."""
    ring = ring or make_ring()
    add_key(make_rotation(begin, clock, ring))
    return HandleOffice(begin, clock, ring, ISSUERS, handle_admission, record, lambda _party, _name: None)
