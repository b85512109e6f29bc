"""Detection at the terminal: what was asked becomes an alarm, and a person decides."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest

from cli.publisher import go_round
from config.validating import make_sandbox, make_validation
from domain.certificates import IssuerId, Kind
from domain.detection import NOBODY, Alarm, Grade
from domain.errors import Code, Refusal
from domain.parties import Party, Role
from domain.provisions import Channel, Provision
from policies.admission import Admitted, Requestor
from tests.support.people import serial_of
from tests.support.terminal import Terminal
from tests.support.verifiers import add_verifier
from verifiers.handle_news import fetch_news
from web.wsgi import _status_parts as status_parts

ISSUER = IssuerId("signature-g1")


@pytest.fixture
def alarmed(terminal: Terminal) -> Terminal:
    """The bank asked four times about each of sixty people, in a day that the publisher judged."""
    with closing(terminal.services()) as services:
        with services.begin() as work:
            bank = work.parties.add(Party(0, Role.VERIFIER, "bank", kinds=frozenset(Kind)), terminal.clock.now)
            work.commit()
        for number in range(240):
            asked = serial_of(f"person {number % 60}").octets
            told = (terminal.clock.now, bank, None, "log-in", ISSUER, Channel.OCSP, asked, "good", bytes(range(32)))
            services.record(Provision(*told))
        services.record.close()
        go_round(services)
    return terminal


def test_the_publisher_raises_alarms_and_a_person_decides(alarmed: Terminal) -> None:
    (row,) = alarmed.do("detection", "list").rows
    assert (row["verifier"], row["rule"], row["grade"], row["state"]) == (
        "bank",
        "polled-within-a-day",
        "justify",
        "open",
    )
    shown = {line["what"]: line["value"] for line in alarmed.do("detection", "show", row["alarm"]).rows}
    assert (shown["polls"], shown["規則"]) == ("4.0", "同じ証明書への一日内の反復照会")
    assert alarmed.do("detection", "judge").rows == []
    assert alarmed("detection", "decide", row["alarm"], "--reason", "which?").code == 2
    said = alarmed.do("detection", "decide", row["alarm"], "--outcome", "dismissed", "--reason", "its yearly review")
    assert said.out == f"{row['alarm']} is dismissed\n"
    assert alarmed.do("detection", "list").rows[0]["state"] == "dismissed"
    assert [event["act"] for event in alarmed.audit()][-2:] == ["alarm-raised", "alarm-decided"]
    assert "refused (not-found)" in alarmed("detection", "show", "another").err
    alarmed.do("audit", "verify")
    alarmed.do("check")


def test_rules_are_printed_with_thresholds_and_sources(terminal: Terminal) -> None:
    rows = {row["rule"]: row for row in terminal.do("detection", "rules").rows}
    assert rows["shared-set"]["when"] == "shared >= 0.3"
    assert all(row["source"] for row in rows.values())


def test_the_doors_of_a_state_directory_have_one_gate(terminal: Terminal) -> None:
    now = terminal.clock.now
    with closing(terminal.services()) as services:
        bank = add_verifier(services.begin, "bank", at=now)
        alarm = Alarm("alarm", now.date(), bank.id, NOBODY, "shared-set", Grade.TRY_LATER, {}, now)
        with services.begin() as work:
            work.detection.put_alarm(alarm)
            work.commit()
        services.settings = replace(services.settings, crl_access="notified-verifiers")
        parts = status_parts(services)
        doors: list[Callable[[], object]] = [
            lambda: services.responder.admit(Requestor(bank), Kind.SIGNATURE, now),
            lambda: parts.lists.admit(Requestor(bank), Kind.SIGNATURE, now),
            lambda: fetch_news(services.handles, bank, None, 0),
        ]
        for door in doors:
            with pytest.raises(Refusal) as refused:
                door()
            assert (refused.value.code, refused.value.facts["rule"]) == (Code.BUSY, "waits-for-decision")
        with closing(make_sandbox(services.settings.validation)) as sandbox:
            assert make_validation(services, sandbox).gate is services.handles.gate is services.gate


def test_alarms_are_read_while_a_door_writes(terminal: Terminal) -> None:
    with closing(terminal.services()) as services:
        bank = add_verifier(services.begin, "bank", at=terminal.clock.now)
        alarm = Alarm("alarm", terminal.clock.now.date(), bank.id, NOBODY, "x", Grade.BLOCK, {}, terminal.clock.now)
        with services.begin() as work:
            work.detection.put_alarm(alarm)
            work.commit()
        with services.begin(), pytest.raises(Refusal) as refused:
            services.gate.restrain(Admitted(bank), terminal.clock.now)
    assert refused.value.code is Code.NOT_ADMITTED
