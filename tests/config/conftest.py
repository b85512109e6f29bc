"""A state directory for each test of settings and assembly, and the terminal that looks at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.authority import TurnedClock
from tests.support.terminal import Terminal, copy_state, found_state, stop_clocks


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authority that every test gets a copy of."""
    state = tmp_path_factory.mktemp("founded") / "state"
    found_state(state)
    return state


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> TurnedClock:
    return stop_clocks(monkeypatch)


@pytest.fixture
def terminal(founded: Path, clock: TurnedClock, tmp_path: Path) -> Terminal:
    return Terminal(copy_state(founded, tmp_path / "state"), clock)
