"""`jpki residents prove-sealed`: a copied database gives up no code, and a leak of any kind is found."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from config.settings import load
from tests.support.residents import as_fields, csv_file, record
from tests.support.terminal import HOLDER, RESIDENTS, Said, Terminal, issue_pair

PROVE = ("residents", "prove-sealed")
CODE = HOLDER["resident_code"]


@pytest.fixture
def copy(terminal: Terminal, tmp_path: Path) -> Path:
    """A copy of the database, after a life with everything in it, on its own."""
    issue_pair(terminal, tmp_path / "pair")
    terminal.do("revoke", "--resident", "-", "--cause", "card-lost", typed=CODE)
    away = tmp_path / "away"
    away.mkdir()
    with closing(sqlite3.connect(terminal.state / "jpki.db")) as source, closing(sqlite3.connect(away / "x.db")) as to:
        source.backup(to)
    return away / "x.db"


def change(copy: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute(statement, values)


def prove(terminal: Terminal, *words: str | Path, typed: str = "") -> Said:
    said = terminal(*PROVE, *words, typed=typed)
    assert not any(row["resident_code"] in said.out + said.err for row in RESIDENTS)
    return said


def test_a_copy_gives_up_no_code(terminal: Terminal, copy: Path) -> None:
    said = prove(terminal, "--database", copy)
    assert said.code == 0, said.err
    assert f"keeper: {len(RESIDENTS)} residents, {len(RESIDENTS)} codes open with the keys" in said.out
    assert "of 9 ways to write a planted code 9 are found" in said.out
    assert "right\n" in said.out
    assert "hours on this core" in said.out
    assert f"no code was found: {len(RESIDENTS)} were looked for" in said.out


def test_the_database_in_use_can_be_looked_at(terminal: Terminal, copy: Path) -> None:
    assert prove(terminal, "--sample", "5").out.endswith("no code was found: 5 were looked for\n")


def test_the_thief_needs_no_key_and_no_state(terminal: Terminal, copy: Path, tmp_path: Path) -> None:
    known = tmp_path / "codes"
    known.write_text("\n".join(row["resident_code"] for row in RESIDENTS))
    shutil.rmtree(terminal.state)
    said = prove(terminal, "--database", copy, "--codes", known)
    assert said.code == 0
    assert "keeper" not in said.out


def test_any_file_is_searched_for_codes(terminal: Terminal, tmp_path: Path) -> None:
    dump, known = tmp_path / "dump.sql", tmp_path / "codes"
    known.write_text(CODE)
    dump.write_text(f"x\t{'ab' * 16}\n")
    assert prove(terminal, "--database", dump, "--codes", known).code == 0
    dump.write_text(f"x\t{CODE}\n")
    assert "FAULT: 1 known codes stand as decimal digits in octets of dump.sql" in (
        prove(terminal, "--database", dump, "--codes", known).err
    )
    assert "is no SQLite database" in prove(terminal, "--database", dump).err
    assert prove(terminal, "--codes", known).code == 2
    known.write_text("12345678901\n")
    assert prove(terminal, "--database", dump, "--codes", known).code == 2


LEAKS: list[object] = [
    pytest.param("UPDATE residents SET name = ? WHERE id = 1", CODE, "decimal digits in residents.name", id="a text"),
    pytest.param(
        "UPDATE certificates SET der = der || ?", CODE.encode("utf-16-le"), "UTF-16, low octet first", id="utf-16"
    ),
    pytest.param(
        "UPDATE certificates SET der = der || ?", b"\xff\x09" + bytes.fromhex(f"{CODE}f"), "packed", id="packed"
    ),
    pytest.param("UPDATE applications SET received_at = ?", int(CODE), "as number", id="a number"),
    pytest.param(
        "UPDATE applications SET content = ?",
        hashlib.sha256(CODE.encode()).digest(),
        "sha256 of digits of a known code stands in applications.content",
        id="a plain hash",
    ),
    pytest.param(
        "INSERT INTO audit_rows VALUES (999, ?, x'00')",
        f'{{"x":"{hashlib.md5(CODE.encode()).hexdigest()}"}}',
        "md5 of digits of a known code stands in audit_rows.body",
        id="a plain hash in hex",
    ),
    pytest.param(
        "UPDATE residents SET code_sealed = (SELECT code_sealed FROM residents WHERE id = 2) WHERE id = ?",
        3,
        "sealed codes do not open with the keys",
        id="a sealed value of another row",
    ),
]


@pytest.mark.parametrize(("statement", "value", "told"), LEAKS)
def test_a_leak_is_found(terminal: Terminal, copy: Path, statement: str, value: object, told: str) -> None:
    change(copy, statement, value)
    said = prove(terminal, "--database", copy)
    assert said.code == 1
    assert told in said.err


def test_a_key_that_lies_in_the_database_is_found(terminal: Terminal, copy: Path) -> None:
    key = (terminal.state / "secrets" / "resident-index").read_text().strip()
    change(copy, "INSERT INTO audit_rows VALUES (999, ?, x'00')", f'{{"x":"{key}"}}')
    said = prove(terminal, "--database", copy)
    assert (said.code, "were right" in said.err) == (1, True)


def test_what_was_deleted_is_found_in_the_octets(terminal: Terminal, copy: Path) -> None:
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("INSERT INTO leases VALUES ('x', ?, 0, 0)", (f"{CODE} " * 100,))
        connection.execute("DELETE FROM leases")
    said = prove(terminal, "--database", copy)
    assert said.code == 1
    assert "decimal digits in octets of x.db" in said.err


def test_rows_in_the_order_of_codes_are_told(terminal: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "sorted.csv"
    path.write_bytes(csv_file(as_fields(record(number * 10**7)) for number in range(1, 400)).read())
    terminal.do("residents", "load", path)
    said = terminal(*PROVE)
    assert (said.code, "the order of rows tells the order of codes" in said.err) == (1, True)


def test_other_keys_open_nothing(terminal: Terminal, copy: Path) -> None:
    secret = load(terminal.state).secrets.resident_seal.file
    assert secret is not None
    secret.write_text("ab" * 32)
    said = prove(terminal, "--database", copy)
    assert (said.code, "there is no code to look for" in said.err) == (1, True)
