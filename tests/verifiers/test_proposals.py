"""What takes two officers: done when the second confirms, and never by a single person, whatever that person tries."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from domain.errors import Code, Refusal
from domain.events import Act
from domain.parties import LOCAL_OPERATOR, Credential, Party, Role, Usage
from domain.ports import UnitOfWork
from domain.proposals import JointAct, Proposal, ProposalState, Voice, spoken
from tests.support.memory import MemoryStore
from tests.support.officers import AOI, KEN, NOW, RIN, Officer, agreed, make_board, proposed, register
from tests.verifiers.certificates import LIFE, NOT_BEFORE, make_credential_certificate
from verifiers import registry
from verifiers.proposals import Board, confirm, dismiss, draft, find_proposal, list_proposals, propose

DAY = timedelta(days=1)
SPARE = Officer("aoi", "spare")


def check(_work: UnitOfWork, said: Mapping[str, object], _now: datetime) -> None:
    if "flag" not in said:
        raise Refusal(Code.MALFORMED, "the content needs a flag", pointer="flag")


def hoist(work: UnitOfWork, proposal: Proposal, at: datetime) -> Mapping[str, object]:
    work.parties.add(Party(0, Role.DESK, str(proposal.said["flag"])), at)
    return {"flag": proposal.said["flag"]}


HOIST = JointAct("hoist", "Hoist a flag", "旗を掲げる", check, hoist)


@pytest.fixture
def store() -> MemoryStore:
    """Two officers, one of them with two credentials, and a verifier."""
    store = MemoryStore()
    register(store.begin, AOI, KEN, SPARE)
    return store


@pytest.fixture
def board(store: MemoryStore) -> Board:
    return make_board(store.begin, HOIST)


def hoisted(store: MemoryStore) -> list[str]:
    with store.begin(write=False) as work:
        return [party.name for party in work.parties.all() if party.role is Role.DESK]


def acts(store: MemoryStore) -> list[tuple[object, object]]:
    with store.begin(write=False) as work:
        bodies = [json.loads(row.body) for row in work.audit.rows()]
    return [(body["act"], body["actor"]) for body in bodies]


def refused(call: Callable[[], object]) -> Code:
    with pytest.raises(Refusal) as caught:
        call()
    return caught.value.code


def later(board: Board, age: timedelta) -> Board:
    return replace(board, clock=lambda: NOW + age)


# --- the way it goes -------------------------------------------------------------------------------------------------


def test_a_proposal_does_nothing_and_a_second_officer_has_it_done(store: MemoryStore, board: Board) -> None:
    proposal = proposed(board, AOI, "hoist", {"flag": "red"})
    assert hoisted(store) == []
    assert list_proposals(board, ProposalState.OPEN) == [proposal]
    done = confirm(board, proposal.id, proposal.digest, KEN.says("confirm", proposal))
    assert hoisted(store) == ["red"]
    assert done.state is ProposalState.CONFIRMED
    assert done.decision is not None
    assert (done.officer, done.decision.officer) == ("operator:aoi", "operator:ken")
    assert find_proposal(board, proposal.id) == done
    assert list_proposals(board, ProposalState.OPEN) == []
    assert acts(store) == [(Act.PROPOSED.value, "operator:aoi"), (Act.PROPOSAL_CONFIRMED.value, "operator:ken")]


def test_over_tls_the_handshake_speaks(store: MemoryStore, board: Board) -> None:
    drafted = draft(board, "hoist", {"flag": "blue"}, "it is due", AOI.fingerprint)
    proposal = propose(board, drafted, Voice(AOI.fingerprint))
    confirm(board, proposal.id, proposal.digest, Voice(KEN.fingerprint))
    assert hoisted(store) == ["blue"]


def test_what_is_dismissed_is_not_done(store: MemoryStore, board: Board) -> None:
    for officer in (KEN, AOI):
        proposal = proposed(board, AOI, "hoist", {"flag": "red"})
        closed = dismiss(board, proposal.id, proposal.digest, officer.says("dismiss", proposal, "no"), "no")
        assert (closed.state, closed.decision and closed.decision.reason) == (ProposalState.DISMISSED, "no")
        assert refused(lambda: confirm(board, proposal.id, proposal.digest, KEN.says("confirm", proposal))) is (  # noqa: B023
            Code.PROPOSAL_CLOSED
        )
    assert hoisted(store) == []
    assert acts(store)[-1] == (Act.PROPOSAL_DISMISSED.value, "operator:aoi")


def test_the_act_and_its_audit_rows_are_one_transaction(store: MemoryStore, board: Board) -> None:
    proposal = proposed(board, AOI, "hoist", {"flag": "red"})
    store.faults[store.commits + 1] = "lost"
    assert refused(lambda: confirm(board, proposal.id, proposal.digest, KEN.says("confirm", proposal))) is (
        Code.STORE_UNAVAILABLE
    )
    assert (hoisted(store), find_proposal(board, proposal.id).state) == ([], ProposalState.OPEN)
    assert [act for act, _ in acts(store)] == [Act.PROPOSED.value]
    confirm(board, proposal.id, proposal.digest, KEN.says("confirm", proposal))
    assert hoisted(store) == ["red"]


def test_an_act_that_is_refused_leaves_the_proposal_open(store: MemoryStore, board: Board) -> None:
    proposal = proposed(board, AOI, "hoist", {"flag": "red"})
    with store.begin() as work:
        work.parties.add(Party(0, Role.DESK, "red"), NOW)
        work.commit()
    assert refused(lambda: confirm(board, proposal.id, proposal.digest, KEN.says("confirm", proposal))) is (
        Code.ALREADY_APPLIED
    )
    assert find_proposal(board, proposal.id).state is ProposalState.OPEN


# --- a single person tries -------------------------------------------------------------------------------------------


def own_second_credential(board: Board, proposal: Proposal) -> None:
    confirm(board, proposal.id, proposal.digest, SPARE.says("confirm", proposal))


def own_second_credential_over_tls(board: Board, proposal: Proposal) -> None:
    confirm(board, proposal.id, proposal.digest, Voice(SPARE.fingerprint))


def same_credential(board: Board, proposal: Proposal) -> None:
    confirm(board, proposal.id, proposal.digest, AOI.says("confirm", proposal))


def same_key_under_another_name(board: Board, proposal: Proposal) -> None:
    """Slipped into the register past its own check."""
    certificate = make_credential_certificate("somebody else", AOI.key)
    with board.begin() as work:
        party = work.parties.add(Party(0, Role.OPERATOR, "somebody else"), NOW)
        work.parties.add_credential(
            Credential(b"2" * 32, Usage.TLS, party, NOT_BEFORE + LIFE, certificate=certificate), NOW
        )
        work.commit()
    confirm(board, proposal.id, proposal.digest, Voice(b"2" * 32))


@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param(same_credential, id="with the credential that proposed"),
        pytest.param(own_second_credential, id="with a second credential of the same person"),
        pytest.param(own_second_credential_over_tls, id="with a second credential, over TLS"),
        pytest.param(same_key_under_another_name, id="with the same key under another name"),
    ],
)
def test_who_proposes_does_not_confirm_and_the_attempt_is_audited(
    attempt: Callable[[Board, Proposal], None], store: MemoryStore, board: Board
) -> None:
    proposal = proposed(board, AOI, "hoist", {"flag": "red"})
    assert refused(lambda: attempt(board, proposal)) is Code.SECOND_OFFICER
    assert hoisted(store) == []
    assert acts(store)[-1][0] == Act.PROPOSAL_REFUSED.value
    assert find_proposal(board, proposal.id).state is ProposalState.OPEN


def test_a_second_credential_does_not_even_count_as_ones_own_way_to_sign_what_the_first_proposed(board: Board) -> None:
    drafted = draft(board, "hoist", {"flag": "red"}, "it is due", AOI.fingerprint)
    assert refused(lambda: propose(board, drafted, SPARE.says("propose", drafted))) is Code.MALFORMED


def test_a_signature_of_the_other_officer_cannot_be_made_up(store: MemoryStore, board: Board) -> None:
    proposal = proposed(board, AOI, "hoist", {"flag": "red"})
    forged = Voice(KEN.fingerprint, AOI.says("confirm", proposal).signature)
    assert refused(lambda: confirm(board, proposal.id, proposal.digest, forged)) is Code.BAD_REQUEST_SIGNATURE
    assert hoisted(store) == []


def test_what_the_other_officer_said_before_means_nothing_else(store: MemoryStore, board: Board) -> None:
    first = proposed(board, AOI, "hoist", {"flag": "red"})
    spoken_once = KEN.says("confirm", first)
    confirm(board, first.id, first.digest, spoken_once)
    assert refused(lambda: confirm(board, first.id, first.digest, spoken_once)) is Code.PROPOSAL_CLOSED
    again = proposed(board, AOI, "hoist", {"flag": "white"})
    assert refused(lambda: confirm(board, again.id, again.digest, spoken_once)) is Code.BAD_REQUEST_SIGNATURE
    assert refused(lambda: confirm(board, again.id, first.digest, spoken_once)) is Code.IDEMPOTENCY_MISMATCH
    other = KEN.says("dismiss", again, "no")
    assert refused(lambda: confirm(board, again.id, again.digest, other)) is Code.BAD_REQUEST_SIGNATURE
    proposing = KEN.says("propose", again)
    assert refused(lambda: confirm(board, again.id, again.digest, proposing)) is Code.BAD_REQUEST_SIGNATURE
    assert hoisted(store) == ["red"]


def test_content_changed_after_it_was_signed_is_not_confirmed(store: MemoryStore, board: Board) -> None:
    proposal = proposed(board, AOI, "hoist", {"flag": "red"})
    changed = replace(proposal, content='{"flag":"black"}')
    store.tables.proposals[proposal.id] = changed
    voice = KEN.says("confirm", proposal)
    assert refused(lambda: confirm(board, proposal.id, proposal.digest, voice)) is Code.IDEMPOTENCY_MISMATCH
    looked_at = KEN.says("confirm", changed)
    assert refused(lambda: confirm(board, changed.id, changed.digest, looked_at)) is Code.BAD_REQUEST_SIGNATURE
    assert hoisted(store) == []


@pytest.mark.parametrize("who", [AOI, KEN], ids=["the proposer", "who confirms"])
def test_a_suspended_officer_counts_for_nobody(who: Officer, store: MemoryStore, board: Board) -> None:
    proposal = proposed(board, AOI, "hoist", {"flag": "red"})
    with store.begin() as work:
        work.parties.suspend(registry.find_party(work, Role.OPERATOR, who.name).id, NOW)
        work.commit()
    code = refused(lambda: confirm(board, proposal.id, proposal.digest, KEN.says("confirm", proposal)))
    assert code is (Code.PROPOSAL_CLOSED if who is AOI else Code.NOT_ADMITTED)
    assert hoisted(store) == []


@pytest.mark.parametrize("who", [AOI, KEN], ids=["the proposer", "who confirms"])
def test_a_withdrawn_credential_counts_for_nobody(who: Officer, store: MemoryStore, board: Board) -> None:
    proposal = proposed(board, AOI, "hoist", {"flag": "red"})
    with store.begin() as work:
        work.parties.withdraw(who.fingerprint, NOW)
        work.commit()
    code = refused(lambda: confirm(board, proposal.id, proposal.digest, KEN.says("confirm", proposal)))
    assert code is (Code.PROPOSAL_CLOSED if who is AOI else Code.UNKNOWN_CALLER)
    assert hoisted(store) == []


def test_an_expired_proposal_is_too_late(store: MemoryStore, board: Board) -> None:
    proposal = proposed(board, AOI, "hoist", {"flag": "red"})
    in_time, too_late = later(board, HOIST.lasts), later(board, HOIST.lasts + timedelta(seconds=1))
    voice = KEN.says("confirm", proposal)
    assert refused(lambda: confirm(too_late, proposal.id, proposal.digest, voice)) is Code.PROPOSAL_CLOSED
    assert proposal.expired(too_late.clock())
    confirm(in_time, proposal.id, proposal.digest, voice)
    assert hoisted(store) == ["red"]


def test_a_longer_time_cannot_be_had_by_a_draft_of_ones_own(board: Board) -> None:
    drafted = draft(board, "hoist", {"flag": "red"}, "it is due", AOI.fingerprint)
    longer = replace(drafted, expires_at=drafted.expires_at + DAY)
    assert refused(lambda: propose(board, longer, AOI.says("propose", longer))) is Code.MALFORMED
    voice = AOI.says("propose", drafted)
    assert refused(lambda: propose(later(board, DAY), drafted, voice)) is Code.PROPOSAL_CLOSED
    assert refused(lambda: propose(later(board, -DAY), drafted, voice)) is Code.PROPOSAL_CLOSED
    propose(board, drafted, voice)
    assert refused(lambda: propose(board, drafted, voice)) is Code.ALREADY_APPLIED


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OPERATOR], ids=lambda role: role.value)
def test_nobody_but_officers_speaks(role: Role, store: MemoryStore, board: Board) -> None:
    proposal = proposed(board, AOI, "hoist", {"flag": "red"})
    with store.begin() as work:
        party = work.parties.add(Party(0, role, "stranger"), NOW)
        work.parties.add_credential(
            Credential(RIN.fingerprint, Usage.TLS, party, NOW + DAY, None, RIN.certificate), NOW
        )
        work.commit()
    assert refused(lambda: confirm(board, proposal.id, proposal.digest, RIN.says("confirm", proposal))) is (
        Code.NOT_ADMITTED
    )
    assert refused(lambda: proposed(board, RIN, "hoist", {"flag": "white"})) is Code.NOT_ADMITTED


def test_the_terminal_alone_is_nobody(board: Board) -> None:
    proposal = proposed(board, AOI, "hoist", {"flag": "red"})
    assert refused(lambda: confirm(board, proposal.id, proposal.digest, Voice(bytes(32)))) is Code.UNKNOWN_CALLER


@pytest.mark.parametrize(
    ("kind", "content", "reason", "code"),
    [
        pytest.param("fly", {}, "why not", Code.NOT_FOUND, id="a kind that there is not"),
        pytest.param("hoist", {}, "why not", Code.MALFORMED, id="content that the act refuses"),
        pytest.param("hoist", {"flag": "red"}, " ", Code.MALFORMED, id="without a reason"),
        pytest.param("hoist", {"flag": "red"}, "a\x07", Code.MALFORMED, id="a reason that cannot be printed"),
        pytest.param("hoist", {"flag": "red"}, "for 24727059608", Code.MALFORMED, id="a resident code in the reason"),
        pytest.param("hoist", {"flag": "red"}, "４" * 11, Code.MALFORMED, id="the same in full-width digits"),
        pytest.param("hoist", {"flag": "red"}, "5f" * 16, Code.MALFORMED, id="a serial in the reason"),
    ],
)
def test_what_cannot_be_proposed_is_refused(
    kind: str, content: dict[str, object], reason: str, code: Code, board: Board
) -> None:
    assert refused(lambda: proposed(board, AOI, kind, content, reason)) is code
    assert list_proposals(board, None) == []


def test_a_proposal_that_there_is_not_is_not_found(board: Board) -> None:
    voice = Voice(KEN.fingerprint)
    assert refused(lambda: confirm(board, "0c0c", bytes(32), voice)) is Code.NOT_FOUND
    assert refused(lambda: find_proposal(board, "0c0c")) is Code.NOT_FOUND


# --- officers themselves ---------------------------------------------------------------------------------------------


def as_content(officer: Officer) -> dict[str, object]:
    return {"name": officer.name, "certificate": base64.b64encode(officer.certificate).decode()}


def test_the_terminal_registers_two_officers_and_no_more() -> None:
    store = MemoryStore()
    with store.begin() as work:
        for officer in (AOI, KEN):
            party = registry.add_party(work, Party(0, Role.OPERATOR, officer.name), NOW, LOCAL_OPERATOR)
            registry.add_credential(work, party, officer.certificate, Usage.TLS, NOW, LOCAL_OPERATOR)
        assert (
            refused(lambda: registry.add_party(work, Party(0, Role.OPERATOR, "rin"), NOW, LOCAL_OPERATOR))
            is Code.SECOND_OFFICER
        )
        aoi = registry.find_party(work, Role.OPERATOR, "aoi")
        attempts: tuple[Callable[[], object], ...] = (
            lambda: registry.add_credential(work, aoi, SPARE.certificate, Usage.TLS, NOW, LOCAL_OPERATOR),
            lambda: registry.suspend(work, aoi, NOW, LOCAL_OPERATOR),
            lambda: registry.withdraw(work, AOI.fingerprint, NOW, LOCAL_OPERATOR),
            lambda: registry.withdraw(work, AOI.fingerprint, NOW, registry.find_party(work, Role.OPERATOR, "ken")),
        )
        assert {refused(attempt) for attempt in attempts} == {Code.SECOND_OFFICER}
        registry.withdraw(work, AOI.fingerprint, NOW, aoi)
        assert not work.parties.credentials(aoi.id)[0].usable(NOW)


def test_two_officers_make_a_third_who_then_counts(store: MemoryStore, board: Board) -> None:
    agreed(board, "officer", as_content(RIN))
    assert agreed(board, "hoist", {"flag": "red"}, RIN, KEN).officer == "operator:rin"
    assert hoisted(store) == ["red"]


def test_two_officers_give_a_third_one_a_new_key_and_end_the_old(store: MemoryStore, board: Board) -> None:
    agreed(board, "officer", as_content(Officer("ken", "next")))
    agreed(board, "officer-credential-end", {"fingerprint": KEN.fingerprint.hex()}, AOI, Officer("ken", "next"))
    assert refused(lambda: proposed(board, KEN, "hoist", {"flag": "red"})) is Code.UNKNOWN_CALLER
    agreed(board, "hoist", {"flag": "red"}, AOI, Officer("ken", "next"))
    assert hoisted(store) == ["red"]


def test_two_officers_end_a_third(board: Board) -> None:
    agreed(board, "officer", as_content(RIN))
    agreed(board, "officer-end", {"name": "rin"})
    assert refused(lambda: proposed(board, RIN, "hoist", {"flag": "red"})) is Code.NOT_ADMITTED
    assert refused(lambda: proposed(board, AOI, "officer", as_content(RIN))) is Code.NOT_ADMITTED


def test_a_key_is_one_persons(board: Board) -> None:
    certificate = base64.b64encode(make_credential_certificate("rin", AOI.key)).decode()
    assert refused(lambda: agreed(board, "officer", {"name": "rin", "certificate": certificate})) is Code.BAD_KEY


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        pytest.param("officer", {"name": "rin"}, Code.MALFORMED, id="an officer without a certificate"),
        pytest.param("officer", {"name": "rin", "certificate": "%"}, Code.MALFORMED, id="a certificate not in base64"),
        pytest.param("officer", as_content(RIN) | {"name": "terminal"}, Code.MALFORMED, id="the terminal"),
        pytest.param("officer", as_content(RIN) | {"note": "x"}, Code.MALFORMED, id="more than is meant"),
        pytest.param("officer-end", {"name": "nobody"}, Code.NOT_FOUND, id="the end of nobody"),
        pytest.param("officer-credential-end", {"fingerprint": "00"}, Code.NOT_FOUND, id="the end of no credential"),
        pytest.param("officer-credential-end", {"fingerprint": "xx"}, Code.MALFORMED, id="a fingerprint not in hex"),
    ],
)
def test_wrong_content_about_officers_is_refused(
    kind: str, content: dict[str, object], code: Code, board: Board
) -> None:
    assert refused(lambda: proposed(board, AOI, kind, content)) is code


def test_words_of_officers_are_told_apart() -> None:
    said = {spoken(word, bytes(32), reason) for word in ("propose", "confirm", "dismiss") for reason in ("", "no")}
    assert len(said) == 6
