"""The publisher's rounds: lists, renewals and interrupted applications, none of which stops the others."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from cli.publisher import LONGEST_WAIT, go_round, next_wait
from config.assemble import Services
from config.document import ConfigurationFaults
from config.watching import gauges_of
from domain.errors import Code, Refusal
from tests.support.requests import make_pair
from tests.support.terminal import HOLDER, Terminal, issue_pair, write_application

SECOND = timedelta(seconds=1)
AWAY = Refusal(Code.SIGNER_UNAVAILABLE, "the key store is away")


@pytest.fixture
def services(terminal: Terminal) -> Iterator[Services]:
    services = terminal.services()
    yield services
    services.close()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "jpki.publisher")
    return caplog


def facts(log: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    """What the publisher told since this was asked last."""
    told = [getattr(record, "facts", {}) for record in log.records]
    log.clear()
    return told


def numbers(terminal: Terminal) -> set[str]:
    return {row["number"] for row in terminal.do("crl", "list").rows}


def test_a_round_publishes_what_is_due_and_tells_of_it(
    services: Services, terminal: Terminal, log: pytest.LogCaptureFixture
) -> None:
    assert go_round(services)
    assert {"list": "signature-g1/13221.crl", "number": 1, "entries": 0} in facts(log)
    assert numbers(terminal) == {"1"}
    assert go_round(services)
    assert facts(log) == []
    assert numbers(terminal) == {"1"}


def test_a_round_makes_filters_for_every_class_that_has_a_key_and_again_at_half_of_their_life(
    services: Services, terminal: Terminal, log: pytest.LogCaptureFixture
) -> None:
    def made() -> set[object]:
        return {told["filter"] for told in facts(log) if "filter" in told}

    def used() -> list[float]:
        return [
            value for one in gauges_of(services) if one.name == "jpki_filter_validity_used" for _, value in one.values
        ]

    assert go_round(services)
    assert (made(), used()) == (set(), [])
    for word in ("court", "accredited-private"):
        terminal.do("filters", "key", word)
    assert used() == [math.inf] * 2
    assert go_round(services)
    bases = {f"{word}/{issuer}.base.filter" for word in ("court", "accredited-private") for issuer in services.issuers}
    assert made() == bases
    assert used() == [0.0] * 2
    terminal.clock.forward(timedelta(hours=23))
    go_round(services)
    assert made() == set()
    terminal.clock.forward(timedelta(hours=1))
    assert used() == [0.5] * 2
    go_round(services)
    assert made() == {name.replace(".base.", ".delta.") for name in bases}


def test_a_round_renews_what_ends_before_long(
    services: Services, terminal: Terminal, log: pytest.LogCaptureFixture
) -> None:
    go_round(services)
    terminal.clock.forward(timedelta(days=61))
    facts(log)
    assert go_round(services)
    assert [fact["of"] for fact in facts(log) if "of" in fact] == [row.id for row in services.settings.issuers]
    assert terminal.do("responders", "renew").out == "0 renewed\n"


def interrupt(terminal: Terminal, folder: Path) -> None:
    """An application that is reserved and not signed: the key store went away in between."""
    with (
        patch("ca.course.sign_reserved", side_effect=AWAY),
        pytest.raises(AssertionError, match="the key store is away"),
    ):
        issue_pair(terminal, folder)


def test_a_round_finishes_what_was_interrupted_and_lies_for_two_minutes(
    services: Services, terminal: Terminal, log: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    interrupt(terminal, tmp_path / "pair")
    assert go_round(services)
    assert "certificate-issued" not in [event["act"] for event in terminal.audit()]
    terminal.clock.forward(timedelta(minutes=3))
    facts(log)
    assert go_round(services)
    assert {"applications": 1} in facts(log)
    assert [event["act"] for event in terminal.audit()].count("certificate-issued") == 2
    assert terminal.do("check").code == 0


def test_what_a_round_finished_is_the_answer_to_the_same_application(
    services: Services, terminal: Terminal, tmp_path: Path
) -> None:
    interrupt(terminal, tmp_path / "pair")
    terminal.clock.forward(timedelta(minutes=3))
    go_round(services)
    again = tmp_path / "again"
    again.mkdir()
    options: list[str | Path] = []
    for kind, request in make_pair().items():
        (again / kind.value).write_bytes(request)
        options += [f"--{kind.value}-request", again / kind.value]
    application = write_application(again / "application.json", HOLDER)
    said = terminal.do("issue", application, "--key", "pair-0", "--out", again, *options)
    assert said.out.endswith("these are the same certificates\n")


PARTS = {
    "publishing": "cli.publisher.publish_due",
    "renewing": "cli.publisher.renew_due",
    "finishing": "cli.publisher.finish_unfinished",
}


@pytest.mark.parametrize("broken", PARTS)
@pytest.mark.parametrize(
    "error",
    [AWAY, ConfigurationFaults(["the profiles are gone"]), OSError(28, "No space left on device")],
    ids=["a refusal", "faults", "the system"],
)
def test_no_part_of_a_round_stops_the_others(
    error: Exception, broken: str, services: Services, log: pytest.LogCaptureFixture
) -> None:
    with patch.multiple(
        "cli.publisher",
        publish_due=lambda *_: (_ for _ in ()).throw(error),
        renew_due=lambda *_: (_ for _ in ()).throw(error),
        finish_unfinished=lambda *_: (_ for _ in ()).throw(error),
    ):
        assert go_round(services) is False
    assert [record.levelname for record in log.records] == ["ERROR"] * 3
    log.clear()
    with patch(PARTS[broken], side_effect=error):
        assert go_round(services) is False
    assert [record.levelname for record in log.records].count("ERROR") == 1
    assert go_round(services)


def test_another_publisher_at_work_is_no_failure(services: Services, log: pytest.LogCaptureFixture) -> None:
    with patch("cli.publisher.publish_due", side_effect=Refusal(Code.BUSY, "another publisher is at work")):
        assert go_round(services)
    assert [record.levelname for record in log.records] == ["INFO"]


def test_a_list_that_is_refused_is_told_by_name(
    services: Services, terminal: Terminal, log: pytest.LogCaptureFixture
) -> None:
    go_round(services)
    terminal.clock.forward(-SECOND)
    facts(log)
    assert go_round(services) is False
    assert {"signature-g1/ca.crl"} <= {fact.get("list") for fact in facts(log)}


def test_after_failures_the_next_round_comes_later_and_later_and_after_success_soon() -> None:
    poll = 2 * SECOND
    waits = [timedelta(0)]
    for _ in range(8):
        waits.append(next_wait(waits[-1], poll, well=False))
    assert waits[1:] == [s * SECOND for s in (4, 8, 16, 32, 60, 60, 60, 60)]
    assert next_wait(waits[-1], poll, well=True) == poll


def test_a_long_poll_is_never_shortened_by_failures() -> None:
    assert next_wait(timedelta(0), 10 * LONGEST_WAIT, well=False) == 10 * LONGEST_WAIT
