"""A scan filter is made whole or not at all, whatever ends its making."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from config import scan_filters
from config.scan_filters import make_scan_filter, open_scan_filter, read_scan_key
from domain.errors import Code, Refusal
from scan.digest import Part
from tests.support.terminal import Terminal, issue_pair

WEEK = timedelta(days=7)


def make(terminal: Terminal, folder: Path) -> None:
    with closing(terminal.services()) as services:
        make_scan_filter(services, "shop", folder, lifetime=WEEK, hashes=3000)


def made(terminal: Terminal) -> int:
    """How many filters the trail tells of."""
    return sum(row["act"] == "scan-filter-made" for row in terminal.audit())


@pytest.mark.parametrize(
    ("step", "told"),
    [
        pytest.param("write_filter", 0, id="before-it-is-written"),
        pytest.param("AuditEvent", 0, id="before-it-is-on-record"),
        pytest.param("write_private", 0, id="before-anything"),
        pytest.param("read_file", 1, id="before-its-key"),
        pytest.param("make_durable", 1, id="after-it-has-its-name"),
    ],
)
def test_a_process_that_is_killed_leaves_nothing_that_could_be_used(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, told: int
) -> None:
    issue_pair(terminal, tmp_path / "pair")
    folder = tmp_path / "carry"
    if (child := os.fork()) == 0:
        monkeypatch.setattr(scan_filters, step, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        make(terminal, folder)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert made(terminal) == told
    if step == "make_durable":
        with pytest.raises(Refusal) as refused:
            make(terminal, folder)
        assert refused.value.code is Code.ALREADY_APPLIED
    else:
        assert not (folder / "shop.scan").exists()
        make(terminal, folder)
        assert made(terminal) == told + 1
    found = open_scan_filter(folder / "shop.scan", read_scan_key(folder / "shop.scan-key"), terminal.clock())
    assert (found.label.certificates, len(found.tables[Part.FIRST])) == (2, 2)


def test_a_filter_lives_for_three_months_at_most(terminal: Terminal, tmp_path: Path) -> None:
    with closing(terminal.services()) as services, pytest.raises(Refusal) as refused:
        make_scan_filter(services, "shop", tmp_path, lifetime=timedelta(days=93), hashes=0)
    assert refused.value.code is Code.MALFORMED


def test_without_certificates_there_is_a_filter_that_knows_nothing(terminal: Terminal, tmp_path: Path) -> None:
    make(terminal, tmp_path)
    found = open_scan_filter(tmp_path / "shop.scan", read_scan_key(tmp_path / "shop.scan-key"), terminal.clock())
    assert [len(table) for table in found.tables.values()] == [0, 0, 0, 0]
