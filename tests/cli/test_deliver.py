"""`jpki deliver`: what became of a renewal at the counter, and what the publisher does when nobody says."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from cli.publisher import go_round
from domain.certificates import Kind
from policies.validity import day_in_japan
from tests.support.requests import make_pair
from tests.support.terminal import HOLDER, Terminal, write_application


def issue(terminal: Terminal, folder: Path, number: int, days: int) -> str:
    """A pair for a card that ends so many days from now; what was said."""
    folder.mkdir()
    options: list[str | Path] = []
    for kind, request in make_pair(number=number).items():
        (folder / kind.value).write_bytes(request)
        options += [f"--{kind.value}-request", folder / kind.value]
    card = {"id": f"card-{number}", "expires_on": (day_in_japan(terminal.clock.now) + timedelta(days=days)).isoformat()}
    application = write_application(folder / "application.json", HOLDER, card=card)
    return terminal.do("issue", application, "--key", f"desk-000{number}", "--out", folder, *options).out


@pytest.fixture
def waiting(terminal: Terminal, tmp_path: Path) -> Terminal:
    """A pair that ends in two months, and its successor."""
    assert "jpki deliver" not in issue(terminal, tmp_path / "old", 0, 60)
    assert "waits for its hand-over; then: jpki deliver --key desk-0001" in issue(terminal, tmp_path / "new", 1, 1800)
    return terminal


def explained(terminal: Terminal, application: int, language: str = "en") -> str:
    return terminal.do(
        "explain", "--application", str(application), "--kind", Kind.SIGNATURE.value, "--language", language
    ).out


def test_a_renewal_is_delivered_once(waiting: Terminal) -> None:
    said = waiting.do("deliver", "--key", "desk-0001").out
    assert said == "application: 2\nlive: signature, authentication\nrevoked: signature, authentication\n"
    assert waiting.do("deliver", "--key", "desk-0001").out == said + "this was reported before; nothing was changed\n"
    refused = waiting("deliver", "--key", "desk-0001", "--refused")
    assert (refused.code, "the opposite was reported" in refused.err) == (1, True)
    assert waiting.do("crl", "publish").code == 0
    assert waiting.do("check").code == 0


def test_a_renewal_is_given_up(waiting: Terminal) -> None:
    assert waiting.do("deliver", "--key", "desk-0001", "--refused").out == (
        "application: 2\nlive: nothing of this application\nrevoked: signature, authentication\n"
    )


def test_the_explanation_tells_of_predecessor_and_hand_over(waiting: Terminal) -> None:
    assert "follows the one of application 1" in explained(waiting, 2)
    assert "waits for its hand-over" in explained(waiting, 2)
    assert "交付待ち" in explained(waiting, 2, "ja")
    waiting.do("deliver", "--key", "desk-0001", "--refused")
    assert "ended before it was handed over" in explained(waiting, 2)
    assert "superseded" not in explained(waiting, 1)


def test_the_publisher_withdraws_what_nobody_reports(waiting: Terminal, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "jpki.publisher")
    with closing(waiting.services()) as services:
        waiting.clock.forward(timedelta(days=30))
        assert go_round(services)
        assert withdrawn(caplog) == []
        waiting.clock.forward(timedelta(seconds=1))
        assert go_round(services)
    assert withdrawn(caplog) == [{"applications": 1}]
    assert "never delivered" not in explained(waiting, 1)
    assert "Destroyed before it was handed over" in explained(waiting, 2)
    assert waiting.do("check").code == 0


def withdrawn(log: pytest.LogCaptureFixture) -> list[Mapping[str, object]]:
    return [record.facts for record in log.records if "never delivered" in record.message]  # type: ignore[attr-defined]


def test_the_time_is_a_setting(waiting: Terminal) -> None:
    waiting.change_settings("delivery_days = 30", "delivery_days = 1")
    waiting.clock.forward(timedelta(days=1, seconds=1))
    with closing(waiting.services()) as services:
        go_round(services)
    assert "ended before it was handed over" in explained(waiting, 2)
