"""`jpki municipalities`: find one, enrol it, hand it its credential."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from tests.support.requests import holder_key, make_request
from tests.support.terminal import Terminal


def test_the_list_holds_every_municipality_in_two_scripts(terminal: Terminal) -> None:
    rows = terminal.do("municipalities", "list").rows
    assert len(rows) == 1741
    assert {
        "code": "132217",
        "prefecture": "東京都",
        "name": "清瀬市",
        "prefecture (romanised)": "Tokyo-to",
        "name (romanised)": "Kiyose-shi",
    } in rows


@pytest.mark.parametrize("text", ["清瀬", "kiyose", "132217"])
def test_the_list_can_be_searched_in_any_column(text: str, terminal: Terminal) -> None:
    assert [row["name"] for row in terminal.do("municipalities", "list", "--search", text).rows] == ["清瀬市"]


def test_the_list_needs_no_state_directory(terminal: Terminal, tmp_path: Path) -> None:
    assert Terminal(tmp_path / "nowhere", terminal.clock).do("municipalities", "list").rows


def test_enrolling_writes_a_credential_into_the_state_directory(terminal: Terminal) -> None:
    said = terminal.do("municipalities", "enrol", "132128")
    folder = terminal.state / "credentials" / "municipality-132128"
    assert said.out == f"東京都日野市 (132128) may now call the API; its credential: {folder}\n"
    assert {path.name for path in folder.iterdir()} == {"authority.pem", "client.key", "client.pem"}
    assert "132128" in [row["name"] for row in terminal.do("parties", "list").rows]


def test_a_credential_can_be_written_elsewhere_for_a_key_made_elsewhere(terminal: Terminal, tmp_path: Path) -> None:
    request = tmp_path / "request.der"
    request.write_bytes(make_request("ec"))
    terminal.do("municipalities", "enrol", "132128", "--out", tmp_path / "out", "--request", request, "--days", "30")
    certificate = x509.load_pem_x509_certificate((tmp_path / "out" / "client.pem").read_bytes())
    assert certificate.public_key() == holder_key("ec").public_key()
    assert (certificate.not_valid_after_utc - terminal.clock.now).days == 30


def test_enrolling_again_asks_for_another_folder(terminal: Terminal, tmp_path: Path) -> None:
    terminal.do("municipalities", "enrol", "132128")
    said = terminal("municipalities", "enrol", "132128")
    assert said.code == 1
    assert "will not be overwritten; choose another with --out" in said.err
    terminal.do("municipalities", "enrol", "132128", "--out", tmp_path / "second")
    assert [row["name"] for row in terminal.do("parties", "list").rows].count("132128") == 2


@pytest.mark.parametrize(
    ("code", "why"),
    [
        pytest.param("132218", "the municipality code's check digit is wrong", id="a wrong check digit"),
        pytest.param("kiyose", "a municipality code has six digits", id="a name"),
        pytest.param("131008", "no municipality has this code; see: jpki municipalities list", id="nobody's code"),
    ],
)
def test_a_code_that_names_no_municipality_is_wrong_usage(code: str, why: str, terminal: Terminal) -> None:
    said = terminal("municipalities", "enrol", code)
    assert said.code == 2
    assert why in said.err


@pytest.mark.parametrize("days", ["0", "-1", "100000", "many"])
def test_a_life_that_is_none_is_wrong_usage(days: str, terminal: Terminal) -> None:
    assert terminal("municipalities", "enrol", "132128", "--days", days).code == 2
