"""The operators' terminal: `jpki` run in this process, over a state directory of its own, while the clock stands."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from collections.abc import Mapping
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

import pytest

from cli.main import COMMANDS, main
from config import assemble
from config.assemble import Services, system_random
from config.enrolment import enrol
from config.initialise import initialise
from config.settings import load
from domain.parties import LOCAL_OPERATOR, Party, Role
from residents.load import load_residents
from residents.rows import Format
from tests.support.authority import KIYOSE, TurnedClock
from tests.support.requests import make_pair

SAMPLE = Path(__file__).parents[2] / "config" / "data" / "sample_residents.csv"
RESIDENTS = list(csv.DictReader(SAMPLE.read_text("utf-8").splitlines()))
HOLDER = RESIDENTS[0]
"""霧島　透子 of 清瀬市, who exists in the sample alone."""

# All of them now: one that is imported while the clocks are stopped would keep its clock for good.
_COMMANDS = [import_module(module) for group in COMMANDS.values() for module, _ in group.values()]


@dataclass(frozen=True)
class Said:
    """What a command left behind: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, str]]:
        """The lines of a table, by column."""
        return list(csv.DictReader(self.out.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


class Terminal:
    """Call it with the words behind `jpki`; `typed` is what standard input holds, or is."""

    def __init__(self, state: Path, clock: TurnedClock) -> None:
        self.state, self.clock = state, clock

    def __call__(self, *words: str | Path, typed: str | io.StringIO = "") -> Said:
        out, err = io.StringIO(), io.StringIO()
        stdin = io.StringIO(typed) if isinstance(typed, str) else typed
        with (
            redirect_stdout(out),
            redirect_stderr(err),
            patch.object(sys, "stdin", stdin),
            pytest.raises(SystemExit) as left,
        ):
            main(["--state", str(self.state), *map(str, words)])
        code = left.value.code
        assert code is None or isinstance(code, int)
        return Said(code or 0, out.getvalue(), err.getvalue())

    def do(self, *words: str | Path, typed: str | io.StringIO = "") -> Said:
        """As a call, for a command that must succeed."""
        said = self(*words, typed=typed)
        assert said.code == 0, said.err
        return said

    def services(self) -> Services:
        """The parts behind the commands. Close them."""
        services = Services(load(self.state))
        services.clock = self.clock
        return services

    def audit(self) -> list[dict[str, object]]:
        """The audit trail's events, as they were told."""
        with closing(self.services()) as services, services.begin(write=False) as work:
            return [json.loads(row.body) for row in work.audit.rows()]

    def change_settings(self, before: str, after: str) -> None:
        """Edit jpki.toml: what stands there once or more becomes something else."""
        path = self.state / "jpki.toml"
        text = path.read_text("utf-8")
        assert before in text
        path.write_text(text.replace(before, after), "utf-8")


def stop_clocks(monkeypatch: pytest.MonkeyPatch) -> TurnedClock:
    """Make the machine's clock, wherever it is read, one that stands until it is turned."""
    clock = TurnedClock()
    for module in (assemble, *_COMMANDS):
        if hasattr(module, "system_clock"):
            monkeypatch.setattr(module, "system_clock", clock)
    return clock


def found_state(state: Path) -> None:
    """An authority that 清瀬市 may call and that knows the sample's residents."""
    clock = TurnedClock()
    initialise(
        state,
        api="127.0.0.1:8443",
        status="127.0.0.1:8080",
        template=None,
        clock=clock,
        random=system_random,
        on_step=lambda _step: None,
    )
    services = Services(load(state))
    services.clock = clock
    enrol(
        services,
        Party(0, Role.MUNICIPALITY, KIYOSE.code.value, KIYOSE.code),
        LOCAL_OPERATOR,
        folder=state / "credentials" / "kiyose",
        life=timedelta(days=365),
    )
    with SAMPLE.open("rb") as file:
        assert not load_residents(services.intake, LOCAL_OPERATOR, file, Format.CSV).faults
    services.close()


def copy_state(founded: Path, state: Path) -> Path:
    """A state directory like that one, for one test."""
    shutil.copytree(founded, state)
    return state


def issue_pair(terminal: Terminal, folder: Path, holder: Mapping[str, str] = HOLDER, number: int = 0) -> None:
    """Issue a pair over the numbered keys; application, requests and certificates lie in `folder`."""
    folder.mkdir()
    options: list[str | Path] = []
    for kind, request in make_pair(number=number).items():
        (folder / kind.value).write_bytes(request)
        options += [f"--{kind.value}-request", folder / kind.value]
    application = write_application(folder / "application.json", holder)
    terminal.do("issue", application, "--key", f"pair-{number}", "--out", folder, *options)


def write_application(path: Path, holder: Mapping[str, str] = HOLDER, **changes: object) -> Path:
    """An application for a resident's pair, without the requests, as the API takes it."""
    document: dict[str, object] = {
        "resident_code": holder["resident_code"],
        "municipality_code": holder["municipality_code"],
        "attributes": {item: holder[item] for item in ("name", "address", "birth_date", "sex")},
        "card": {"id": "CARD-1", "expires_on": "2036-03-31"},
        **changes,
    }
    path.write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    return path
