"""Approval of verifiers: evidence first, two officers, a notification, and what was looked at is what is approved."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from config.rules import load_verifiers
from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.events import Act
from domain.parties import LOCAL_OPERATOR, Party, Role, Usage
from domain.ports import UnitOfWork
from domain.standings import Standing
from tests.support.memory import MemoryStore
from tests.support.officers import AOI, KEN, NOW, agreed, make_board, proposed, register
from tests.verifiers.certificates import make_credential_certificate
from verifiers import registry, vetting
from verifiers.approvals import approval_acts, approval_content
from verifiers.proposals import Board, confirm
from verifiers.vetting import Request

RULES = load_verifiers()
TERM, DAY = timedelta(days=100), timedelta(days=1)
BOTH = {Kind.SIGNATURE: frozenset({"contract"}), Kind.AUTHENTICATION: frozenset({"log-in"})}
BANK = Request("bank", Standing.ACCREDITED_PRIVATE, BOTH)


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    register(store.begin, AOI, KEN)
    return store


@pytest.fixture
def board(store: MemoryStore) -> Board:
    return make_board(store.begin, *approval_acts(RULES))


def later(board: Board, age: timedelta) -> Board:
    return replace(board, clock=lambda: NOW + age)


def apply(board: Board, wanted: Request = BANK, *, shown: bool = True) -> None:
    with board.begin() as work:
        now = board.clock()
        vetting.apply(work, RULES, wanted, now, LOCAL_OPERATOR)
        party = bank(work, wanted.name)
        for criterion in RULES.wanted(wanted.standing) if shown else ():
            vetting.add_evidence(work, RULES, party, criterion, "file 12", now, LOCAL_OPERATOR)
        work.commit()


def bank(work: UnitOfWork, name: str = "bank") -> Party:
    return registry.find_party(work, Role.VERIFIER, name)


def content(board: Board, until: datetime = NOW + TERM, name: str = "bank") -> dict[str, object]:
    with board.begin(write=False) as work:
        return approval_content(work, RULES, bank(work, name), board.clock(), until)


def notify(board: Board) -> None:
    with board.begin() as work:
        vetting.notify(work, bank(work), frozenset(Kind), board.clock(), LOCAL_OPERATOR)
        work.commit()


def states(board: Board, now: datetime = NOW) -> list[str]:
    with board.begin(write=False) as work:
        return [approval.state(now) for approval in bank(work).approvals]


def refused(call: Callable[[], object]) -> Code:
    with pytest.raises(Refusal) as caught:
        call()
    return caught.value.code


def acts(store: MemoryStore) -> list[str]:
    with store.begin(write=False) as work:
        return [json.loads(row.body)["act"] for row in work.audit.rows()]


def test_the_whole_way(store: MemoryStore, board: Board) -> None:
    apply(board)
    assert states(board) == []
    agreed(board, "verifier-approval", content(board))
    assert states(board) == ["approved", "approved"]
    notify(board)
    assert states(board) == ["in-force", "in-force"]
    assert states(board, NOW + TERM) == ["in-force", "in-force"]
    assert states(board, NOW + TERM + DAY) == ["ended", "ended"]
    assert acts(store)[-4:] == [
        Act.PROPOSED.value,
        Act.VERIFIER_APPROVED.value,
        Act.PROPOSAL_CONFIRMED.value,
        Act.VERIFIER_NOTIFIED.value,
    ]
    assert refused(lambda: notify(board)) is Code.ALREADY_APPLIED


def test_without_evidence_for_every_criterion_nothing_is_proposed(board: Board) -> None:
    apply(board, shown=False)
    assert refused(lambda: content(board)) is Code.OUT_OF_ORDER
    with board.begin() as work:
        for criterion in RULES.wanted(Standing.ACCREDITED_PRIVATE)[:-1]:
            vetting.add_evidence(work, RULES, bank(work), criterion, "file", NOW, LOCAL_OPERATOR)
        work.commit()
    assert refused(lambda: content(board)) is Code.OUT_OF_ORDER


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"purposes": {"signature": ["contract", "identity-check"]}}, id="other purposes"),
        pytest.param({"standing": "administrative-body"}, id="another standing"),
        pytest.param({"until": (NOW + 20 * TERM).isoformat()}, id="longer than the standing allows"),
        pytest.param({"until": (NOW - DAY).isoformat()}, id="a period that ends before it begins"),
        pytest.param({"until": "soon"}, id="no time"),
        pytest.param({"evidence": []}, id="without the evidence"),
        pytest.param({"credentials": ["00" * 32]}, id="other credentials"),
        pytest.param({"verifier": "other"}, id="another verifier"),
        pytest.param({"note": "x"}, id="more than is meant"),
    ],
)
def test_what_is_proposed_is_what_is_on_file(change: dict[str, object], board: Board) -> None:
    apply(board)
    assert refused(lambda: proposed(board, AOI, "verifier-approval", {**content(board), **change})) in (
        Code.IDEMPOTENCY_MISMATCH,
        Code.MALFORMED,
        Code.NOT_FOUND,
    )
    assert states(board) == []


def add_key(work: UnitOfWork) -> None:
    certificate = make_credential_certificate("slipped in")
    registry.add_credential(work, bank(work), certificate, Usage.TLS, NOW, LOCAL_OPERATOR)


def add_paper(work: UnitOfWork) -> None:
    vetting.add_evidence(work, RULES, bank(work), "staff", "another file", NOW, LOCAL_OPERATOR)


@pytest.mark.parametrize("slip", [add_key, add_paper], ids=["a credential", "evidence"])
def test_what_changes_before_the_second_officer_looks_voids_the_proposal(
    slip: Callable[[UnitOfWork], None], board: Board
) -> None:
    apply(board)
    proposal = proposed(board, AOI, "verifier-approval", content(board))
    with board.begin() as work:
        slip(work)
        work.commit()
    voice = KEN.says("confirm", proposal)
    assert refused(lambda: confirm(board, proposal.id, proposal.digest, voice)) is Code.IDEMPOTENCY_MISMATCH
    assert states(board) == []


def test_after_the_approval_one_person_adds_no_credential_and_stops_nobody(board: Board) -> None:
    apply(board)
    agreed(board, "verifier-approval", content(board))
    with board.begin() as work:
        assert refused(lambda: add_key(work)) is Code.SECOND_OFFICER
        assert refused(lambda: registry.suspend(work, bank(work), NOW, LOCAL_OPERATOR)) is Code.SECOND_OFFICER
        party = replace(bank(work), name="twin")
        assert refused(lambda: registry.add_party(work, party, NOW, LOCAL_OPERATOR)) is Code.SECOND_OFFICER
    said: dict[str, object] = {
        "verifier": "bank",
        "usage": "tls",
        "certificate": _encoded("next"),
        "purpose": "contract",
    }
    agreed(board, "verifier-credential", said)
    with board.begin(write=False) as work:
        assert [row.purpose for row in work.parties.credentials(bank(work).id)] == ["contract"]


def _encoded(name: str) -> str:
    return base64.b64encode(make_credential_certificate(name)).decode()


def test_a_renewal_goes_on_without_a_gap_and_without_another_notification(board: Board) -> None:
    apply(board)
    agreed(board, "verifier-approval", content(board))
    notify(board)
    then = later(board, TERM - DAY)
    apply(then)
    agreed(then, "verifier-approval", content(then, NOW + 2 * TERM))
    assert states(board, NOW) == states(board, NOW + 2 * TERM) == ["in-force", "in-force"]


def test_after_its_end_a_verifier_is_approved_and_notifies_anew(board: Board) -> None:
    apply(board)
    agreed(board, "verifier-approval", content(board))
    notify(board)
    then = later(board, TERM + DAY)
    apply(then)
    agreed(then, "verifier-approval", content(then, NOW + 2 * TERM))
    assert states(board, NOW + TERM + DAY) == ["approved", "approved"]


def test_a_renewal_does_not_end_a_suspension(board: Board) -> None:
    apply(board)
    agreed(board, "verifier-approval", content(board))
    notify(board)
    agreed(board, "verifier-suspension", {"verifier": "bank", "kinds": ["signature"]})
    apply(board)
    agreed(board, "verifier-approval", content(board))
    assert states(board) == ["suspended", "in-force"]


def test_kinds_are_suspended_resumed_and_withdrawn_by_themselves(board: Board) -> None:
    apply(board)
    agreed(board, "verifier-approval", content(board))
    notify(board)
    said: dict[str, object] = {"verifier": "bank", "kinds": ["signature"]}
    agreed(board, "verifier-suspension", said)
    assert refused(lambda: proposed(board, AOI, "verifier-suspension", said)) is Code.ALREADY_APPLIED
    agreed(board, "verifier-resumption", said)
    assert refused(lambda: proposed(board, AOI, "verifier-resumption", said)) is Code.OUT_OF_ORDER
    agreed(board, "verifier-withdrawal", said)
    assert states(board) == ["withdrawn", "in-force"]
    assert refused(lambda: proposed(board, AOI, "verifier-withdrawal", said)) is Code.OUT_OF_ORDER
    with board.begin() as work:
        assert refused(lambda: vetting.notify(work, bank(work), frozenset(Kind), NOW, LOCAL_OPERATOR)) is (
            Code.OUT_OF_ORDER
        )


@pytest.mark.parametrize("kinds", [None, [], ["both"], "signature"], ids=["none", "empty", "unknown", "no list"])
def test_kinds_must_be_said(kinds: object, board: Board) -> None:
    apply(board)
    assert refused(lambda: proposed(board, AOI, "verifier-suspension", {"verifier": "bank", "kinds": kinds})) is (
        Code.MALFORMED
    )


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        pytest.param(replace(BANK, purposes={}), Code.MALFORMED, id="for nothing"),
        pytest.param(replace(BANK, standing=Standing.COURT), Code.MALFORMED, id="purposes of another standing"),
        pytest.param(replace(BANK, behind="nobody"), Code.MALFORMED, id="through somebody without need"),
        pytest.param(replace(BANK, standing=Standing.SERVICE_PROVIDER), Code.MALFORMED, id="through nobody with need"),
        pytest.param(
            replace(BANK, standing=Standing.SERVICE_PROVIDER, behind="nobody"), Code.NOT_FOUND, id="through a stranger"
        ),
        pytest.param(
            replace(BANK, name="shop", standing=Standing.SERVICE_PROVIDER, behind="bank"),
            Code.MALFORMED,
            id="through one that is no platform",
        ),
        pytest.param(BANK, Code.ALREADY_APPLIED, id="twice"),
        pytest.param(
            replace(BANK, standing=Standing.PLATFORM_OPERATOR), Code.ALREADY_APPLIED, id="as another than before"
        ),
    ],
)
def test_applications_that_cannot_be_meant_are_refused(wanted: Request, code: Code, board: Board) -> None:
    apply(board)
    assert refused(lambda: apply(board, wanted)) is code


def test_a_provider_and_a_confirmer_apply_through_theirs(board: Board) -> None:
    apply(board, Request("platform", Standing.PLATFORM_OPERATOR, BOTH))
    apply(board, Request("shop", Standing.SERVICE_PROVIDER, BOTH, "platform"))
    filing = {Kind.SIGNATURE: frozenset({"filing"})}
    apply(board, Request("lawyers", Standing.GROUP_VERIFIER, filing))
    apply(board, Request("lawyer", Standing.CONFIRMER, filing, "lawyers"))
    with board.begin(write=False) as work:
        assert bank(work, "shop").behind == bank(work, "platform").id
        assert bank(work, "lawyer").behind == bank(work, "lawyers").id
    assert content(board, name="lawyer")["through"] == "lawyers"


@pytest.mark.parametrize(
    ("criterion", "reference"),
    [("staff", " "), ("staff", "a\x07"), ("staff", "x" * 501), ("membership", "file"), ("shoe-size", "file")],
)
def test_evidence_that_is_none_is_refused(criterion: str, reference: str, board: Board) -> None:
    apply(board, shown=False)
    with board.begin() as work:
        assert (
            refused(lambda: vetting.add_evidence(work, RULES, bank(work), criterion, reference, NOW, LOCAL_OPERATOR))
            is Code.MALFORMED
        )
