"""`jpki residents rotate-keys`: from one generation of keys to the next, by steps that may be repeated."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from config.files import read_keys
from config.settings import load
from domain.code_keys import CodePart
from tests.support.terminal import HOLDER, RESIDENTS, Terminal

ROTATE = ("residents", "rotate-keys")


def generations(terminal: Terminal) -> tuple[set[int], set[int]]:
    """Of the two secrets."""
    secrets = load(terminal.state).secrets
    return set(read_keys(secrets.resident_index)), set(read_keys(secrets.resident_seal))


def table(terminal: Terminal) -> dict[str, str]:
    """What each generation is."""
    lines = terminal.do(*ROTATE, "status").out.split("\n\n")[0].splitlines()
    return dict(line.split("\t")[:2] for line in lines[1:])


def explained(terminal: Terminal) -> int:
    """Whether the holder is found by code."""
    return terminal("explain", "--resident", "-", typed=HOLDER["resident_code"]).code


def test_from_one_generation_to_the_next(terminal: Terminal) -> None:
    assert table(terminal) == {"1": "written with"}
    begun = terminal.do(*ROTATE, "begin")
    assert "generation 2 is at hand and on record; nothing is made with it yet" in begun.out
    assert generations(terminal) == ({1, 2}, {1, 2})
    assert table(terminal) == {"1": "written with", "2": "at hand, not used yet"}
    run = terminal.do(*ROTATE, "run", "--everywhere", "--batch", "7")
    assert "everything is made with generation 2 from now on" in run.out
    assert table(terminal) == {"1": "read with", "2": "written with"}
    moved = [line.split("\t")[:3] for line in terminal.do(*ROTATE, "status").out.split("\n\n")[1].splitlines()]
    assert moved[1] == [CodePart.RESIDENTS.value, str(len(RESIDENTS)), str(len(RESIDENTS))]
    finished = terminal.do(*ROTATE, "finish")
    assert finished.out == "retired: 1\nreload the services, so that they forget it\n"
    assert generations(terminal) == ({2}, {2})
    assert table(terminal) == {"1": "retired", "2": "written with"}
    assert explained(terminal) == 0
    assert terminal.do("check-config").code == terminal.do("check").code == 0


def test_every_step_may_be_repeated(terminal: Terminal) -> None:
    assert terminal.do(*ROTATE, "begin").out == terminal.do(*ROTATE, "begin").out
    terminal.do(*ROTATE, "run", "--everywhere")
    assert terminal.do(*ROTATE, "run").out == "every row is moved; next: jpki residents rotate-keys finish\n"
    terminal.do(*ROTATE, "finish")
    assert terminal.do(*ROTATE, "finish").out.startswith("there was nothing to retire\n")
    assert terminal.do(*ROTATE, "run").out.startswith("every row is moved")
    assert explained(terminal) == 0


def test_the_first_run_wants_to_hear_that_the_keys_are_everywhere(terminal: Terminal) -> None:
    terminal.do(*ROTATE, "begin")
    said = terminal(*ROTATE, "run")
    assert (said.code, "--everywhere" in said.err) == (2, True)
    assert table(terminal)["2"] == "at hand, not used yet"


def test_the_new_secrets_are_their_owners_alone_and_the_old_keys_stay(terminal: Terminal) -> None:
    secrets = [terminal.state / "secrets" / name for name in ("resident-index", "resident-seal")]
    before = [path.read_text().strip() for path in secrets]
    terminal.do(*ROTATE, "begin")
    for path, old in zip(secrets, before, strict=True):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert f"1:{old}\n" in path.read_text()
    keys = {line.partition(":")[2] for path in secrets for line in path.read_text().split()}
    assert len(keys) == 4


def test_finishing_too_early_is_refused(terminal: Terminal) -> None:
    terminal.do(*ROTATE, "begin")
    assert terminal.do(*ROTATE, "finish").out.startswith("there was nothing to retire")
    assert generations(terminal) == ({1, 2}, {1, 2})


def test_a_second_rotation_follows_the_first(terminal: Terminal) -> None:
    for _ in range(2):
        terminal.do(*ROTATE, "begin")
        terminal.do(*ROTATE, "run", "--everywhere")
        terminal.do(*ROTATE, "finish")
    assert table(terminal) == {"1": "retired", "2": "retired", "3": "written with"}
    assert explained(terminal) == 0


def test_secrets_of_the_environment_are_brought_by_hand(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("index", "seal"):
        path = terminal.state / "secrets" / f"resident-{name}"
        monkeypatch.setenv(f"JPKI_TEST_{name.upper()}", path.read_text())
        terminal.change_settings(f'file = "secrets/resident-{name}"', f'env = "JPKI_TEST_{name.upper()}"')
    said = terminal(*ROTATE, "begin")
    assert (said.code, "add 2:<64 random hex digits>" in said.err) == (1, True)
    for name, digit in (("index", "a"), ("seal", "b")):
        path = terminal.state / "secrets" / f"resident-{name}"
        monkeypatch.setenv(f"JPKI_TEST_{name.upper()}", f"{path.read_text().strip()} 2:{digit * 64}")
    terminal.do(*ROTATE, "begin")
    terminal.do(*ROTATE, "run", "--everywhere")
    assert "environment variable JPKI_TEST_SEAL still holds a retired generation" in terminal.do(*ROTATE, "finish").out
    assert explained(terminal) == 0


def _swap(state: Path) -> None:
    path = state / "secrets" / "resident-index"
    path.write_text(f"{'ab' * 32}\n")


def _add_to_one(state: Path) -> None:
    path = state / "secrets" / "resident-seal"
    path.write_text(f"1:{path.read_text().strip()}\n2:{'cd' * 32}\n")


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        pytest.param(_swap, "generation 1 of the keys of resident codes is not that of this database", id="others"),
        pytest.param(_add_to_one, "hold keys of different generations", id="one is missing"),
    ],
)
def test_wrong_keys_are_found_before_anything_starts(terminal: Terminal, spoil: object, fault: str) -> None:
    assert callable(spoil)
    spoil(terminal.state)
    said = terminal("check-config")
    assert said.code == 2
    assert fault in said.out + said.err


def test_a_machine_without_the_new_keys_is_told_so(terminal: Terminal) -> None:
    secrets = terminal.state / "secrets"
    before = {name: (secrets / name).read_text() for name in ("resident-index", "resident-seal")}
    terminal.do(*ROTATE, "begin")
    for name, text in before.items():
        (secrets / name).write_text(text)
    said = terminal("check-config")
    assert "generation 2 of the keys of resident codes is in use and this process does not have it" in said.err
    assert explained(terminal) == 0, "nothing is made with it yet"
