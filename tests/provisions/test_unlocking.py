"""Unlocking: two officers, a reason and two shares open what was agreed on; anything less opens nothing."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.events import Act
from domain.proposals import Proposal
from domain.provisions import Channel
from provisions.filing import Filing, file_due
from provisions.segment import read_header
from provisions.shares import Share, join, split
from provisions.unlocking import KIND, OPENED_WITHIN, Opened, open_records, unlock_act
from tests.support.house import House
from tests.support.ledger import make_holder, serials_of
from tests.support.memory import MemoryStore
from tests.support.officers import AOI, KEN, agreed, make_board, proposed, register
from tests.support.provisions import BANK, SHOP, UNLOCKING, make_filing, make_provision, write_segment
from verifiers.proposals import confirm

DAYS: dict[str, object] = {"from": "2027-04-01", "until": "2027-04-01"}
SHARES = list(split(UNLOCKING, bytes(range(32))))


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def house(memory: MemoryStore, tmp_path: Path) -> House:
    house = House(memory.begin, memory, tmp_path, lambda *_: True)
    memory.tables.parties.update({7: BANK, 8: SHOP})
    register(memory.begin, AOI, KEN)
    return house


@pytest.fixture
def filing(house: House) -> Filing:
    """On 1 April the bank asks about resident 1, the shop about somebody unknown, and somebody takes a list; the bank
    asks again a day later."""
    make_holder(house, 1)
    issuer, serial = serials_of(house, 1)[Kind.SIGNATURE]
    filing = make_filing(house.directory / "provisions", house.begin, house.clock)
    first = make_provision(serial.octets, issuer=issuer)
    write_segment(
        filing.folder,
        house.clock,
        first,
        make_provision("nobody", party=SHOP, answered="unknown"),
        make_provision(b"13221", party=None, channel=Channel.CRL, answered="list", purpose=""),
        first._replace(when=first.when + timedelta(days=1)),
    )
    file_due(filing)
    return filing


def agree(memory: MemoryStore, **content: object) -> Proposal:
    board = replace(make_board(memory.begin, unlock_act()), random=os.urandom)
    return agreed(board, KIND, {**DAYS, **content})


def opened(filing: Filing, proposal: Proposal, *shares: Share, days: int = 0) -> list[Opened]:
    one, other = shares or SHARES[:2]
    now = filing.clock() + timedelta(days=days)
    return list(open_records(filing, proposal, one, other, now, "operator:terminal"))


def test_two_officers_and_two_shares_open_the_days_they_agreed_on(filing: Filing, memory: MemoryStore) -> None:
    bank, shop, lists = opened(filing, agree(memory))
    assert (bank.party, bank.purpose, bank.answered) == ("bank", "log-in", "good")
    assert bank.about == "signature certificate of application 1"
    assert (shop.party, shop.about, shop.answered) == ("shop", "no certificate of ours", "unknown")
    assert (lists.party, lists.channel, lists.about) == ("anybody", Channel.CRL, "list signature-g1/13221")
    told = memory.tables.audit[max(memory.tables.audit)].body
    assert Act.PROVISIONS_UNLOCKED.value in told
    assert '"segments":1' in told


@pytest.mark.parametrize("pair", [(0, 1), (1, 2), (2, 0)])
def test_any_two_shares_do(pair: tuple[int, int], filing: Filing, memory: MemoryStore) -> None:
    assert len(opened(filing, agree(memory), *(SHARES[number] for number in pair))) == 3


def test_only_what_was_agreed_on_is_shown(filing: Filing, memory: MemoryStore) -> None:
    assert [row.party for row in opened(filing, agree(memory, verifier="bank"))] == ["bank"]
    assert [row.party for row in opened(filing, agree(memory, application=1))] == ["bank"]
    assert opened(filing, agree(memory, application=2)) == []
    assert len(opened(filing, agree(memory, until="2027-04-02"))) == 4
    assert opened(filing, agree(memory, **{"from": "2027-05-01", "until": "2027-05-02"})) == []


def test_one_officer_alone_opens_nothing(filing: Filing, memory: MemoryStore) -> None:
    board = make_board(memory.begin, unlock_act())
    alone = proposed(board, AOI, KIND, DAYS)
    with pytest.raises(Refusal) as refused:
        opened(filing, alone)
    assert refused.value.code is Code.NOT_ADMITTED
    with pytest.raises(Refusal) as refused:
        confirm(board, alone.id, alone.digest, AOI.says("confirm", alone))
    assert refused.value.code is Code.SECOND_OFFICER
    assert not any(Act.PROVISIONS_UNLOCKED.value in row.body for row in memory.tables.audit.values())


def test_one_share_opens_nothing_whatever_is_put_beside_it(filing: Filing, memory: MemoryStore) -> None:
    proposal, own = agree(memory), SHARES[0]
    with pytest.raises(Refusal) as refused:
        opened(filing, proposal, own, own)
    assert refused.value.code is Code.MALFORMED
    for other in (Share(2, own.octets), Share(3, bytes(32)), Share(2, UNLOCKING)):
        with pytest.raises(Refusal) as refused:
            opened(filing, proposal, own, other)
        assert refused.value.code is Code.BAD_CONFIGURATION
    assert not any(Act.PROVISIONS_UNLOCKED.value in row.body for row in memory.tables.audit.values())


def test_the_secret_of_the_state_directory_opens_no_segment_that_is_filed(filing: Filing) -> None:
    (path,) = filing.folder.glob("*/*")
    header = read_header(path.read_bytes())
    assert header is not None
    assert header.filing is None
    assert join(*SHARES[:2]) == UNLOCKING


def test_an_agreement_lasts_three_days(filing: Filing, memory: MemoryStore) -> None:
    proposal = agree(memory)
    assert len(opened(filing, proposal, days=OPENED_WITHIN.days)) == 3
    with pytest.raises(Refusal) as refused:
        opened(filing, proposal, days=OPENED_WITHIN.days + 1)
    assert refused.value.code is Code.NOT_ADMITTED


def test_an_agreement_about_something_else_opens_nothing(filing: Filing, memory: MemoryStore) -> None:
    proposal = agreed(make_board(memory.begin), "officer-end", {"name": "ken"})
    with pytest.raises(Refusal) as refused:
        opened(filing, proposal)
    assert refused.value.code is Code.NOT_ADMITTED


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param({}, Code.MALFORMED, id="no days"),
        pytest.param({"from": "2027-04-02", "until": "2027-04-01"}, Code.MALFORMED, id="days in the wrong order"),
        pytest.param({"from": "2027-04-01", "until": "2029-04-01"}, Code.MALFORMED, id="more than a year"),
        pytest.param({"from": "2027-04-31", "until": "2027-05-01"}, Code.MALFORMED, id="a day that there is not"),
        pytest.param({"from": 1, "until": 2}, Code.MALFORMED, id="numbers for days"),
        pytest.param({**DAYS, "who": "bank"}, Code.MALFORMED, id="a member that means nothing"),
        pytest.param({**DAYS, "application": "1"}, Code.MALFORMED, id="a text for an application"),
        pytest.param({**DAYS, "application": True}, Code.MALFORMED, id="truth for an application"),
        pytest.param({**DAYS, "verifier": "nobody"}, Code.NOT_FOUND, id="a verifier that there is not"),
    ],
)
def test_what_cannot_be_meant_is_not_proposed(
    content: dict[str, object], code: Code, house: House, memory: MemoryStore
) -> None:
    with pytest.raises(Refusal) as refused:
        proposed(make_board(memory.begin, unlock_act()), AOI, KIND, content)
    assert refused.value.code is code


def test_a_segment_that_is_missing_is_said_to_be(filing: Filing, memory: MemoryStore) -> None:
    (path,) = filing.folder.glob("*/*")
    path.unlink()
    with pytest.raises(Refusal) as refused:
        opened(filing, agree(memory))
    assert refused.value.code is Code.NOT_FOUND
