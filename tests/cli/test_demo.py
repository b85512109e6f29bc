"""The demonstration: it tells its story with OpenSSL agreeing at every step, and can be told again."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from cli.stage import MARK

ROOT = Path(__file__).parents[2]


def tell(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", "demo", "--once", "--directory", str(directory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


@pytest.mark.interop
def test_the_story_ends_with_everything_in_agreement_and_can_be_told_again(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    for _ in range(2):
        told = tell(directory)
        assert told.returncode == 0, told.stdout + told.stderr
        assert told.stdout.count(": good") == 6
        assert told.stdout.count(": revoked") >= 6
        assert told.stdout.rstrip().endswith("database, OCSP, lists and audit trail agree")
    assert (directory / MARK).exists()


def test_a_demonstration_that_is_running_is_left_alone(tmp_path: Path) -> None:
    with (tmp_path / MARK).open("ab") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        told = tell(tmp_path)
    assert told.returncode == 1
    assert "a demonstration is running in" in told.stderr
    assert (tmp_path / MARK).exists()


def test_a_directory_that_is_no_demonstration_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    told = tell(tmp_path)
    assert told.returncode == 1
    assert "will not be touched" in told.stderr
    assert (tmp_path / "precious").read_text() == "kept"
