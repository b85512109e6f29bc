"""`jpki` itself: help, version, lazy subcommands, and what each failure says and leaves behind as its exit code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from unittest.mock import patch

import click
import pytest

from cli.main import COMMANDS, jpki
from config.document import ConfigurationFaults
from domain.errors import Code, Refusal
from tests.support.terminal import Terminal

ROOT = Path(__file__).parents[2]
NAMES = [name for group in COMMANDS.values() for name in group]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


@contextmanager
def failing_with(error: BaseException) -> Iterator[None]:
    """Every subcommand fails like this, whatever it is."""
    with patch("cli.main.CommandTable.get_command", side_effect=error):
        yield


def subcommands(name: str) -> list[click.Command]:
    command = jpki.get_command(click.Context(jpki), name)
    assert command is not None
    return [command, *(command.commands.values() if isinstance(command, click.Group) else ())]


def test_help_lists_every_command_under_its_topic(terminal: Terminal) -> None:
    said = terminal.do("--help")
    positions = [said.out.index(f"\n{title}:\n") for title in COMMANDS]
    assert positions == sorted(positions)
    assert all(f"\n  {name} " in said.out for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_command_exists_and_says_what_it_does(name: str) -> None:
    for command in subcommands(name):
        assert command.help
        assert command.help.split("\n\n")[0].rstrip().endswith("."), f"{name} {command.name}"
    assert subcommands(name)[0].name == name


@pytest.mark.parametrize("name", NAMES)
def test_every_option_says_what_it_is_for(name: str) -> None:
    options = [p for command in subcommands(name) for p in command.params if isinstance(p, click.Option)]
    assert all(option.help for option in options if option.name not in ("kind", "language"))


@pytest.mark.parametrize("name", NAMES)
def test_every_commands_help_can_be_shown_without_a_state_directory(
    name: str, terminal: Terminal, tmp_path: Path
) -> None:
    assert Terminal(tmp_path / "nowhere", terminal.clock).do(name, "--help").out.startswith("Usage:")


def test_an_unknown_command_is_wrong_usage(terminal: Terminal) -> None:
    said = terminal("isue")
    assert said.code == 2
    assert "No such command 'isue'" in said.err


def test_the_version_is_that_of_the_source_where_nothing_is_installed(terminal: Terminal) -> None:
    with patch("importlib.metadata.version", side_effect=metadata.PackageNotFoundError):
        assert terminal.do("--version").out == "jpki 0.1.0 (from source)\n"


def test_the_version_is_that_of_the_installed_distribution(terminal: Terminal) -> None:
    with patch("importlib.metadata.version", return_value="7.8.9"):
        assert terminal.do("--version").out == "jpki 7.8.9\n"


def test_a_refusal_is_told_with_its_facts(terminal: Terminal) -> None:
    refusal = Refusal(Code.LINT, "see what is wrong", facts={"fields": ["a", "b"], "count": 2})
    with failing_with(refusal):
        said = terminal("check")
    assert (said.code, said.out) == (1, "")
    assert said.err == "refused (lint): see what is wrong\n  fields: a, b\n  count: 2\n"


def test_all_faults_of_a_configuration_are_told(terminal: Terminal) -> None:
    with failing_with(ConfigurationFaults(["this", "that"])):
        said = terminal("check")
    assert said.code == 2
    assert said.err == "The configuration has faults:\n  - this\n  - that\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), EOFError()], ids=["ctrl-c", "ctrl-d"])
def test_an_interruption_is_130(error: BaseException, terminal: Terminal) -> None:
    with failing_with(error):
        said = terminal("check")
    assert said.code == 130
    assert said.err.splitlines()[-1] == "interrupted"


def test_what_the_system_refuses_is_told_by_file(terminal: Terminal) -> None:
    with failing_with(PermissionError(13, "Permission denied", "/somewhere")):
        said = terminal("check")
    assert said.code == 1
    assert said.err == "the system refused: Permission denied: /somewhere\n"


def test_a_fault_of_the_program_tells_where_it_happened_and_not_what_it_held(terminal: Terminal) -> None:
    with failing_with(ValueError("霧島　透子, code 92939297270")):
        said = terminal("check")
    assert said.code == 70
    assert "ValueError at " in said.err
    assert "main.py:" in said.err
    assert "霧島" not in said.err
    assert "92939297270" not in said.err


@pytest.mark.parametrize("name", ["crl", "municipalities", "verifiers", "parties", "residents", "responders", "audit"])
def test_groups_print_their_help_when_no_subcommand_is_named(name: str, terminal: Terminal) -> None:
    said = terminal(name)
    assert said.code == 2
    assert "Commands:" in said.err


@pytest.mark.parametrize(
    "words",
    [
        ("check-config",),
        ("serve",),
        ("serve", "publisher"),
        ("serve", "api"),
        ("crl", "list"),
        ("crl", "publish"),
        ("responders", "list"),
        ("responders", "renew"),
        ("check",),
        ("audit", "verify"),
        ("audit", "head"),
        ("verifiers", "list"),
        ("parties", "list"),
        ("policy", "profiles"),
        ("municipalities", "enrol", "132217"),
        ("explain", "--resident", "92939297270"),
        ("revoke", "--resident", "92939297270", "--cause", "key-report"),
    ],
    ids=" ".join,
)
def test_without_a_state_directory_commands_say_how_to_make_one(
    words: tuple[str, ...], terminal: Terminal, tmp_path: Path
) -> None:
    said = Terminal(tmp_path / "nowhere", terminal.clock)(*words)
    assert said.code == 2
    assert "make one with: jpki init" in said.err
    assert not (tmp_path / "nowhere").exists()


def test_a_process_leaves_with_these_codes() -> None:
    assert run("--version").stdout == "jpki 0.1.0 (from source)\n" or run("--version").stdout == "jpki 0.1.0\n"
    assert run("policy", "revocation").returncode == 0
    nowhere = run("--state", "nowhere", "check-config")
    assert nowhere.returncode == 2
    assert nowhere.stderr.startswith("The configuration has faults:\n  - there is no jpki.toml in nowhere")


def test_help_loads_no_part_that_it_does_not_need() -> None:
    heavy = {"alembic", "cryptography", "flask", "gunicorn", "rich", "sqlalchemy", "config.assemble"}
    program = (
        "import sys, cli.main\n"
        "try: cli.main.main(['--help'])\n"
        f"except SystemExit: sys.exit(','.join({heavy} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("Usage:")
    assert done.stderr.strip() == ""
