"""`jpki responders`: see how long the services' certificates last, and renew them."""

from __future__ import annotations

from datetime import timedelta

from tests.support.terminal import Terminal

ISSUERS = ["signature-g1", "authentication-g1", "signature-g2", "authentication-g2"]


def test_each_issuers_responder_is_shown(terminal: Terminal) -> None:
    rows = terminal.do("responders", "list").rows
    assert [row["issuer"] for row in rows] == ISSUERS
    assert {(row["from"], row["until"]) for row in rows} == {
        ("2027-04-01 00:00:00+00:00", "2027-06-29 23:59:59+00:00"),
    }


def test_at_first_nothing_is_due(terminal: Terminal) -> None:
    said = terminal.do("responders", "renew")
    assert (said.out, said.err) == ("0 renewed\n", "")


def test_what_is_due_is_renewed_and_services_are_to_be_told(terminal: Terminal) -> None:
    terminal.clock.forward(timedelta(days=61))
    said = terminal.do("responders", "renew")
    assert said.out == f"4 renewed: {', '.join(ISSUERS)}\n"
    assert "SIGHUP" in said.err
    assert {row["from"] for row in terminal.do("responders", "list").rows} == {"2027-06-01 00:00:00+00:00"}


def test_all_can_be_renewed(terminal: Terminal) -> None:
    assert terminal.do("responders", "renew", "--all").out == f"6 renewed: {', '.join(ISSUERS)}, api-server, receipts\n"


def test_a_configuration_that_ended_is_mended_by_what_check_config_says(terminal: Terminal) -> None:
    terminal.clock.forward(timedelta(days=398))
    said = terminal("check-config")
    assert said.err.count("run: jpki responders renew") == 6
    terminal.do("responders", "renew")
    terminal.do("check-config")


def test_a_lost_certificate_is_made_anew(terminal: Terminal) -> None:
    (terminal.state / "certs" / "signature-g1-ocsp.cer").unlink()
    assert terminal("responders", "list").code == 1
    assert terminal.do("responders", "renew").out == "1 renewed: signature-g1\n"
    assert len(terminal.do("responders", "list").rows) == 4
