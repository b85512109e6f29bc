"""The commands in the documents work as printed: each document's blocks run in order, in a folder of their own."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from select import poll

import click
import pytest

from cli.main import jpki
from tests.support.documents import ROOT, Block, blocks, read

DOCUMENTS = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
SHELL = ("sh", "console")
TYPED = "92939297270\n"
"""What a person types where a command reads the resident code: a fictional resident of the sample file."""

PATIENCE = 60
"""Seconds for a service to end."""

_SHIM = """\
#!{python}
import os, sys
from cli.main import main
words = sys.argv[1:]
if "init" in words and "--api" not in words:
    words += ["--api", "{api}", "--status", "{status}"]
if "serve" in words:
    with open("{pids}", "a") as pids:
        print(os.getpid(), file=pids)
main(words)
"""

_KIT = """\
#!/bin/sh
{python} -m jpki_verify "$@" || exit $?
case " $* " in *" init "*) sed -i 's/127.0.0.1:8443/{api}/; s/127.0.0.1:8080/{status}/' jpki-verify.toml ;; esac
"""


def commands_in(block: Block) -> list[tuple[str, str]]:
    """(command, what it prints) of a console block; a shell block is one command, of which nothing is said."""
    if block.about.split()[0] == "sh":
        return [(block.text, "")]
    found: list[tuple[str, str]] = []
    for line in block.text.splitlines():
        command, printed = found[-1] if found else ("", "")
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif command.endswith("\\"):
            found[-1] = (f"{command}\n{line.removeprefix('> ')}", "")
        else:
            found[-1] = (command, f"{printed}{line}\n")
    return found


def shell_blocks(document: str) -> list[Block]:
    return [block for block in blocks(read(document)) if block.about.split()[:1] and block.about.split()[0] in SHELL]


def runs(document: str, block: Block) -> bool:
    """Whether a block is run. In the README only the one that begins with an authority of its own, since the others
    are examples; `not run:` behind the language says why a block is not."""
    return "not run:" not in block.about and (document != "README.md" or "jpki init" in block.text)


def runnable(document: str) -> list[Block]:
    return [block for block in shell_blocks(document) if runs(document, block)]


class Session:
    """A folder with a `jpki` on the path that listens on free ports; what it started ends with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        (self.folder / "config").symlink_to(ROOT / "config")
        self._pids = folder / "pids"
        self._pids.touch()
        with socket.socket() as api, socket.socket() as status:
            for probe in (api, status):
                probe.bind(("127.0.0.1", 0))
            self.api, self.status = (f"127.0.0.1:{probe.getsockname()[1]}" for probe in (api, status))
        self._shim = shim = folder / "bin" / "jpki"
        shim.parent.mkdir()
        shim.write_text(_SHIM.format(python=sys.executable, api=self.api, status=self.status, pids=self._pids))
        shim.chmod(0o755)
        kit = shim.with_name("jpki-verify")
        kit.write_text(_KIT.format(python=sys.executable, api=self.api, status=self.status))
        kit.chmod(0o755)
        self._environment = {
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "PATH": os.pathsep.join((str(shim.parent), str(Path(sys.executable).parent), os.environ["PATH"])),
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "kit"))),
        }

    def run(self, command: str) -> str:
        """What the command printed. A `jpki serve` that a terminal would be left to runs on in the background."""
        text = command.replace("127.0.0.1:8443", self.api).replace("127.0.0.1:8080", self.status)
        waits = (
            f"jpki serve 2>> serve.log &\ncurl -s --retry 30 --retry-delay 1 --retry-all-errors {self.status}/healthz"
        )
        text = re.sub(r"^jpki serve$", waits, text, flags=re.MULTILINE)
        printed, said = self.folder.parent / "stdout", self.folder.parent / "stderr"
        with printed.open("wb") as out, said.open("wb") as err:  # a pipe would be held open by what runs on
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", text],
                cwd=self.folder,
                env=self._environment,
                input=TYPED.encode(),
                stdout=out,
                stderr=err,
                timeout=120,
                check=False,
            )
        assert done.returncode == 0, f"{command}\n{printed.read_text()}\n{said.read_text()}"
        return printed.read_text("utf-8")

    def close(self) -> None:
        """End what was started and still runs; the number of what has ended may belong to somebody else by now."""
        for pid in map(int, self._pids.read_text().split()):
            with suppress(ProcessLookupError, FileNotFoundError):
                process = os.pidfd_open(pid)
                if str(self._shim) in Path(f"/proc/{pid}/cmdline").read_text("utf-8"):
                    signal.pidfd_send_signal(process, signal.SIGTERM)
                    ended = poll()
                    ended.register(process)
                    assert ended.poll(PATIENCE * 1000), "a service does not end"
                os.close(process)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    opened = Session(tmp_path)
    try:
        yield opened
    finally:
        opened.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("document", [document for document in DOCUMENTS if runnable(document)])
def test_every_block_runs(document: str, session: Session) -> None:
    checker = doctest.OutputChecker()
    for block in runnable(document):
        for command, wanted in commands_in(block):
            printed = session.run(command)
            if wanted:
                assert checker.check_output(wanted, printed, doctest.ELLIPSIS), f"line {block.line}: {printed}"


def test_the_runbook_and_the_readme_have_commands_that_run() -> None:
    assert len(runnable("docs/runbook.md")) > 10
    assert runnable("README.md")


def test_few_blocks_are_not_run_and_each_says_why() -> None:
    resting = [
        (document, block.about)
        for document in DOCUMENTS
        for block in shell_blocks(document)
        if "not run:" in block.about
    ]
    assert len(resting) <= 6
    for document, about in resting:
        assert re.fullmatch(r"(sh|console) not run: \w.{5,}", about), document


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_of_ours_exists_with_its_options(document: str) -> None:
    for block in shell_blocks(document):
        text = block.text.replace("\\\n", " ")
        for line in re.findall(r"(?:^|\| |&& |; |\$ )((?:\S*/)?jpki .*)", text, re.MULTILINE):
            words = shlex.split(re.split(r" (?:\||&&|\|\||[0-9]?>>?|&)(?: |$)", line)[0], comments=True)
            assert unknown_in(words[1:]) == [], f"{document}, line {block.line}: {line}"


def unknown_in(words: list[str]) -> list[str]:
    """The commands and options among the words that `jpki` does not have."""
    command: click.Command = jpki
    known = options_of(jpki)
    unknown: list[str] = []
    rest = iter(words)
    for word in rest:
        if word.startswith("--"):
            name, _, value = word.partition("=")
            unknown += [word] if name not in known else []
            if known.get(name) and not value:
                next(rest, None)
        elif isinstance(command, click.Group):
            found = command.get_command(click.Context(command), word)
            if found is None:
                return [*unknown, word]
            command = found
            known = known | options_of(command)
    return unknown


def options_of(command: click.Command) -> dict[str, bool]:
    """The options, and whether a value follows."""
    return {
        name: isinstance(parameter, click.Option) and not parameter.is_flag and not parameter.count
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
    }


def test_a_command_that_is_not_there_would_be_noticed() -> None:
    assert unknown_in(["--state", "x", "crl", "publish", "--force"]) == []
    assert unknown_in(["crl", "print"]) == ["print"]
    assert unknown_in(["crl", "publish", "--fast"]) == ["--fast"]
    assert unknown_in(["revoke", "--resident", "-", "receive"]) == ["receive"]


def test_what_a_document_shows_is_compared_with_what_is_printed() -> None:
    (block,) = blocks("```console\n$ echo one \\\n> two\none two\n$ true\n```\n")
    assert commands_in(block) == [("echo one \\\ntwo", "one two\n"), ("true", "")]
