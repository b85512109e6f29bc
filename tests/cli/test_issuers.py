"""Key generations: shown, and founded beside the old ones when the settings name new ones."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import jpki
from store.work import SqlUnitOfWork

NEW = """
[[issuer]]
id = "signature-g3"
kind = "signature"
generation = "g3"
profile = "signature-rsa2048"
authority_profile = "ca-rsa2048"
issuing = false
"""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "state"
    assert run(path, "init").exit_code == 0
    assert run(path, "municipalities", "enrol", "132217").exit_code == 0
    return path


def run(state: Path, *arguments: str):  # type: ignore[no-untyped-def]
    return CliRunner().invoke(jpki, ["--state", str(state), *arguments])


def test_every_issuer_is_listed_with_its_key(state: Path) -> None:
    listed = run(state, "issuers", "list")
    assert [line.split("\t")[0] for line in listed.output.splitlines()] == [
        "issuer",
        "signature-g1",
        "authentication-g1",
        "signature-g2",
        "authentication-g2",
    ]


def test_nothing_is_founded_twice(state: Path) -> None:
    assert run(state, "issuers", "found").output.startswith("0 founded")


def test_a_new_generation_is_founded_under_the_old_name_with_a_key_and_lists_of_its_own(state: Path) -> None:
    settings = state / "jpki.toml"
    settings.write_text(settings.read_text("utf-8") + NEW, "utf-8")
    assert run(state, "issuers", "found").output.startswith("1 founded: signature-g3")
    assert run(state, "check-config").exit_code == 0
    rows = [line.split("\t") for line in run(state, "issuers", "list").output.splitlines()]
    keys = {row[0]: row[5] for row in rows[1:]}
    assert keys["signature-g3"] != keys["signature-g1"]
    published = run(state, "crl", "publish")
    assert published.output.splitlines()[-1].startswith("10 published")
    assert run(state, "check").exit_code == 0


def test_a_founding_that_was_cut_off_before_it_was_recorded_is_finished(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = state / "jpki.toml"
    settings.write_text(settings.read_text("utf-8") + NEW, "utf-8")
    commit = SqlUnitOfWork.commit
    monkeypatch.setattr(SqlUnitOfWork, "commit", lambda _: sys.exit(9))
    assert run(state, "issuers", "found").exit_code == 9
    monkeypatch.setattr(SqlUnitOfWork, "commit", commit)
    assert run(state, "issuers", "found").output.startswith("1 founded: signature-g3")
    assert run(state, "issuers", "found").output.startswith("0 founded")
    assert run(state, "crl", "publish").output.splitlines()[-1].startswith("10 published")
    assert run(state, "check").exit_code == 0


def test_an_issuer_with_half_of_its_files_is_refused_by_name(state: Path) -> None:
    (state / "certs" / "signature-g2.cer").unlink()
    refused = run(state, "issuers", "found")
    assert refused.exit_code != 0
    assert "signature-g2" in str(refused.exception)


def test_faults_of_the_settings_and_of_what_they_name_are_told_together(state: Path) -> None:
    settings = state / "jpki.toml"
    text = settings.read_text("utf-8").replace("lifetime_hours = 48", "lifetime_hours = 2")
    settings.write_text(text.replace('profile = "signature-p384"', 'profile = "gone"'), "utf-8")
    (state / "secrets" / "resident-seal").unlink()
    told = str(run(state, "check-config").exception)
    for part in ("lifetime", "gone", "resident-seal"):
        assert part in told
