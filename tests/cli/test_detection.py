"""Detection at the terminal: what was asked becomes an alarm, and a person decides."""

from __future__ import annotations

from contextlib import closing

import pytest

from cli.publisher import go_round
from domain.certificates import IssuerId, Kind
from domain.parties import Party, Role
from domain.provisions import Channel, Provision
from tests.support.people import serial_of
from tests.support.terminal import Terminal

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
