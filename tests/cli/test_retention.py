"""Retention at the terminal: what is kept how long, what is over, and what was erased."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from cli.publisher import go_round
from config.rules import load_retention
from tests.support.terminal import HOLDER, Terminal, issue_pair

YEAR = timedelta(days=365)


@pytest.fixture
def revoked(terminal: Terminal, tmp_path: Path) -> Terminal:
    """A pair that is revoked, expires, and is on a list after that."""
    issue_pair(terminal, tmp_path / "pair")
    terminal.do("revoke", "--resident", HOLDER["resident_code"], "--cause", "holder-request")
    terminal.do("crl", "publish")
    terminal.clock.forward(6 * YEAR)
    terminal.do("crl", "publish")
    return terminal


def counts(terminal: Terminal, column: str, *words: str) -> dict[str, str]:
    return {row["records"]: row[column] for row in terminal.do("retention", *words).rows if row["records"]}


def test_the_rules_are_printed_with_their_sources(terminal: Terminal) -> None:
    rows = terminal.do("retention", "--dry-run").rows
    assert [row["records"] for row in rows] == [records.value for records in load_retention()]
    assert all(row["source"] for row in rows)
    kept = {row["records"]: (row["kept after expiry"], row["state"]) for row in rows}
    assert kept["certificates"] == ("10 years from the day after", "seen")
    assert kept["revocations"] == ("until expiry, and one list after it", "seen")
    assert kept["residents"] == ("not erased by itself", "OPEN")


def test_a_rehearsal_counts_what_is_over_and_the_command_erases_it(revoked: Terminal) -> None:
    before = len(revoked.audit())
    assert counts(revoked, "over", "--dry-run")["revocations"] == "2"
    assert len(revoked.audit()) == before
    assert counts(revoked, "erased")["revocations"] == "2"
    assert counts(revoked, "erased")["revocations"] == "0"
    assert [event["act"] for event in revoked.audit()[before:]] == ["record-erased"] * 2
    assert revoked.do("audit", "verify").code == 0


def test_the_publishers_round_does_it_too(revoked: Terminal, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "jpki.publisher")
    services = revoked.services()
    go_round(services)
    services.close()
    assert {"revocations": 2} in [getattr(record, "facts", {}) for record in caplog.records]
    assert counts(revoked, "over", "--dry-run")["revocations"] == "0"
