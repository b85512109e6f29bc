"""The tables of rules at the terminal: complete, by kind of certificate, and honest about what is open."""

from __future__ import annotations

import json

from config.rules import load_causes, load_events, load_holds, load_issuance, load_variants
from domain.certificates import Carrier, Kind
from tests.support.terminal import Terminal

PLACES = {(kind.value, carrier.value) for kind in Kind for carrier in Carrier}


def test_every_event_is_told_for_each_kind_on_each_carrier(terminal: Terminal) -> None:
    told = terminal.do("policy", "events").rows
    rows = {(row["event"], row["certificate"], row["carrier"]): row for row in told}
    assert rows.keys() == {(event.value, *place) for event in load_events() for place in PLACES}
    moved, died = rows["move-within", "authentication", "card"], rows["death", "authentication", "card"]
    assert (moved["effect"], moved["CRL reason"], moved["state"]) == ("stays", "", "seen")
    assert (died["effect"], died["CRL reason"], died["state"]) == ("revoked", "cessation-of-operation", "OPEN")
    assert "unverified" in died["source"]
    assert (died["record afterwards"], died["tells"]) == ("dead", "nothing")
    assert rows["move-abroad-continued", "authentication", "card"]["effect"] == "stays"
    assert rows["move-within", "signature", "card"]["state"] == "seen"
    assert rows["move-within", "signature", "mobile-device"]["state"] == "OPEN"


def test_the_whole_table_of_revocation_is_printed(terminal: Terminal) -> None:
    told = terminal.do("policy", "revocation").rows
    rows = {(row["event"], row["cause"], row["certificate"], row["carrier"]): row for row in told}
    causes = {("", cause.value, *place) for cause in load_causes() for place in PLACES}
    events = {
        (event.value, rule.cause.value if rule.cause else "", *place)
        for event, rule in load_events().items()
        for place in PLACES
    }
    releases = {
        ("carrier-found", rule.cause.value if rule.cause else "", kind.value, carrier.value)
        for (kind, carrier), rule in load_holds().releases.items()
    }
    assert rows.keys() == causes | events | releases | {
        ("", "pair rule", "both", "each"),
        ("", "phone rule", "both", "mobile-device"),
    }
    assert all(row["source"] for row in rows.values())
    assert rows["", "resident-event", "authentication", "card"]["effect"] == "stays"
    assert rows["", "temporary-stop", "signature", "card"]["effect"] == "held, or as chosen by carrier"
    assert rows["", "holder-request", "signature", "card"]["effect"] == "revoked, or as chosen by kind and carrier"
    assert rows["", "pair rule", "both", "each"]["effect"] == "both or none; the one exception is resident-event"
    assert rows["carrier-found", "", "signature", "card"]["effect"] == "stays held"
    assert rows["carrier-found", "", "authentication", "mobile-device"]["effect"] == "released"
    anew = rows["carrier-found", "renewal", "signature", "mobile-device"]
    assert (anew["effect"], anew["CRL reason"]) == ("revoked, to be issued anew", "superseded")
    assert {row["state"] for row in rows.values() if "unverified" in row["source"]} == {"OPEN"}
    assert all("unverified" in row["source"] for row in rows.values() if row["state"] == "OPEN")


def test_the_table_is_printed_as_json_too(terminal: Terminal) -> None:
    told = json.loads(terminal.do("policy", "revocation", "--json").out)
    rows = terminal.do("policy", "revocation").rows
    assert [{key: str(value) for key, value in row.items()} for row in told["revocation"]] == rows


def test_the_rules_of_characters_are_printed_in_their_order(terminal: Terminal) -> None:
    rows = terminal.do("policy", "characters").rows
    assert [row["rule"] for row in rows] == [row.rule.value for row in load_variants().rows]
    assert {row["rule"]: row["unconfirmed"] for row in rows}["mj-inference"] == "refuse"
    assert int({row["rule"]: row["rows"] for row in rows}["mj-register-notices"]) > 10_000


def test_every_number_of_issuance_is_told(terminal: Terminal) -> None:
    rows = {row["rule"]: row for row in terminal.do("policy", "issuance").rows}
    assert rows.keys() == {rule.value for rule in load_issuance()}
    assert [rows[name]["value"] for name in ("replacement", "card-life", "wards")] == ["2", "10", "0"]
    assert all(row["meaning"] and row["source"] for row in rows.values())
    assert {row["state"] for row in rows.values() if "unverified" in row["source"]} == {"OPEN"}


def test_the_rules_of_holds_are_printed(terminal: Terminal) -> None:
    rows = terminal.do("policy", "holds").rows
    assert [row["when"] for row in rows] == ["found"] * 4 + ["after 30 days"] * 2 + ["30 misses in 1:00:00"]
    assert {row["state"] for row in rows if "unverified" in row["source"]} == {"OPEN"}
