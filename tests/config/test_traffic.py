"""Traffic on record, put again: a change of admission shows which requests it would have decided otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.law import replay_change, shipped_texts
from config.rules import load_admission
from config.traffic import Doors, asked_again
from detection.hearing import hear_with
from detection.sketch import Sketch
from domain.certificates import IssuerId, Kind
from domain.errors import Refusal
from domain.parties import Party
from domain.provisions import Channel, Provision
from domain.standings import Standing
from policies.admission import Inquiry
from policies.replay import Difference
from provisions.filing import file_due
from tests.support.authority import NOW, TurnedClock
from tests.support.memory import MemoryStore
from tests.support.people import serial_of
from tests.support.provisions import MASTER, make_filing, write_segment
from tests.support.verifiers import make_approval, make_gate, make_verifier

SIGNATURE, AUTHENTICATION = Kind
DOORS = Doors({}, {"signature-g1": SIGNATURE, **{kind.value: kind for kind in Kind}})
TWO = (make_approval(SIGNATURE, "contract", "identity-check"),)
BANK = make_verifier("bank", SIGNATURE, id_=7, approvals=TWO)
COURT = make_verifier("court", id_=8, standing=Standing.COURT)
PLATFORM = make_verifier("platform", id_=9, standing=Standing.PLATFORM_OPERATOR)
SHOP = make_verifier("shop", id_=10, standing=Standing.SERVICE_PROVIDER, behind=9)
LATE = make_verifier("late", id_=11, standing=Standing.SERVICE_PROVIDER, behind=9, approvals=())
STOPPED = make_verifier("stopped", id_=12, suspended_at=NOW - timedelta(days=1))


def ask(party: Party, kind: Kind = SIGNATURE, channel: Channel = Channel.OCSP, **more: Any) -> Inquiry:
    return Inquiry("notified-verifiers", party, kind, NOW, channel, **more)


REQUESTS = [
    (ask(BANK, purpose="contract"), "notified-verifier"),
    (ask(BANK, purpose="identity-check"), "notified-verifier"),
    (ask(BANK, purpose="contract", channel=Channel.HANDLE), "notified-verifier"),
    (ask(BANK), "purpose-undeclared"),
    (ask(BANK, purpose="gossip about the neighbours"), "purpose-not-approved"),
    (ask(BANK, purpose="contract", bound="identity-check"), "purpose-not-of-credential"),
    (ask(BANK, AUTHENTICATION), "authentication-not-approved"),
    (ask(BANK, purpose="contract", names_provider=True), "provider-unknown"),
    (ask(COURT, channel=Channel.CRL), "notified-verifier"),
    (ask(COURT, channel=Channel.NOTICE), "notified-verifier"),
    (ask(PLATFORM, names_provider=True, provider=SHOP), "notified-verifier"),
    (ask(PLATFORM, names_provider=True, provider=LATE), "provider-not-in-force"),
    (ask(SHOP), "asks-through-another"),
    (ask(STOPPED), "not-in-force"),
    (ask(COURT, channel=Channel.VALIDATION, purpose="anything"), "registered-operator"),
]


class Desk:
    """A store that knows the verifiers, and what they asked, on record and filed."""

    def __init__(self, folder: Path, requests: Sequence[Inquiry]) -> None:
        self.store = MemoryStore()
        self.store.tables.parties.update({row.id: row for row in (BANK, COURT, PLATFORM, SHOP, LATE, STOPPED)})
        for inquiry in requests:
            self.ask(folder, inquiry)

    def ask(self, folder: Path, inquiry: Inquiry) -> None:
        records: list[Provision] = []
        gate = make_gate(records.append)
        admit = gate.admit_operator if inquiry.channel is Channel.VALIDATION else gate.admit
        try:
            admitted = admit(inquiry)
        except Refusal:
            pass
        else:
            kind = IssuerId(f"{inquiry.kind.value}-g1")
            records.append(Provision(NOW, *admitted, kind, inquiry.channel, serial_of("x").octets, "good"))
        clock = TurnedClock(NOW)
        write_segment(folder, clock, *records)
        file_due(make_filing(folder, self.store.begin, clock, count=hear_with(MASTER)))

    def replay(self, before: str, after: str, doors: Doors = DOORS) -> tuple[Sequence[Difference], int, int]:
        text = shipped_texts()["admission"]
        assert before in text
        _, done = replay_change(self.store.begin, "admission", text.replace(before, after), NOW, doors)
        return done.differences, done.decisions, done.unlike


@pytest.mark.parametrize(
    ("inquiry", "rule"), [pytest.param(*case, id=f"{n} {case[1]}") for n, case in enumerate(REQUESTS)]
)
def test_a_request_is_decided_again_as_it_was(inquiry: Inquiry, rule: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path, [inquiry])
    doors = Doors({}, {**DOORS.kinds, "authentication-g1": AUTHENTICATION})
    with desk.store.begin(write=False) as work:
        (found,) = asked_again(work, doors, NOW)
    rules = load_admission()
    table = rules.operators if inquiry.channel is Channel.VALIDATION else rules.status
    assert (table.decide(found.inquiry).id, found.count) == (rule, 1)
    assert found.decided == ("" if table.decide(inquiry).refusal is None else rule)


def test_a_change_tells_whose_requests_it_would_have_hit_and_how_many(tmp_path: Path) -> None:
    desk = Desk(tmp_path, [inquiry for inquiry, _ in REQUESTS for _ in range(2)])
    # Twice each, and three days of verifiers that asked about certificates.
    assert desk.replay("verified", "verified") == ((), 2 * len(REQUESTS) + 3, 0)
    row = '[[admission.when]]\nchannel = ["validation"]\n'
    fewer = row + '[[admission.when]]\nstanding = ["court"]\nchannel = ["notice"]\n'
    fewer += '[[admission.when]]\nkind = ["signature"]\ndeclared = ["identity-check"]\n'
    differences, _, _ = desk.replay(row, fewer)
    assert differences == (
        Difference("admission/notified-verifier", "bank, ocsp, signature for identity-check: admitted",
                   "refused by way-not-given", 2),
        Difference("admission/notified-verifier", "court, notice, signature for contract: admitted",
                   "refused by way-not-given", 2),
    )  # fmt: skip


def test_providers_that_would_be_admitted_themselves_are_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path, [inquiry for inquiry, _ in REQUESTS])
    differences, _, _ = desk.replay('standing = ["confirmer", "service-provider"]', 'standing = ["confirmer"]')
    (difference,) = differences
    assert (difference.before, difference.after) == (
        "shop, ocsp, signature for contract: refused by asks-through-another",
        "admitted",
    )


def test_requests_of_verifiers_that_have_changed_since_are_counted_apart(tmp_path: Path) -> None:
    desk = Desk(tmp_path, [ask(COURT), ask(COURT), ask(BANK)])
    desk.store.tables.parties[COURT.id] = replace(COURT, suspended_at=NOW)
    differences, _, unlike = desk.replay("verified", "verified")
    assert (differences, unlike) == ((), 2)


def test_what_was_asked_at_an_open_door_was_admitted_there(tmp_path: Path) -> None:
    desk = Desk(tmp_path, [replace(ask(COURT, channel=Channel.CRL), access="open")])
    doors = replace(DOORS, access={Channel.CRL: "open"})
    limited = 'access = ["open"]', 'access = ["open"]\nchannel = ["ocsp"]'
    assert desk.replay(*limited, doors) == ((), 1, 0)
    desk.store.tables.parties[COURT.id] = replace(COURT, approvals=())
    differences, _, unlike = desk.replay(*limited, doors)
    assert unlike == 0
    assert [(row.rule, row.after) for row in differences] == [
        ("admission/open-to-all", "refused by signature-not-approved")
    ]


def test_what_is_kept_of_requests_names_nobody_and_nothing_that_they_said(tmp_path: Path) -> None:
    desk = Desk(tmp_path, [inquiry for inquiry, _ in REQUESTS])
    content = b"".join(row.content for row in desk.store.tables.asking.values())
    assert b"gossip" not in content
    ways = [way for row in desk.store.tables.asking.values() for way in Sketch.read(row.content).ways]
    assert "anything" not in {purpose for _, _, purpose, _ in ways}
    assert serial_of("x").octets not in content
    assert serial_of("x").octets.hex().encode() not in content
