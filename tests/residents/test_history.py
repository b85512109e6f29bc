"""Whatever notices come, in whatever order: record, certificates and revocations agree."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.rules import load_events
from domain.birth import BirthDate
from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.events import EventType
from domain.parties import Party
from domain.people import ResidentState
from domain.revocation import RevocationCause
from residents.intake import apply_event
from tests.support.memory import MemoryStore
from tests.support.notices import (
    KIYOSE_CITY,
    REGISTER,
    TODAY,
    applied,
    certify,
    live_kinds,
    make_intake,
    notice,
    revocations,
    store_resident,
    stored_resident,
)
from tests.support.residents import HINO, record, resident_code

CHANGES: dict[EventType, tuple[str, tuple[Any, ...]]] = {
    EventType.NAME_CHANGE: ("name", ("霧島　透子", "榎戸　透子", "椿　透子")),
    EventType.MINOR_CORRECTION: ("name", ("霧島　透子", "霧嶋　透子")),
    EventType.MOVE_WITHIN: ("address", ("東京都清瀬市霞野１", "東京都清瀬市柳通２")),
    EventType.MOVE_IN: ("address", ("東京都清瀬市霞野１", "東京都日野市柳通２")),
    EventType.MUNICIPALITY_MERGER: ("address", ("東京都清瀬市霞野１", "東京都日野市霞野１")),
    EventType.ADDRESS_RENAMING: ("address", ("東京都清瀬市霞野１", "東京都清瀬市霞野一番")),
    EventType.BIRTH_DATE_OR_SEX_CORRECTION: ("birth_date", (BirthDate(1988, 11, 3), BirthDate(1988, 11, 4))),
}

steps = st.lists(
    st.tuples(
        st.sampled_from([*EventType, None]),
        st.integers(0, 2),
        st.integers(-3, 0),
        st.sampled_from([REGISTER, KIYOSE_CITY]),
    ),
    max_size=12,
)


@settings(max_examples=150)
@given(steps)
def test_whatever_happens_certificates_and_record_agree(
    history: list[tuple[EventType | None, int, int, Party]],
) -> None:
    """A step of None issues what is missing, as the counter would. All else is a notice, accepted or refused."""
    store = MemoryStore()
    intake = make_intake(store.begin)
    resident_id = store_resident(intake, record(1))
    code = resident_code(1)
    revoked_before = 0
    sent: Counter[str] = Counter()
    for number, (type_, choice, days, actor) in enumerate(history):
        before = stored_resident(intake, resident_id)
        if type_ is None:
            if before.state is ResidentState.PRESENT:
                certify(intake, resident_id, set(Kind) - live_kinds(intake, resident_id), label=str(number))
            continue
        items = None
        if type_ in CHANGES:
            item, values = CHANGES[type_]
            items = replace(before.attributes, **{item: values[choice % len(values)]})
        municipality = HINO if type_ is EventType.MOVE_IN and choice else before.municipality
        event = notice(
            type_,
            items,
            sender=actor,
            notice_id=str(number),
            effective_on=TODAY + timedelta(days=days),
            municipality=municipality,
            code=code,
            new_code=resident_code(choice + 1) if type_ is EventType.CODE_CHANGE else None,
        )
        sent[actor.label] += 1
        event = replace(event, sequence=sent[actor.label])
        tables = store.tables
        receipt, facts = None, {}
        try:
            receipt = applied(intake, event, actor)
        except Refusal as refusal:
            facts = refusal.facts
        if receipt is None:
            assert facts["state"] == "quarantined"
            assert (store.tables.residents, store.tables.revocations) == (tables.residents, tables.revocations)
            assert len(store.tables.audit) == len(tables.audit) + 1
            continue
        after, cause = stored_resident(intake, resident_id), load_events()[type_].cause
        assert after.attributes == (items or before.attributes)
        assert before.state is not ResidentState.DEAD
        code = event.new_code or code
        if cause is not None:
            assert Kind.SIGNATURE not in live_kinds(intake, resident_id)
        if after.state.ended:
            assert live_kinds(intake, resident_id) == set()
        assert len(revocations(intake)) == revoked_before + len(receipt.revoked)
        revoked_before += len(receipt.revoked)
        assert applied(intake, event, actor) == receipt.again()
    assert {row.cause for row in revocations(intake)} <= {RevocationCause.RESIDENT_EVENT, RevocationCause.RESIDENT_GONE}


@pytest.mark.parametrize("fault", ["lost", "kept"])
def test_a_notice_whose_commit_fails_is_repeated_safely(fault: str) -> None:
    store = MemoryStore()
    intake = make_intake(store.begin)
    resident_id = store_resident(intake, record(1))
    certify(intake, resident_id)
    store.faults[store.commits + 1] = fault  # type: ignore[assignment]
    with pytest.raises(Refusal) as caught:
        apply_event(intake, notice(), REGISTER)
    assert caught.value.code is Code.STORE_UNAVAILABLE
    receipt = applied(intake, notice())
    assert (receipt.repeated, receipt.revoked) == (fault == "kept", (Kind.SIGNATURE,))
    assert len(revocations(intake)) == 1
