"""The worker's rounds: what waits is worked off, what is old is erased, and a refusal ends nothing."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from ca.batch_work import Worker
from cli.batch_worker import erase, go_on, go_round, settle
from config.assemble import Services
from config.batching import make_batching, make_worker
from domain.errors import Code, Refusal
from domain.mass import MassEvent, MassState
from mass.resumption import Resumption
from tests.cli.test_batches import file  # noqa: F401  a fixture
from tests.support.terminal import Terminal
from web.batches import read_line


@pytest.fixture
def services(terminal: Terminal) -> Iterator[Services]:
    with closing(terminal.services()) as services:
        yield services


@pytest.fixture
def worker(services: Services) -> Worker:
    return make_worker(services, make_batching(services, read_line), 0)


def test_a_round_works_off_what_waits_and_the_next_finds_nothing(
    terminal: Terminal,
    worker: Worker,
    file: Path,  # noqa: F811
) -> None:
    terminal.do("issue", "batch", file, "--no-wait")
    assert [go_round(worker), go_round(worker)] == [2, 0]
    (row,) = terminal.do("batches", "list").rows
    assert (row["issued"], row["refused"]) == ("2", "1")


def test_what_is_there_for_good_is_not_looked_through_for_garbage() -> None:
    threshold = gc.get_threshold()
    try:
        settle()
        assert gc.get_freeze_count()
        assert gc.get_threshold()[0] > threshold[0]
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)


def test_old_batches_are_erased(
    terminal: Terminal,
    worker: Worker,
    file: Path,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    terminal.do("issue", "batch", file, "--no-wait")
    go_round(worker)
    terminal.clock.forward(timedelta(days=31))
    with caplog.at_level(logging.INFO):
        erase(worker)
    assert "erased old batches" in caplog.text
    assert terminal.do("batches", "list").rows == []


@pytest.mark.parametrize(
    ("code", "level"), [(Code.BUSY, logging.INFO), (Code.SIGNER_UNAVAILABLE, logging.ERROR)], ids=["busy", "away"]
)
def test_a_refused_round_is_logged_and_tried_later(
    worker: Worker, caplog: pytest.LogCaptureFixture, code: Code, level: int
) -> None:
    with (
        patch("cli.batch_worker.work_round", side_effect=Refusal(code, "not now")),
        caplog.at_level(logging.INFO, "jpki.batches"),
    ):
        assert go_round(worker) is None
    with (
        patch("cli.batch_worker.erase_old", side_effect=Refusal(code, "not now")),
        caplog.at_level(logging.INFO, "jpki.batches"),
    ):
        erase(worker)
    assert [record.levelno for record in caplog.records] == [level, level]


def test_a_mass_event_is_gone_on_with_and_a_refused_step_is_tried_later(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    resumption = Resumption(services.mass)
    done = MassEvent("event", "", "", (), MassState.DONE, "operator:terminal", services.clock())
    outcomes = (Refusal(Code.STORE_UNAVAILABLE, "not now"), done, None)
    with (
        patch.object(resumption, "go_on", side_effect=outcomes),
        caplog.at_level(logging.INFO, "jpki.batches"),
    ):
        rests = [go_on(resumption) for _ in outcomes]
    assert [rest is None for rest in rests] == [True, False, True]
    assert [record.message for record in caplog.records] == ["refused", "finished a mass event"]
