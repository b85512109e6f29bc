"""The kit's README: its ten lines log somebody in, and its commands print what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from domain.certificates import Kind
from jpki_verify import Code, Verifier
from tests.docs.test_commands import commands_in
from tests.support.authority import NOW, make_issuer
from tests.support.documents import Block, blocks, read
from tests.support.operator import card_signs, write_settings
from tests.support.requests import holder_key
from tests.support.specimens import at_hand, holder_certificate

DOCUMENT = "kit/README.md"


def blocks_of(language: str) -> list[Block]:
    return [block for block in blocks(read(DOCUMENT)) if block.about == language]


def log_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, credential: Path, signer: int) -> dict[str, Any]:
    """What the ten lines leave behind when the card holds that key."""
    (block,) = blocks_of("python")
    lines = [line for line in block.text.splitlines() if line.strip()]
    assert len(lines) <= 10 + 1, "an import, and ten lines"
    write_settings(tmp_path / "operator", [make_issuer(Kind.AUTHENTICATION)], credential)
    monkeypatch.chdir(tmp_path / "operator")
    real_open = Verifier.open
    monkeypatch.setattr(Verifier, "open", lambda path: at_hand(real_open(path, clock=lambda: NOW)))
    certificate = holder_certificate("authentication-rsa2048")
    said: dict[str, Any] = {"session": {}, "codes": []}
    said["show"] = said["codes"].append
    said["ask_card_to_sign"] = lambda text: (certificate, card_signs(holder_key("rsa", signer), text.encode()))
    exec(compile(block.text, DOCUMENT, "exec"), said)  # noqa: S102 - they are ours, and this is what they are for
    return said


def test_the_ten_lines_log_somebody_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, credential: Path) -> None:
    said = log_in(tmp_path, monkeypatch, credential, signer=0)
    assert said["codes"] == []
    assert said["session"] == {"person": said["person"].handle}


def test_the_ten_lines_refuse_another_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, credential: Path) -> None:
    said = log_in(tmp_path, monkeypatch, credential, signer=1)
    assert said["codes"] == [Code.BAD_SIGNATURE]
    assert said["session"] == {}


def test_the_commands_print_what_is_shown(tmp_path: Path) -> None:
    shim = tmp_path / "bin" / "jpki-verify"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m jpki_verify "$@"\n')
    shim.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    path = os.pathsep.join((str(shim.parent), os.environ["PATH"]))
    environment = {"PATH": path, "LANG": "C.UTF-8", "PYTHONPATH": str(Path("kit").resolve())}
    shown = [row for block in blocks_of("console") for row in commands_in(block)]
    assert len(shown) >= 2
    for command, wanted in shown:
        done = subprocess.run(
            ["sh", "-c", command], cwd=work, env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stdout == wanted
