"""One person tries everything that takes two: each act, in every way that one person could think of."""

from __future__ import annotations

import ast
import base64
import re
from collections.abc import Callable, Mapping

import pytest

from config.law import content_of, law_acts, replay_change, shipped_texts
from config.rules import load_verifiers
from config.traffic import Doors
from detection.judging import alarm_acts
from domain.detection import Alarm, AlarmState, Grade
from domain.errors import Code, Refusal
from domain.parties import LOCAL_OPERATOR, Role
from domain.proposals import Proposal, ProposalState, Voice
from domain.standings import Standing
from provisions.unlocking import unlock_act
from tests.support.authority import NOW, TurnedClock
from tests.support.memory import MemoryStore
from tests.support.officers import AOI, KEN, RIN, Officer, agreed, make_board, proposed, register
from tests.support.verifiers import add_verifier, make_ring, make_rotation
from tests.test_house import MODULES, ROOT, tree
from tests.verifiers.certificates import make_credential_certificate
from verifiers import registry, vetting
from verifiers.approvals import approval_acts, approval_content
from verifiers.handle_rotation import (
    RETIREMENT,
    SWITCH,
    add_key,
    handle_acts,
    move_subscriptions,
    retirement_content,
    switch_content,
)
from verifiers.proposals import Board, confirm, find_proposal

SPARE = Officer("aoi", "spare")
PUPPET = Officer("puppet")
LAW = load_verifiers()
ACTS = (*approval_acts(LAW), unlock_act(), *alarm_acts(), *law_acts(), *handle_acts(make_ring))


class Office:
    """An authority with officers aoi (who has two credentials) and ken, an approved bank, and an applicant."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.begin = self.store.begin
        register(self.begin, AOI, KEN, SPARE)
        self.board: Board = make_board(self.begin, *ACTS)
        add_verifier(self.begin, "bank", at=NOW)
        self.rotation = make_rotation(self.begin, TurnedClock(NOW))
        for _ in range(2):
            add_key(self.rotation)
        with self.begin() as work:
            purposes = {
                kind: frozenset({LAW.purposes_of(Standing.COURT, kind)[0]})
                for kind in LAW.standings[Standing.COURT].kinds
            }
            vetting.apply(work, LAW, vetting.Request("court", Standing.COURT, purposes), NOW, LOCAL_OPERATOR)
            court = registry.find_party(work, Role.VERIFIER, "court")
            for criterion in LAW.wanted(Standing.COURT):
                vetting.add_evidence(work, LAW, court, criterion, "file 1", NOW, LOCAL_OPERATOR)
            work.commit()

    def alarm(self, grade: Grade, state: AlarmState) -> dict[str, object]:
        self.store.tables.alarms["alarm"] = Alarm("alarm", NOW.date(), 1, -1, "surge", grade, {}, NOW, state)
        return {"alarm": "alarm"}

    def effects(self) -> str:
        """All that these acts change."""
        tables = self.store.tables
        with self.begin(write=False) as work:
            keys = [(row.generation, row.current_since, row.retired_at) for row in work.handles.generations()]
        confirmed = [row.id for row in tables.proposals.values() if row.state is ProposalState.CONFIRMED]
        return repr((tables.parties, tables.credentials, tables.alarms, keys, confirmed))


def approval(office: Office) -> dict[str, object]:
    with office.begin(write=False) as work:
        court = registry.find_party(work, Role.VERIFIER, "court")
        return approval_content(work, LAW, court, NOW, NOW.replace(year=NOW.year + 1))


def rule_change(office: Office) -> dict[str, object]:
    text = shipped_texts()["admission"].replace('access = ["open"]', 'access = ["open"]\nchannel = ["crl"]')
    texts, done = replay_change(office.begin, "admission", text, NOW, Doors({}, {}))
    return content_of(texts, "admission", text, done)


def switch(office: Office) -> dict[str, object]:
    with office.begin(write=False) as work:
        return switch_content(work)


def retirement(office: Office) -> dict[str, object]:
    agreed(office.board, SWITCH, switch(office))
    assert sum(move_subscriptions(office.rotation)) == 0
    with office.begin(write=False) as work:
        return retirement_content(work, make_ring(), NOW, cut_off=True)


def bank(*_kinds: str) -> Callable[[Office], dict[str, object]]:
    return lambda _: {"verifier": "bank", "kinds": ["signature"]}


def resumption(office: Office) -> dict[str, object]:
    agreed(office.board, "verifier-suspension", bank()(office))
    return bank()(office)


def credential(_office: Office) -> dict[str, object]:
    certificate = base64.b64encode(make_credential_certificate("bank 2")).decode()
    return {"verifier": "bank", "usage": "tls", "certificate": certificate, "purpose": ""}


CONTENTS: Mapping[str, Callable[[Office], dict[str, object]]] = {
    "verifier-approval": approval,
    "verifier-suspension": bank(),
    "verifier-resumption": resumption,
    "verifier-withdrawal": bank(),
    "verifier-credential": credential,
    "provisions-unlock": lambda _: {"from": "2027-03-01", "until": "2027-03-31"},
    "alarm-decision": lambda office: {**office.alarm(Grade.TRY_LATER, AlarmState.OPEN), "outcome": "dismissed"},
    "verifier-block": lambda office: office.alarm(Grade.TRY_LATER, AlarmState.OPEN),
    "alarm-appeal": lambda office: {**office.alarm(Grade.BLOCK, AlarmState.APPEALED), "outcome": "dismissed"},
    "rule-change": rule_change,
    SWITCH: switch,
    RETIREMENT: retirement,
    "officer": lambda _: {"name": "puppet", "certificate": base64.b64encode(PUPPET.certificate).decode()},
    "officer-credential-end": lambda _: {"fingerprint": KEN.fingerprint.hex()},
    "officer-end": lambda _: {"name": "ken"},
}


def gone(office: Office, name: str) -> None:
    with office.begin() as work:
        work.parties.suspend(registry.find_party(work, Role.OPERATOR, name).id, NOW)
        work.commit()


def by(voice: Callable[[Proposal], Voice]) -> Callable[[Office, Proposal], Voice]:
    return lambda _, proposal: voice(proposal)


def said_before(office: Office, proposal: Proposal) -> Voice:
    """What ken said when he confirmed something else."""
    other = proposed(office.board, AOI, "provisions-unlock", {"from": "2027-01-01", "until": "2027-01-02"})
    voice = KEN.says("confirm", other)
    confirm(office.board, other.id, other.digest, voice)
    return voice


def after_leaving(name: str) -> Callable[[Office, Proposal], Voice]:
    def attempt(office: Office, proposal: Proposal) -> Voice:
        voice = KEN.says("confirm", proposal)
        gone(office, name)
        return voice

    return attempt


def unregistered(office: Office, proposal: Proposal) -> Voice:
    return RIN.says("confirm", proposal)


ATTEMPTS: Mapping[str, Callable[[Office, Proposal], Voice]] = {
    "with the credential that proposed": by(lambda proposal: AOI.says("confirm", proposal)),
    "with another credential of the same person": by(lambda proposal: SPARE.says("confirm", proposal)),
    "with that one over TLS": by(lambda _: Voice(SPARE.fingerprint)),
    "by what was said when it was proposed": by(lambda proposal: proposal.voice),
    "by a forged signature of the other": by(lambda p: Voice(KEN.fingerprint, AOI.says("confirm", p).signature)),
    "by what the other said of something else": said_before,
    "by the other, who has left since": after_leaving("ken"),
    "by the other, after the first has left": after_leaving("aoi"),
    "from the terminal without a credential": by(lambda _: Voice(bytes(32))),
    "with a credential of nobody": unregistered,
}


def test_every_act_that_takes_two_is_tried() -> None:
    assert set(CONTENTS) == set(make_board(MemoryStore().begin, *ACTS).acts)


@pytest.mark.parametrize("kind", CONTENTS)
def test_no_single_person_does_what_takes_two(kind: str, subtests: pytest.Subtests) -> None:
    for name, attempt in ATTEMPTS.items():
        with subtests.test(name):
            office = Office()
            proposal = proposed(office.board, AOI, kind, CONTENTS[kind](office))
            voice = attempt(office, proposal)
            before = office.effects()
            with pytest.raises(Refusal):
                confirm(office.board, proposal.id, proposal.digest, voice)
            assert office.effects() == before
            assert find_proposal(office.board, proposal.id).state is ProposalState.OPEN


@pytest.mark.parametrize("kind", CONTENTS)
def test_two_do_it_once(kind: str) -> None:
    office = Office()
    proposal = proposed(office.board, AOI, kind, CONTENTS[kind](office))
    before, voice = office.effects(), KEN.says("confirm", proposal)
    confirm(office.board, proposal.id, proposal.digest, voice)
    after = office.effects()
    assert after != before
    for again in (voice, KEN.says("confirm", proposal)):
        with pytest.raises(Refusal) as refused:
            confirm(office.board, proposal.id, proposal.digest, again)
        assert refused.value.code in (Code.PROPOSAL_CLOSED, Code.NOT_ADMITTED, Code.UNKNOWN_CALLER)
    assert office.effects() == after


WRITES = {
    r"parties\.approve": {"verifiers/approvals.py", "verifiers/vetting.py"},
    r"proposals\.(put|decide)": {"verifiers/proposals.py"},
    r"detection\.put_alarm": {"detection/judging.py"},
    r"handles\.put_key": {"verifiers/handle_rotation.py"},
    r"parties\.suspend": {"verifiers/registry.py"},
    r"parties\.withdraw": {"verifiers/registry.py"},
    r"parties\.add_credential": {"verifiers/registry.py"},
}
"""Where that is written which takes two: nothing else comes by it."""


def test_what_takes_two_is_written_in_one_place() -> None:
    calls = {
        (module, ast.unparse(node.func))
        for module in MODULES
        if not module.startswith("store/") and re.search(r"\.(parties|proposals|detection|handles)\.", source(module))
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    found = {write: {module for module, called in calls if re.search(rf"\.{write}$", called)} for write in WRITES}
    assert found == WRITES


def source(module: str) -> str:
    return (ROOT / module).read_text("utf-8")


def test_nobody_is_made_a_second_person_with_a_key_of_the_first() -> None:
    office = Office()
    certificate = base64.b64encode(make_credential_certificate("puppet", AOI.key)).decode()
    proposal = proposed(office.board, AOI, "officer", {"name": "puppet", "certificate": certificate})
    with pytest.raises(Refusal) as refused:
        confirm(office.board, proposal.id, proposal.digest, KEN.says("confirm", proposal))
    assert refused.value.code is Code.BAD_KEY
