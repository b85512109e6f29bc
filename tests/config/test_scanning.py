"""A scan of what an operator keeps: found where it is, told without a value, and what cannot be read is said."""

from __future__ import annotations

import base64
import bz2
import gzip
import lzma
import os
import sqlite3
import uuid
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random

import psycopg
import pytest

from config.scan_filters import ScanKey
from config.scanning import System, scan
from domain.errors import Code, Refusal
from scan import files
from scan.page import as_html
from scan.report import Report, as_json, as_text
from tests.support.authority import NOW
from tests.support.operator_files import each, log_line, order_row, serials_of, text_of
from tests.support.postgres import PostgresServer
from tests.support.scans import KEY, MONTH, SCAN_KEY, keep_scan_filter, make_scan_filter

SERIALS = serials_of(1, 300)
ONE = each(SERIALS)[0]


@pytest.fixture(scope="module")
def filter_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return keep_scan_filter(tmp_path_factory.mktemp("filter") / "audit-1.scan", make_scan_filter(SERIALS))


@pytest.fixture
def look(filter_file: Path) -> Callable[..., Report]:
    def run(*targets: object, processes: int = 1) -> Report:
        systems = [System.of(str(target)) for target in targets]
        return scan(systems, filter_file, SCAN_KEY, now=NOW, sketch_key=bytes(32), processes=processes)

    return run


def found_in(report: Report) -> set[tuple[str, str, str]]:
    return {(each.place.source, each.place.column, each.find.trace.value) for each in report.findings}


def told(report: Report) -> str:
    """Everything that a report says, in each form of it."""
    return "\n".join([*as_text(report), *as_text(report, "ja"), as_json(report), as_html(report)])


def make_sqlite(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE customers (id INTEGER, number TEXT, raw BLOB, half INTEGER, note TEXT)")
        rows = [
            (n, o.hex(":"), o, int.from_bytes(o[8:], signed=True), "plain") for n, o in enumerate(each(SERIALS)[:40])
        ]
        database.executemany("INSERT INTO customers VALUES (?, ?, ?, ?, ?)", rows)
        database.execute("CREATE TABLE orders (id INTEGER, token TEXT)")
        chance = Random(3)
        database.executemany("INSERT INTO orders VALUES (?, ?)", [(n, chance.randbytes(16).hex()) for n in range(300)])
        database.commit()
    return path


def test_columns_of_sqlite_are_told_with_their_rows(look: Callable[..., Report], tmp_path: Path) -> None:
    report = look(make_sqlite(tmp_path / "crm.db"))
    assert found_in(report) == {
        ("crm.db!customers", "number", "whole"),
        ("crm.db!customers", "raw", "whole"),
        ("crm.db!customers", "half", "last-half"),
    }
    assert {(each.rows, each.find.hits, each.find.different) for each in report.findings} == {(40, 40, 40)}
    assert report.gaps == ()


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda octets: octets.hex(), id="hex"),
        pytest.param(lambda octets: octets, id="octets"),
        pytest.param(lambda octets: str(int.from_bytes(octets)), id="decimal"),
        pytest.param(lambda octets: base64.b64encode(octets).decode(), id="base64"),
    ],
)
def test_serials_that_the_filter_does_not_know_are_told_by_their_form(
    look: Callable[..., Report], tmp_path: Path, write: Callable[[bytes], object]
) -> None:
    with closing(sqlite3.connect(tmp_path / "new.db")) as database:
        database.execute("CREATE TABLE c (id INTEGER, number TEXT, other TEXT, word TEXT)")
        chance = Random(6)
        rows = [
            (n, write(octets), write(chance.randbytes(16)), f"customer{n:08d}".encode().hex())
            for n, octets in enumerate(each(serials_of(77, 100)))
        ]
        database.executemany("INSERT INTO c VALUES (?, ?, ?, ?)", rows)
        database.commit()
    (finding,) = look(tmp_path / "new.db").findings
    assert (finding.place.column, finding.find.trace.value, finding.find.hits) == ("number", "alike", 100)


def test_rows_that_were_deleted_are_found_in_the_octets(look: Callable[..., Report], tmp_path: Path) -> None:
    path = make_sqlite(tmp_path / "crm.db")
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA secure_delete = OFF")
        database.execute("DELETE FROM customers")
        database.commit()
    assert ("crm.db", "", "whole") in found_in(look(path))


@pytest.mark.postgresql
def test_columns_of_postgresql_are_told(look: Callable[..., Report], postgres: PostgresServer) -> None:
    url = postgres.url(postgres.new_database())
    with psycopg.connect(url) as connection:
        connection.execute(
            "CREATE TABLE people (id bigint, key uuid, raw bytea, about jsonb, many text[], sum numeric)"
        )
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO people VALUES (%s, %s, %s, %s, %s, %s)",
                [
                    (n, uuid.UUID(bytes=o), o, f'{{"serial": "{o.hex()}"}}', [o.hex()], int.from_bytes(o))
                    for n, o in enumerate(each(SERIALS)[:30])
                ],
            )
    report = look(url)
    assert {(each.place.column, each.find.hits, each.rows) for each in report.findings} == {
        (column, 30, 30) for column in ("key", "raw", "about", "many", "sum")
    }
    assert report.gaps == ()


def test_a_dead_postgresql_is_a_gap(look: Callable[..., Report], tmp_path: Path) -> None:
    report = look(f"postgresql://auditor:hunter2@/crm?host={tmp_path}")
    (gap,) = report.gaps
    assert (gap.place.system, "does not answer" in gap.why) == ("crm", True)
    assert "hunter2" not in told(report)


def test_columns_of_csv_and_tables_of_dumps_are_told(look: Callable[..., Report], tmp_path: Path) -> None:
    lines = [b"id,name,number\n", *(b'%d,"Sato, H",%s\n' % (n, o.hex().encode()) for n, o in enumerate(each(SERIALS)))]
    (tmp_path / "people.csv").write_bytes(b"".join(lines))
    copied = b"".join(b"%d\tx\t%s\n" % (n, base64.b64encode(o)) for n, o in enumerate(each(SERIALS)))
    dump = b"-- dump\nCOPY public.users (id, name, sn) FROM stdin;\n" + copied + b"\\.\n"
    dump += b"INSERT INTO `log` VALUES (1,'" + ONE.hex().encode() + b"');\n"
    (tmp_path / "crm.sql").write_bytes(dump)
    assert found_in(look(tmp_path)) == {
        ("people.csv", "number", "whole"),
        ("crm.sql", "public.users.sn", "whole"),
        ("crm.sql", "log", "whole"),
    }


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        pytest.param("a.log.gz", gzip.compress, id="gzip"),
        pytest.param("a.log.bz2", bz2.compress, id="bzip2"),
        pytest.param("a.log.xz", lzma.compress, id="xz"),
    ],
)
def test_packed_files_are_unpacked(
    look: Callable[..., Report], tmp_path: Path, name: str, pack: Callable[[bytes], bytes]
) -> None:
    octets = b"".join(text_of(2, 600_000, (log_line,))) + b"serial=" + ONE.hex().encode() + b"\n"
    (tmp_path / name).write_bytes(pack(octets))
    (finding,) = look(tmp_path).findings
    assert (finding.place.source, finding.find.first) == (name, (octets.index(ONE.hex().encode()),))
    (tmp_path / name).write_bytes(pack(octets)[:-200])
    assert [gap.why for gap in look(tmp_path).gaps] in (["it is cut off"], ["it is damaged"])


def test_files_within_zip_are_named(look: Callable[..., Report], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "book.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", f"<si><t>{ONE.hex()}</t></si>")
    assert found_in(look(tmp_path)) == {("book.xlsx!xl/sharedStrings.xml", "", "whole")}


def test_a_file_that_unfolds_without_end_is_left(
    look: Callable[..., Report], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_INSIDE", 1_000_000)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(3_000_000)))
    (gap,) = look(tmp_path).gaps
    assert "packed into it" in gap.why


def test_pieces_hide_nothing_and_find_nothing_twice(look: Callable[..., Report], tmp_path: Path) -> None:
    """Over the ends of pieces and of stretches, in one process and in several."""
    chance = Random(4)
    lines = []
    for serial in each(SERIALS):
        lines += [
            b"".join(log_line(chance) for _ in range(chance.randrange(60, 160))),
            b'{"sn":"%s"}\n' % serial.hex().encode(),
        ]
    (tmp_path / "access.log").write_bytes(b"".join(lines))
    alone, together = look(tmp_path), look(tmp_path, processes=2)
    assert [(each.find.hits, each.find.different) for each in alone.findings] == [(300, 300)]
    assert as_json(alone) == as_json(together)


def test_bad_octets_and_endless_lines_are_read(look: Callable[..., Report], tmp_path: Path) -> None:
    noise = Random(5).randbytes(300_000)
    (tmp_path / "line.txt").write_bytes(b"x" * 1_500_000 + ONE.hex().encode() + b"x" * 1_500_000)
    (tmp_path / "noise.csv").write_bytes(b"a,b\n" + noise + b",\xff\xfe" + ONE + b'"' + noise)
    assert {source for source, _, _ in found_in(look(tmp_path))} == {"line.txt", "noise.csv"}


@pytest.mark.parametrize("length", [40, 100, 5000])
def test_a_database_that_is_cut_off_is_a_gap_and_its_octets_are_read(
    look: Callable[..., Report], tmp_path: Path, length: int
) -> None:
    path = make_sqlite(tmp_path / "crm.db")
    octets = path.read_bytes()
    path.write_bytes(octets[:length] + b"tail " + ONE.hex().encode())
    report = look(path)
    assert any("cannot be read" in gap.why for gap in report.gaps)
    assert ("crm.db", "", "whole") in found_in(report)


def test_what_cannot_be_read_is_said(
    look: Callable[..., Report], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "up").symlink_to(tmp_path)
    (tmp_path / "away").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "locked.txt").write_text("x")
    (tmp_path / "own.dump").write_bytes(b"PGDMP\x01\x0e")
    opened = Path.open

    def denied(path: Path, *how: object, **more: object) -> object:
        if path.name == "locked.txt":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *how, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", denied)
    report = look(tmp_path)
    assert {(gap.place.source, gap.why.split(";")[0].split(":")[0]) for gap in report.gaps} == {
        ("loop", "it is a symbolic link to nothing, or to itself"),
        ("away", "it is a symbolic link out of the folder"),
        ("pipe", "it is no file"),
        ("locked.txt", "permission is denied"),
        ("own.dump", "it is a dump in PostgreSQL's own format"),
    }
    assert not report.clean


def test_a_name_that_is_a_serial_is_found_and_withheld(look: Callable[..., Report], tmp_path: Path) -> None:
    (tmp_path / f"{ONE.hex()}.cer").write_bytes(b"nothing")
    (tmp_path / "people.csv").write_bytes(b"id,%s\n7,%s\n" % (ONE.hex().encode(), ONE.hex().encode()))
    (tmp_path / "red\x1b[31m.txt").write_bytes(ONE.hex().encode())
    report = look(tmp_path)
    said = told(report)
    assert {each.find.form for each in report.findings} == {"hex, in the name", "hex"}
    assert "(name withheld 1)" in said
    assert "\x1b" not in said
    for serial in each(SERIALS):
        for written in (serial.hex(), str(int.from_bytes(serial)), base64.b64encode(serial).decode()):
            assert written not in said


def test_a_report_says_no_value_in_any_form(look: Callable[..., Report], tmp_path: Path) -> None:
    report = look(make_sqlite(tmp_path / "crm.db"))
    said = told(report)
    assert "crm.db!customers" in said
    assert "番号を持つ者なら誰でも突合できる" in said
    for serial in each(SERIALS):
        for part in (serial, serial[:8], serial[8:]):
            assert part.hex() not in said
            assert str(int.from_bytes(part)) not in said


def test_clean_systems_are_clean(look: Callable[..., Report], tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_bytes(b"".join(text_of(6, 400_000, (order_row,))))
    report = look(tmp_path)
    assert report.clean
    assert report.octets >= 400_000


def customers(path: Path, tokens: list[str], seed: int) -> Path:
    """A database of customers: serial numbers of its own, dates, and a token each."""
    chance = Random(seed)
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE c (id INTEGER, joined TEXT, phone TEXT, session TEXT, token TEXT)")
        rows = [
            (
                n,
                f"2026-{n % 12 + 1:02d}-{n % 28 + 1:02d}",
                f"090{chance.randrange(10**8):08d}",
                chance.randbytes(16).hex(),
                t,
            )
            for n, t in enumerate(tokens)
        ]
        database.executemany("INSERT INTO c VALUES (?, ?, ?, ?, ?)", rows)
        database.commit()
    return path


@pytest.mark.parametrize("common", [pytest.param(900, id="many"), pytest.param(12, id="few")])
def test_a_key_that_two_systems_share_is_found(look: Callable[..., Report], tmp_path: Path, common: int) -> None:
    chance = Random(9)
    tokens = [chance.randbytes(32) for _ in range(2000 - common)]
    one = customers(tmp_path / "one.db", [token.hex() for token in tokens[:1000]], 1)
    rest = tokens[:common] + tokens[1000:]
    other = customers(tmp_path / "two.db", [base64.b64encode(token).decode() for token in rest], 2)
    (key,) = look(f"shop={one}", f"bank={other}").shared
    assert (str(key.one), str(key.other)) == ("shop: one.db!c: token", "bank: two.db!c: token")
    assert key.common == common
    assert key.chance < 1e-9


def test_systems_that_have_nothing_in_common_but_chance(look: Callable[..., Report], tmp_path: Path) -> None:
    one = customers(tmp_path / "one.db", [Random(1).randbytes(9).hex() for _ in range(2000)], 1)
    other = customers(tmp_path / "two.db", [f"{n:018d}" for n in range(2000)], 2)
    sheet = tmp_path / "three.csv"
    rows = "".join(f"{n:018d},2026-01-{n % 28 + 1:02d},090{n:08d}\n" for n in range(2000))
    sheet.write_text(f"account,day,phone\n{rows}")
    assert look(f"a={one}", f"b={other}", f"c={sheet}").shared == ()


def test_a_filter_that_may_not_be_used_is_refused(filter_file: Path, tmp_path: Path) -> None:
    def code_of(path: Path = filter_file, key: ScanKey = SCAN_KEY, after: timedelta = timedelta(0)) -> Code:
        with pytest.raises(Refusal) as refused:
            scan([System.of(str(tmp_path))], path, key, now=NOW + after, sketch_key=bytes(32))
        return refused.value.code

    assert code_of(after=MONTH + timedelta(seconds=1)) is Code.OUT_OF_ORDER
    assert code_of(after=-timedelta(seconds=1)) is Code.CLOCK_BEHIND
    assert code_of(key=ScanKey(bytes(32), SCAN_KEY.authority)) is Code.NOT_ADMITTED
    assert code_of(key=ScanKey(KEY, SCAN_KEY.authority[:-1] + b"\x07")) is Code.FOREIGN_ISSUER
    octets = filter_file.read_bytes()
    for name, spoilt, code in (
        ("text", b"id,name\n", Code.MALFORMED),
        ("short", octets[: len(octets) // 2], Code.MALFORMED),
        ("turned", octets[:-9] + bytes([octets[-9] ^ 1]) + octets[-8:], Code.MALFORMED),
        ("later", octets.replace(b'"expires":"2027', b'"expires":"2037'), Code.FOREIGN_ISSUER),
    ):
        path = tmp_path / name
        path.write_bytes(spoilt)
        assert code_of(path) is code, name


def test_names_of_systems() -> None:
    assert System.of("shop=/data/a=b").name == "shop"
    assert System.of("/data/a=b").name == "a=b"
    assert System.of("postgresql://u:p@h/crm?sslmode=require").name == "crm"
    assert "p@h" not in repr(System.of("postgresql://u:p@h/crm"))


def test_two_systems_of_one_name_are_refused(look: Callable[..., Report], tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        look(tmp_path, tmp_path)
    assert refused.value.code is Code.MALFORMED


def test_a_target_that_is_not_there_is_a_gap(look: Callable[..., Report], tmp_path: Path) -> None:
    assert [gap.why for gap in look(tmp_path / "gone").gaps] == ["there is no such file or folder"]
