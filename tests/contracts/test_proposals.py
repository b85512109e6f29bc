"""Proposals on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import Code, Refusal
from domain.proposals import Decision, Proposal, ProposalState, Voice
from tests.support.stores import NOW, Store, digest_of

WEEK = timedelta(days=7)
PROPOSAL = Proposal(
    "0c0c", "hoist", '{"flag":"赤"}', "it is due", "operator:aoi", Voice(digest_of("aoi"), b"signed"), NOW, NOW + WEEK
)
DECISION = Decision("operator:ken", Voice(digest_of("ken")), NOW + timedelta(hours=1), "no")


def test_a_proposal_comes_back_as_it_went(any_store: Store) -> None:
    with any_store.begin() as work:
        work.proposals.put(PROPOSAL)
        assert work.proposals.find("0c0c") == PROPOSAL
        assert work.proposals.find("none") is None
        with pytest.raises(Refusal) as refused:
            work.proposals.put(PROPOSAL)
        assert refused.value.code is Code.ALREADY_APPLIED


@pytest.mark.parametrize("state", [ProposalState.CONFIRMED, ProposalState.DISMISSED], ids=lambda state: state.value)
@pytest.mark.parametrize("signature", [None, b"signed"], ids=["over TLS", "at a terminal"])
def test_it_is_decided_once(any_store: Store, state: ProposalState, signature: bytes | None) -> None:
    decision = replace(DECISION, voice=Voice(digest_of("ken"), signature))
    with any_store.begin() as work:
        work.proposals.put(PROPOSAL)
        work.proposals.decide("0c0c", state, decision)
        work.commit()
    with any_store.begin() as work:
        assert work.proposals.find("0c0c") == replace(PROPOSAL, state=state, decision=decision)
        with pytest.raises(LookupError):
            work.proposals.decide("0c0c", ProposalState.CONFIRMED, DECISION)
        with pytest.raises(LookupError):
            work.proposals.decide("none", ProposalState.CONFIRMED, DECISION)


def test_they_are_paged_newest_first(any_store: Store) -> None:
    rows = [replace(PROPOSAL, id=f"{n}", proposed_at=NOW + timedelta(minutes=n)) for n in range(3)]
    with any_store.begin() as work:
        for row in rows:
            work.proposals.put(row)
        work.proposals.decide("1", ProposalState.CONFIRMED, DECISION)
        assert [row.id for row in work.proposals.page(None, 9)] == ["2", "1", "0"]
        assert [row.id for row in work.proposals.page(None, 1)] == ["2"]
        assert [row.id for row in work.proposals.page(ProposalState.OPEN, 9)] == ["2", "0"]


def test_those_of_a_kind_that_were_confirmed_come_in_the_order_of_their_confirmation(any_store: Store) -> None:
    with any_store.begin() as work:
        for number, kind in enumerate(("hoist", "lower", "hoist", "hoist")):
            work.proposals.put(replace(PROPOSAL, id=f"{number}", kind=kind))
        for number, hours in ((0, 3), (1, 2), (2, 1)):
            decision = replace(DECISION, at=NOW + timedelta(hours=hours))
            work.proposals.decide(f"{number}", ProposalState.CONFIRMED, decision)
        work.proposals.decide("3", ProposalState.DISMISSED, DECISION)
        assert [row.id for row in work.proposals.agreed("hoist")] == ["2", "0"]
        assert work.proposals.confirmed("hoist") == 2
