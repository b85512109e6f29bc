"""The tables of rules at the terminal: complete, by kind of certificate, and honest about what is open."""

from __future__ import annotations

from config.rules import load_causes, load_events
from domain.certificates import Kind
from tests.support.terminal import Terminal


def test_every_event_is_told_for_each_kind(terminal: Terminal) -> None:
    rows = {(row["event"], row["certificate"]): row for row in terminal.do("policy", "events").rows}
    assert rows.keys() == {(event.value, kind.value) for event in load_events() for kind in Kind}
    moved, died = rows["move-within", "authentication"], rows["death", "authentication"]
    assert (moved["effect"], moved["CRL reason"], moved["state"]) == ("stays", "", "seen")
    assert (died["effect"], died["CRL reason"], died["state"]) == ("revoked", "cessation_of_operation", "OPEN")
    assert (died["carrier"], died["record afterwards"], died["tells"]) == ("card mobile-device", "dead", "nothing")
    assert rows["move-abroad-continued", "authentication"]["effect"] == "stays"


def test_every_cause_is_told_for_each_kind(terminal: Terminal) -> None:
    rows = {(row["cause"], row["certificate"]): row for row in terminal.do("policy", "revocation").rows}
    assert rows.keys() == {(cause.value, kind.value) for cause in load_causes() for kind in Kind}
    assert all(row["source"] and row["by"] for row in rows.values())
    assert rows["resident-event", "authentication"]["effect"] == "stays"
    assert rows["temporary-stop", "signature"]["effect"] == "held"
    assert rows["holder-request", "signature"]["effect"] == "revoked, or as chosen"
    assert {row["state"] for row in rows.values() if "unverified" in row["source"]} == {"OPEN"}
