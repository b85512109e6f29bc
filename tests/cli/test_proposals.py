"""`jpki proposals`: two people at one terminal, each with a key of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from tests.support.officers import AOI, KEN
from tests.support.requests import make_request
from tests.support.terminal import Terminal
from tests.verifiers.test_alone import CONTENTS
from tracers.planting import KIND as TRACERS


@pytest.fixture
def office(terminal: Terminal) -> tuple[Path, Path]:
    """The folders of the two founding officers."""
    for name in ("aoi", "ken"):
        terminal.do("parties", "add", "operator", name)
    folders = terminal.state / "credentials"
    return folders / "operator-aoi", folders / "operator-ken"


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    path = tmp_path / "rin.csr"
    path.write_bytes(make_request("rsa"))
    return path


def propose_rin(terminal: Terminal, officer: Path, request: Path, out: Path) -> str:
    """The id of a proposal to have a third officer."""
    words = ("proposals", "officer", "rin", "--request", request, "--out", out, "--reason", "she joins us")
    said = terminal.do(*words, "--officer", officer)
    assert "nothing was done" in said.err
    return said.out.split()[1]


def officers(terminal: Terminal) -> list[str]:
    return [row["name"] for row in terminal.do("parties", "list").rows if row["role"] == "operator"]


def test_a_third_officer_comes_by_two(
    terminal: Terminal, office: tuple[Path, Path], request_file: Path, tmp_path: Path
) -> None:
    aoi, ken = office
    id_ = propose_rin(terminal, aoi, request_file, tmp_path / "rin")
    assert officers(terminal) == ["aoi", "ken"]
    (row,) = terminal.do("proposals", "list").rows
    assert (row["id"], row["kind"], row["state"], row["proposed by"]) == (id_, "officer", "open", "operator:aoi")
    shown = {row["what"]: row["value"] for row in terminal.do("proposals", "show", id_).rows}
    assert (shown["content: name"], shown["reason"]) == ("rin", "she joins us")
    own = terminal("proposals", "confirm", id_, "--officer", aoi)
    assert (own.code, "refused (second-officer)" in own.err) == (1, True)
    assert officers(terminal) == ["aoi", "ken"]
    terminal.do("proposals", "confirm", id_, "--officer", ken)
    assert officers(terminal) == ["aoi", "ken", "rin"]
    assert (tmp_path / "rin" / "client.pem").read_bytes().startswith(b"-----BEGIN CERTIFICATE")
    again = terminal("proposals", "confirm", id_, "--officer", ken)
    assert (again.code, "the proposal is confirmed already" in again.err) == (1, True)
    (decided,) = terminal.do("proposals", "list", "--all").rows
    assert (decided["state"], decided["decided by"]) == ("confirmed", "operator:ken")
    assert terminal.do("proposals", "list").rows == []
    terminal.do("audit", "verify")


def test_the_terminal_alone_adds_two_officers_and_touches_none(
    terminal: Terminal, office: tuple[Path, Path], tmp_path: Path
) -> None:
    fingerprint = next(
        row["credential (SHA-256)"] for row in terminal.do("parties", "list").rows if row["name"] == "aoi"
    )
    for words in (
        ("parties", "add", "operator", "puppet"),
        ("parties", "add", "operator", "ken", "--out", tmp_path / "copy"),
        ("parties", "suspend", "operator", "ken"),
        ("parties", "withdraw", fingerprint),
    ):
        said = terminal(*words)
        assert (said.code, "refused (second-officer)" in said.err) == (1, True), words
    assert officers(terminal) == ["aoi", "ken"]
    assert not (tmp_path / "copy").exists()
    assert office[0].exists()


def test_a_proposal_is_dismissed_or_made_from_a_file(
    terminal: Terminal, office: tuple[Path, Path], tmp_path: Path
) -> None:
    content = tmp_path / "content.json"
    content.write_text(json.dumps({"name": "aoi"}), "utf-8")
    words = ("proposals", "make", "officer-end", "--content", content, "--reason", "she leaves", "--officer", office[0])
    id_ = terminal.do(*words).out.split()[1]
    terminal.do("proposals", "dismiss", id_, "--reason", "she stays", "--officer", office[1])
    assert terminal.do("proposals", "list", "--all").rows[0]["state"] == "dismissed"
    content.write_text("[]", "utf-8")
    assert terminal(*words).code == 2
    kinds = [row["kind"] for row in terminal.do("proposals", "kinds").rows]
    assert set(kinds) == {*CONTENTS, TRACERS}  # so that each is tried by one person, in tests/verifiers/test_alone.py


def test_an_officer_may_keep_the_key_under_a_passphrase(
    terminal: Terminal, office: tuple[Path, Path], request_file: Path, tmp_path: Path
) -> None:
    file = office[0] / "client.key"
    key = load_pem_private_key(file.read_bytes(), None)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"good words")))
    words = (
        "proposals",
        "officer",
        "rin",
        "--request",
        request_file,
        "--out",
        tmp_path / "rin",
        "--reason",
        "she joins us",
    )
    assert terminal(*words, "--officer", office[0], typed="bad words\n").code == 1
    assert terminal.do(*words, "--officer", office[0], typed="good words\n").out.startswith("proposal\t")


@pytest.mark.parametrize("spoil", ["another key", "no key", "a stranger"])
def test_a_folder_that_is_no_officers_is_refused(
    spoil: str, terminal: Terminal, office: tuple[Path, Path], request_file: Path, tmp_path: Path
) -> None:
    folder = AOI.write(tmp_path / "folder")
    if spoil == "another key":
        (folder / "client.key").write_bytes((KEN.write(tmp_path / "ken") / "client.key").read_bytes())
    if spoil == "no key":
        (folder / "client.key").write_bytes(b"nothing")
    words = (
        "proposals",
        "officer",
        "rin",
        "--request",
        request_file,
        "--out",
        tmp_path / "rin",
        "--reason",
        "she joins us",
    )
    said = terminal(*words, "--officer", folder)
    assert said.code == 1
    assert ("refused (unknown-caller)" if spoil == "a stranger" else "refused (bad-configuration)") in said.err
    assert terminal.do("proposals", "list").rows == []
    assert office[0].exists()
