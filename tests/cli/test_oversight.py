"""`jpki check`, `explain`, `audit` and `policy`: what auditors see, in words, and without protected data."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from config.rules import shipped_profiles
from tests.support.terminal import HOLDER, Terminal, issue_pair

CODE = HOLDER["resident_code"]


@pytest.fixture
def holder(terminal: Terminal, tmp_path: Path) -> Iterator[Terminal]:
    """A terminal where the holder's pair was issued, its signing certificate revoked, and all is published."""
    issue_pair(terminal, tmp_path / "pair")
    terminal.clock.forward(timedelta(minutes=1))
    terminal.do("revoke", "--resident", "-", "--cause", "key-report", "--kind", "signature", typed=CODE)
    terminal.do("crl", "publish")
    serials = [
        x509.load_der_x509_certificate(path.read_bytes()).serial_number for path in (tmp_path / "pair").glob("*.cer")
    ]
    assert len(serials) == 2
    yield terminal
    for words in (("check",), ("explain", "--resident", CODE), ("audit", "verify"), ("audit", "head"), ("crl", "list")):
        said = terminal(*words)
        for value in (CODE, *(HOLDER[item] for item in ("name", "address", "birth_date"))):
            assert value not in said.out + said.err
        assert not any(f"{serial:x}" in (said.out + said.err).lower() for serial in serials)


def tamper(terminal: Terminal, statement: str) -> None:
    """Change the database behind everybody's back."""
    with closing(sqlite3.connect(terminal.state / "jpki.db")) as connection, connection:
        assert connection.execute(statement).rowcount > 0


def test_where_all_is_well_everything_agrees(holder: Terminal) -> None:
    said = holder.do("check")
    assert said.out == "database, OCSP, lists and audit trail agree\n"


def test_faults_are_told_and_are_exit_code_1(holder: Terminal) -> None:
    tamper(holder, "UPDATE revocations SET revoked_at = revoked_at - 60")
    said = holder("check")
    assert said.code == 1
    assert "fault (certificates): the signature certificate of application 1 is revoked or held since an" in said.err
    assert "fault (lists): signature-g1/13221.crl: " in said.err
    assert said.err.splitlines()[-1] == "2 faults"


def test_notes_can_be_left_out(holder: Terminal) -> None:
    holder.clock.forward(timedelta(minutes=1))
    holder.do("revoke", "--resident", "-", "--cause", "card-lost", typed=CODE)
    assert "note (lists): " in holder.do("check").out
    assert holder.do("check", "--no-notes").out == "database, OCSP, lists and audit trail agree\n"


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("revoked", "signature")), ("ja", ("失効", "署名用"))],
)
def test_a_status_is_explained_in_two_languages(language: str, words: tuple[str, ...], holder: Terminal) -> None:
    said = holder.do("explain", "--resident", "-", "--language", language, typed=CODE)
    assert all(word in said.out for word in words)
    assert not said.out.endswith("\n\n")


def test_an_explanation_can_begin_at_an_application(holder: Terminal) -> None:
    by_resident = holder.do("explain", "--resident", CODE).out
    for kind in ("signature", "authentication"):
        told = holder.do("explain", "--application", "1", "--kind", kind).out.splitlines()
        assert set(told[1:]) < set(by_resident.splitlines())
        assert "1 certificates" in told[0]


@pytest.mark.parametrize(
    "words", [(), ("--resident", CODE, "--application", "1")], ids=["about nothing", "about two things"]
)
def test_an_explanation_is_about_one_thing(words: tuple[str, ...], terminal: Terminal) -> None:
    said = terminal("explain", *words)
    assert said.code == 2
    assert "give either --resident or --application" in said.err


@pytest.mark.parametrize("words", [("--resident", "25208017643"), ("--application", "99")], ids=["code", "application"])
def test_what_is_not_known_cannot_be_explained(words: tuple[str, ...], terminal: Terminal) -> None:
    said = terminal("explain", *words)
    assert said.code == 1
    assert said.err.startswith("refused (")
    assert "25208017643" not in said.err


def test_an_unbroken_trail_is_vouched_for(holder: Terminal) -> None:
    rows = len(holder.audit())
    assert holder.do("audit", "verify").out == f"{rows} rows, unbroken, vouched for by the signed head\n"


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        pytest.param(
            "UPDATE audit_rows SET body = replace(body, '1', '2') WHERE sequence = 3", "row 3", id="a row edited"
        ),
        pytest.param("DELETE FROM audit_rows WHERE sequence = 2", "row 2", id="a row removed"),
        pytest.param("DELETE FROM audit_rows WHERE sequence > 3", "the head says", id="the tail cut off"),
        pytest.param("UPDATE audit_head SET signature = zeroblob(64)", "signature of a head", id="a head unsigned"),
    ],
)
def test_a_broken_trail_is_told_by_its_row(statement: str, says: str, terminal: Terminal) -> None:
    tamper(terminal, statement)
    said = terminal("audit", "verify")
    assert (said.code, said.out) == (1, "")
    assert said.err.splitlines()[-1].startswith("BROKEN at row ")
    assert says in said.err


def test_a_head_written_down_is_still_passed_through(terminal: Terminal, tmp_path: Path) -> None:
    head = tmp_path / "head.json"
    head.write_text(terminal.do("audit", "head").out)
    assert json.loads(head.read_text())["sequence"] == len(terminal.audit())
    terminal.do("crl", "publish")
    assert "unbroken" in terminal.do("audit", "verify", "--against", head).out


def test_a_history_that_was_shortened_and_signed_anew_is_found_by_an_older_head(
    terminal: Terminal, tmp_path: Path
) -> None:
    copy = terminal.state / "jpki.db"
    before = copy.read_bytes()
    terminal.do("crl", "publish")
    head = tmp_path / "head.json"
    head.write_text(terminal.do("audit", "head").out)
    for extra in terminal.state.glob("jpki.db-*"):
        extra.unlink()
    copy.write_bytes(before)
    assert "unbroken" in terminal.do("audit", "verify").out
    said = terminal("audit", "verify", "--against", head)
    assert said.code == 1
    assert "the earlier head vouched for" in said.err


@pytest.mark.parametrize("content", [b"{}", b"", b"\xff\xfe"])
def test_what_is_no_head_is_refused(content: bytes, terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "head.json").write_bytes(content)
    said = terminal("audit", "verify", "--against", tmp_path / "head.json")
    assert said.code == 1
    assert "give what `jpki audit head` printed" in said.err


def test_profiles_are_printed_extension_by_extension(terminal: Terminal) -> None:
    rows = terminal.do("policy", "profiles").rows
    assert {f"{row['profile']}.toml" for row in rows} == set(shipped_profiles())
    order = [row["extension"] for row in rows if row["profile"] == "signature-rsa2048"]
    assert order[:3] == ["key-usage", "subject-alt-name", "certificate-policies"]
