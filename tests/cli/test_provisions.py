"""Provisions at the terminal: what residents see of themselves, and what two officers open."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from cli.publisher import go_round
from domain.certificates import IssuerId
from domain.provisions import Channel, Provision
from tests.support.requests import holder_key
from tests.support.terminal import Terminal, issue_pair


@pytest.fixture
def told(terminal: Terminal, tmp_path: Path) -> Terminal:
    """A pair whose authentication certificate somebody asked about, once, and a segment that is filed."""
    issue_pair(terminal, tmp_path / "pair")
    certificate = x509.load_der_x509_certificate(authentication(tmp_path).read_bytes())
    with closing(terminal.services()) as services:
        asked = certificate.serial_number.to_bytes(16)
        issuer = IssuerId("authentication-g1")
        services.record(Provision(terminal.clock.now, None, None, "log-in", issuer, Channel.OCSP, asked, "good"))
        services.record.close()
        go_round(services)
    return terminal


def authentication(folder: Path) -> Path:
    return folder / "pair" / "authentication.cer"


def sign(tmp_path: Path, number: int = 1) -> Path:
    key = holder_key("rsa", number)
    assert isinstance(key, rsa.RSAPrivateKey)
    path = tmp_path / "signature"
    path.write_bytes(key.sign((tmp_path / "challenge").read_bytes(), padding.PKCS1v15(), hashes.SHA256()))
    return path


def test_residents_see_who_was_told_about_them(told: Terminal, tmp_path: Path) -> None:
    told.do("residents", "ledger", "challenge", "--out", tmp_path / "challenge")
    words = ("residents", "ledger", "show", "--certificate", authentication(tmp_path))
    files = ("--challenge", tmp_path / "challenge", "--signature", sign(tmp_path))
    (row,) = told.do(*words, *files).rows
    assert row["利用目的・purpose"] == "log-in"
    assert row["提供先・verifier"] == "不特定の者（公開ファイル）・anybody (public file)"
    assert row["回答・answer"] == "有効・good"
    again = told(*words, *files)
    assert (again.code, "refused (already-applied)" in again.err) == (1, True)
    assert [event["act"] for event in told.audit()][-1] == "ledger-disclosed"


def test_the_terminal_alone_sees_nobody(told: Terminal, tmp_path: Path) -> None:
    told.do("residents", "ledger", "challenge", "--out", tmp_path / "challenge")
    words = ("residents", "ledger", "show", "--certificate", authentication(tmp_path))
    said = told(*words, "--challenge", tmp_path / "challenge", "--signature", sign(tmp_path, 0))
    assert (said.code, "refused (bad-proof)" in said.err) == (1, True)
    assert "log-in" not in said.out


def test_two_officers_open_what_they_agreed_on(told: Terminal, tmp_path: Path) -> None:
    for name in ("aoi", "ken"):
        told.do("parties", "add", "operator", name)
    folders = told.state / "credentials"
    shares = sorted((folders / "unlocking").iterdir())
    assert [share.name for share in shares] == ["share-1-of-3", "share-2-of-3", "share-3-of-3"]
    content = tmp_path / "content.json"
    content.write_text(json.dumps({"from": "2027-04-01", "until": "2027-04-30"}))
    words = ("proposals", "make", "provisions-unlock", "--content", content, "--reason", "an order of the court")
    id_ = told.do(*words, "--officer", folders / "operator-aoi").out.split()[1]
    opening = ("provisions", "open", id_, "--share", shares[0], "--share", shares[1])
    said = told(*opening)
    assert ("want a confirmed proposal" in said.err, said.out) == (True, "")
    told.do("proposals", "confirm", id_, "--officer", folders / "operator-ken")
    assert told("provisions", "open", id_, "--share", shares[0]).code == 2
    assert "two copies of one share" in told("provisions", "open", id_, "--share", shares[0], "--share", shares[0]).err
    assert "copied wrong" in told("provisions", "open", id_, "--share", shares[0], "--share", content).err
    (row,) = told.do(*opening).rows
    assert (row["purpose"], row["about"]) == ("log-in", "authentication certificate of application 1")
    assert [event["act"] for event in told.audit()][-1] == "provisions-unlocked"
    told.do("audit", "verify")


def test_segments_are_listed_and_filed_by_hand_and_damage_is_found(told: Terminal) -> None:
    (row,) = told.do("provisions", "list").rows
    assert (row["records"], row["damaged"], row["erased"]) == ("1", "0", "")
    assert told.do("provisions", "file").out == "0 segments with 0 records filed\n"
    told.do("check")
    (path,) = (told.state / "provisions").glob("*/*.provisions")
    path.write_bytes(path.read_bytes()[:-1])
    said = told("check")
    assert said.code == 1
    assert "was changed or cut after it was filed" in said.err


def test_states_of_older_versions_get_keys_by_an_upgrade(terminal: Terminal) -> None:
    certs = terminal.state / "certs"
    for path in certs.glob("provisions-*.pub"):
        path.unlink()
    (terminal.state / "secrets" / "provisions").unlink()
    shutil.rmtree(terminal.state / "credentials" / "unlocking")
    assert terminal("check-config").code == 2
    assert "hand the shares in" in terminal.do("upgrade").out
    assert "no faults" in terminal.do("check-config").out
    assert "shares" not in terminal.do("upgrade").out
