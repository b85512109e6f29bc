"""Verifiers and what gives them handles, over a store of tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from config.rules import load_admission, load_verifiers
from domain.certificates import Kind
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.ports import Begin
from domain.provisions import Record
from domain.standings import Approval, Standing
from tests.support.authority import CARD, NOW, TurnedClock
from tests.support.lists import ISSUERS
from tests.support.officers import two_agree
from tests.support.responder import forget
from tests.verifiers.certificates import make_credential_certificate
from verifiers.desk import VerifierDesk
from verifiers.gate import Gate, Restrain
from verifiers.handle_office import HandleOffice
from verifiers.handle_rotation import (
    RETIREMENT,
    SWITCH,
    HandleRotation,
    add_key,
    handle_acts,
    retirement_content,
    switch_content,
)
from verifiers.handles import HandleRing
from verifiers.register import Register

SECRETS = {generation: bytes((generation,)) * 32 for generation in range(1, 5)}
"""Keys of handles by generation."""


OLD_CARD = replace(CARD, id="old card", expires_on=date(2027, 6, 30))
"""Its certificates can be renewed on the day after they are issued."""


PURPOSES = {Kind.SIGNATURE: "contract", Kind.AUTHENTICATION: "log-in"}


def make_approval(kind: Kind = Kind.SIGNATURE, *purposes: str, **changes: Any) -> Approval:
    """In force for very long, for these purposes or the usual one."""
    since, until = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    approval = Approval(kind, frozenset(purposes or {PURPOSES[kind]}), since, until, "0c0c", notified_at=since)
    return replace(approval, **changes)


def make_verifier(name: str, *kinds: Kind, id_: int = 0, **changes: Any) -> Party:
    """An approved private operator for these kinds, or for both, each for one purpose."""
    wanted = kinds or tuple(Kind)
    approvals = tuple(make_approval(kind) for kind in Kind if kind in wanted)
    party = Party(
        id_,
        Role.VERIFIER,
        name,
        kinds=frozenset(wanted),
        standing=Standing.ACCREDITED_PRIVATE,
        approvals=approvals,
    )
    return replace(party, **changes)


def add_verifier(begin: Begin, name: str, *kinds: Kind, at: datetime = NOW, **changes: Any) -> Party:
    """An approved verifier of these kinds, or of both, past the two officers that it takes."""
    with begin() as work:
        party = work.parties.add(make_verifier(name, *kinds, **changes), at)
        work.commit()
    return party


def approve(begin: Begin, name: str) -> None:
    """Have a registered verifier be approved and notified for its kinds, past the two officers that it takes."""
    with begin() as work:
        party = work.parties.find(Role.VERIFIER.value, name)
        assert party is not None
        work.parties.classify(party.id, Standing.ACCREDITED_PRIVATE, None)
        for kind in party.kinds:
            work.parties.approve(party.id, make_approval(kind))
        work.commit()


def make_desk(begin: Begin, now: datetime = NOW) -> VerifierDesk:
    """A desk that certifies any request with the same certificate for each name."""
    return VerifierDesk(
        begin, lambda: now, load_verifiers(), lambda party, _request: make_credential_certificate(party.name)
    )


def make_register(begin: Begin, now: datetime = NOW) -> Register:
    """A register that looks up anew each time."""
    return Register(begin, lambda: None, lambda: now)


def make_gate(record: Record = forget, restrain: Restrain = lambda *_: None) -> Gate:
    """A gate by the rows that ship."""
    return Gate(load_admission, record, restrain)


def make_ring(secrets: Mapping[int, bytes] = SECRETS) -> HandleRing:
    return HandleRing(lambda: secrets)


def make_rotation(begin: Begin, clock: TurnedClock, ring: HandleRing | None = None) -> HandleRotation:
    return HandleRotation(begin, clock, ring or make_ring(), LOCAL_OPERATOR)


def switch_key(rotation: HandleRotation) -> None:
    """Two officers have handles be made with the key that waits."""
    with rotation.begin(write=False) as work:
        content = switch_content(work)
    two_agree(rotation.begin, rotation.clock, SWITCH, content, *handle_acts(lambda: rotation.ring))


def retire_keys(rotation: HandleRotation, *, cut_off: bool = False) -> None:
    """Two officers have handles of older keys mean nothing any more."""
    with rotation.begin(write=False) as work:
        content = retirement_content(work, rotation.ring, rotation.clock(), cut_off=cut_off)
    two_agree(rotation.begin, rotation.clock, RETIREMENT, content, *handle_acts(lambda: rotation.ring))


def make_office(
    begin: Begin,
    clock: TurnedClock,
    ring: HandleRing | None = None,
    record: Record = forget,
    restrain: Restrain = lambda *_: None,
) -> HandleOffice:
    """An office with the first key of handles in use."""
    ring = ring or make_ring()
    add_key(make_rotation(begin, clock, ring))
    return HandleOffice(begin, clock, ring, ISSUERS, make_gate(record, restrain), record, lambda _party, _name: None)
