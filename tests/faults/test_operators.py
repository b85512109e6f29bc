"""What operators are told at the terminal when something is broken: its name, and nothing was changed."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from tests.faults.conftest import Prepare
from tests.support.authority import TurnedClock
from tests.support.faults import MINUTE, NOW, ROOT, SETTLED, Forks, State, act, settle
from tests.support.residents import as_fields, csv_file, record, resident_code
from tests.support.terminal import Said, Terminal, stop_clocks

PUBLISHED = 8
"""Lists of a settled authority."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> TurnedClock:
    clock = stop_clocks(monkeypatch)
    clock.now = SETTLED + MINUTE
    return clock


@pytest.fixture
def terminal(
    prepared: Callable[[str, Prepare, datetime], State], clock: TurnedClock, spoilt: Path
) -> Iterator[Terminal]:
    """Over a settled authority."""
    with prepared("sqlite", settle, NOW).copied(spoilt) as state:
        yield Terminal(state.path, clock)


@pytest.fixture
def unchanged(terminal: Terminal, forks: Forks) -> Callable[[], None]:
    """Asserts, when called, that lists and records are what they were."""

    def found() -> tuple[object, ...]:
        lists = {path: path.read_bytes() for path in sorted(terminal.state.glob("crl/*/*.crl*"))}
        (facts,) = forks.run(State(terminal.state), act("judge"), now=SETTLED + MINUTE).told
        assert facts["faults"] == facts["notes"] == []
        return lists, facts["certificates"], facts["lists"], facts["residents"]

    before = found()
    assert before

    def check() -> None:
        assert found() == before

    return check


def refused(said: Said, code: str, *words: str) -> None:
    assert said.code == 1
    assert said.err.startswith(f"refused ({code}): ")
    for word in words:
        assert word in said.err


def revoke(terminal: Terminal) -> Said:
    code = resident_code(2).digits
    return terminal("revoke", "--resident", code, "--cause", "record-error", "--key", "a-request")


def test_a_clock_before_the_last_lists_publishes_nothing(
    terminal: Terminal, clock: TurnedClock, unchanged: Callable[[], None]
) -> None:
    clock.now = NOW - MINUTE
    said = terminal("crl", "publish")
    assert said.code == 1
    assert said.err.count("refused (clock-behind): the clock is behind the newest list of this scope") == PUBLISHED
    assert said.out == f"0 published, 0 not due, {PUBLISHED} refused\n"
    unchanged()
    clock.now = SETTLED + MINUTE
    assert terminal.do("crl", "publish", "--force").out == f"{PUBLISHED} published, 0 not due, 0 refused\n"


def lose_key(state: Path) -> None:
    (state / "keys" / "signature-g1.pem").unlink()


def change_passphrase(state: Path) -> None:
    (state / "secrets" / "key-passphrase").write_text("another passphrase\n")


def swap_keys(state: Path) -> None:
    shutil.copy(state / "keys" / "authentication-g1.pem", state / "keys" / "signature-g1.pem")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(lose_key, "signature-g1.pem cannot be read: No such file", id="a-key-file-is-gone"),
        pytest.param(change_passphrase, "the passphrase must be its own", id="keys-are-locked"),
        pytest.param(swap_keys, "signature-g1.pem: the key does not belong to its certificate", id="keys-are-swapped"),
    ],
)
def test_keys_that_do_not_open_are_named(
    spoil: Callable[[Path], None], words: str, terminal: Terminal, unchanged: Callable[[], None], tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(terminal.state, whole)
    spoil(terminal.state)
    refused(terminal("crl", "publish", "--force"), "bad-configuration", words)
    assert words in terminal("check-config").err
    for folder in ("keys", "secrets"):
        shutil.copytree(whole / folder, terminal.state / folder, dirs_exist_ok=True)
    unchanged()
    assert terminal.do("crl", "publish", "--force").out == f"{PUBLISHED} published, 0 not due, 0 refused\n"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(lose_key, "the service cannot start: bad-configuration: signature-g1.pem cannot", id="gone"),
        pytest.param(change_passphrase, "Error: bad-configuration: TLS cannot be offered with keys/api-", id="locked"),
    ],
)
def test_the_api_does_not_start_without_its_keys(spoil: Callable[[Path], None], words: str, terminal: Terminal) -> None:
    spoil(terminal.state)
    command = [sys.executable, "-m", "cli", "--state", str(terminal.state), "serve", "api"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert words in ended.stderr


def test_a_passphrase_that_is_gone_is_named(terminal: Terminal, unchanged: Callable[[], None]) -> None:
    path = terminal.state / "secrets" / "key-passphrase"
    passphrase = path.read_bytes()
    path.unlink()
    said = terminal("crl", "publish")
    assert said.code == 2
    assert "secret key-passphrase: No such file" in said.err
    path.write_bytes(passphrase)
    unchanged()


def test_a_database_locked_by_another_process_is_busy(terminal: Terminal, unchanged: Callable[[], None]) -> None:
    with closing(sqlite3.connect(terminal.state / "jpki.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        refused(revoke(terminal), "busy", "try again in a few seconds")
        other.rollback()
    unchanged()
    assert "revoked signature and authentication" in revoke(terminal).out


def test_a_database_that_may_only_be_read_is_away(terminal: Terminal, unchanged: Callable[[], None]) -> None:
    terminal.change_settings("jpki.db", "jpki.db?mode=ro")
    refused(revoke(terminal), "store-unavailable", "try again later")
    assert terminal("check").code == 0
    terminal.change_settings("jpki.db?mode=ro", "jpki.db")
    unchanged()
    assert "revoked signature and authentication" in revoke(terminal).out


def test_a_list_that_finds_no_room_on_the_disk_is_refused_alone(
    terminal: Terminal, unchanged: Callable[[], None], clock: TurnedClock, forks: Forks
) -> None:
    revoke(terminal)
    room = terminal.state / "crl" / "signature-g2" / ".13221.crl.new"
    room.symlink_to("/dev/full")
    before = {path: path.read_bytes() for path in room.parent.glob("13221.*")}
    said = terminal("crl", "publish")
    assert said.code == 1
    assert said.err.count("refused (store-unavailable)") == 1
    assert "the file of list signature-g2/13221.crl cannot be read or written (No space left on device)" in said.err
    assert said.out.endswith("1 published, 6 not due, 1 refused\n")
    assert {path: path.read_bytes() for path in room.parent.glob("13221.*")} == before
    room.unlink()
    assert terminal.do("crl", "publish").out == "1 published, 7 not due, 0 refused\n"
    (facts,) = forks.run(State(terminal.state), act("judge"), now=clock.now).told
    assert facts["faults"] == facts["notes"] == []


def on_a_full_disk(state: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """`jpki` in a process that may not write into any file."""
    command = ["sh", "-c", 'ulimit -f 0; exec "$0" -m cli --state "$@"', sys.executable, str(state), *map(str, words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_records_that_find_no_room_on_the_disk_are_not_loaded(
    terminal: Terminal, unchanged: Callable[[], None], tmp_path: Path
) -> None:
    file = tmp_path / "residents.csv"
    file.write_bytes(csv_file(as_fields(record(number)) for number in (7, 8, 9)).read())
    ended = on_a_full_disk(terminal.state, "residents", "load", file)
    assert ended.returncode == 1
    assert "refused (store-unavailable): the database cannot be used at the moment; try again later" in ended.stderr
    unchanged()
    assert "3 new" in terminal.do("residents", "load", file).out


def test_an_authority_that_finds_no_room_on_the_disk_is_not_founded(tmp_path: Path) -> None:
    ended = on_a_full_disk(tmp_path / "state", "init")
    assert ended.returncode == 1
    assert "the system refused: File too large" in ended.stderr
    assert list(tmp_path.iterdir()) == []
