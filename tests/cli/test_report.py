"""`jpki report lag` and `jpki revoke receipt`: how long it took, in words, tables and JSON."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.terminal import HOLDER, Terminal, issue_pair


@pytest.fixture
def revoked(terminal: Terminal, tmp_path: Path) -> Terminal:
    """A terminal where the holder's pair was revoked; lists came half a minute later."""
    issue_pair(terminal, tmp_path / "pair")
    terminal.do("crl", "publish")
    terminal.do("revoke", "--resident", "-", "--cause", "card-lost", typed=HOLDER["resident_code"])
    return terminal


def receipt(terminal: Terminal) -> str:
    said = [event["facts"] for event in terminal.audit() if event["act"] == "certificate-revoked"]
    assert isinstance(said[0], dict)
    return str(said[0]["receipt"])


def test_a_receipt_says_what_waits_and_then_which_list_has_it(revoked: Terminal) -> None:
    number = receipt(revoked)
    assert revoked.do("revoke", "receipt", number).out.splitlines() == [
        "received 2027-04-01T00:00:00Z, committed 2027-04-01T00:00:00Z",
        "in OCSP since 2027-04-01T00:00:00Z",
        "authentication-g1/13221.crl (1 of its certificates): waits for the next list",
        "signature-g1/13221.crl (1 of its certificates): waits for the next list",
    ]
    revoked.clock.forward(timedelta(seconds=30))
    revoked.do("crl", "publish")
    *_, last = revoked.do("revoke", "receipt", number).out.splitlines()
    assert last == "signature-g1/13221.crl (1 of its certificates): in list 2, in place since 2027-04-01T00:00:30Z"
    said = json.loads(revoked.do("revoke", "receipt", number, "--json").out)
    assert said["in_lists_at"] == "2027-04-01T00:00:30+00:00"


def test_a_number_that_nobody_has_is_refused(terminal: Terminal) -> None:
    assert "you have no receipt of this number" in terminal("revoke", "receipt", "0" * 32).err


def test_revoking_still_needs_a_resident_and_a_cause(terminal: Terminal) -> None:
    assert "--resident is needed" in terminal("revoke", "--cause", "card-lost").err
    assert terminal("revoke", "--resident", HOLDER["resident_code"]).code == 2


def test_lags_are_a_table(revoked: Terminal) -> None:
    revoked.clock.forward(timedelta(seconds=30))
    revoked.do("crl", "publish")
    (row,) = revoked.do("report", "lag").rows
    assert (row["certificates"], row["waiting"]) == ("2", "")
    assert [row[f"committed-to-listed {part}"] for part in ("p50", "p99", "max")] == ["30"] * 3
    assert row["committed-to-ocsp max"] == "0"
    (by_cause,) = revoked.do("report", "lag", "--by", "cause").rows
    assert by_cause["cause"] == "card-lost"


def test_lags_of_a_period_as_json(revoked: Terminal) -> None:
    said = json.loads(revoked.do("report", "lag", "--json", "--from", "2027-04-01", "--to", "2027-04-01").out)
    assert (said["from"], said["to"], said["by"]) == ("2027-04-01", "2027-04-01", "nothing")
    (row,) = said["rows"]
    assert (row["certificates"], row["waiting"], "committed-to-listed" in row["stages"]) == (2, 2, False)
    assert json.loads(revoked.do("report", "lag", "--json", "--to", "2027-03-31").out)["rows"] == []
    assert HOLDER["resident_code"] not in json.dumps(said)


def test_a_period_that_ends_before_it_begins_is_refused(terminal: Terminal) -> None:
    said = terminal("report", "lag", "--from", "2027-04-02", "--to", "2027-04-01")
    assert (said.code, "lies before" in said.err) == (2, True)
