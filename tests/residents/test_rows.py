"""Rows of files: every line is judged by itself, whatever stands in it."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from residents.fields import Fault
from residents.rows import MAX_LINE, Format, json_object, read_rows

COLUMNS = ("code", "text")


def rows(octets: bytes, form: Format = Format.CSV) -> list[tuple[int, object]]:
    return [(number, row.problem if isinstance(row, Fault) else row) for number, row in read(octets, form)]


def read(octets: bytes, form: Format = Format.CSV) -> list[tuple[int, object]]:
    return list(read_rows(io.BytesIO(octets), form, COLUMNS))


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param("code,text\n1,霧\n2,島\n".encode(), id="plain"),
        pytest.param("\ufeffcode,text\n1,霧\n2,島\n".encode(), id="with a byte order mark"),
        pytest.param("code,text\r\n1,霧\r\n2,島\r\n".encode(), id="with CR LF"),
        pytest.param('"code","text"\n"1","霧"\n"2","島"\n'.encode(), id="quoted throughout"),
        pytest.param("text,code\n霧,1\n島,2\n".encode(), id="with the columns in another order"),
    ],
)
def test_csv_is_read(octets: bytes) -> None:
    assert rows(octets) == [(2, {"code": "1", "text": "霧"}), (3, {"code": "2", "text": "島"})]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["without byte order mark", "with one"])
def test_json_lines_are_read(mark: bytes) -> None:
    octets = mark + '{"code": "1", "text": "霧"}\n{"text": "島"}\r\n'.encode()
    assert rows(octets, Format.JSON_LINES) == [(1, {"code": "1", "text": "霧"}), (2, {"text": "島"})]


def test_a_byte_order_mark_on_a_later_line_is_part_of_its_text() -> None:
    assert rows("code,text\n\ufeff1,2\n".encode()) == [(2, {"code": "\ufeff1", "text": "2"})]


def test_quotes_commas_and_doubled_quotes_are_kept_in_csv() -> None:
    assert rows(b'code,text\n1,"a ""b"", c"\n') == [(2, {"code": "1", "text": 'a "b", c'})]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param(b"1\n", "there are 1 fields instead of 2", id="a field is missing"),
        pytest.param(b"1,2,3\n", "there are 3 fields instead of 2", id="a field too many"),
        pytest.param(b'1,"2\n', "the quotes of this line are not right", id="a quote is open"),
        pytest.param(b'1,"2"3\n', "the quotes of this line are not right", id="text follows a quote"),
        pytest.param(b"\n", "the line is empty", id="an empty line"),
        pytest.param(b"\r\n", "the line is empty", id="an empty line with CR"),
        pytest.param(b"1,\xff\n", "the line is not UTF-8", id="octets that are no UTF-8"),
        pytest.param(b"1,\xed\xa0\x80\n", "the line is not UTF-8", id="an encoded surrogate"),
        pytest.param("1,霧島\n".encode("cp932"), "the line is not UTF-8", id="Shift JIS"),
        pytest.param(b"1," + b"x" * MAX_LINE + b"\n", f"the line is longer than {MAX_LINE} octets", id="a long line"),
        pytest.param(
            b"1," + b"x" * 10_000_000 + b"\n", f"the line is longer than {MAX_LINE} octets", id="10 MB in one line"
        ),
    ],
)
def test_a_bad_csv_line_is_told_and_the_next_is_read(line: bytes, problem: str) -> None:
    assert rows(b"code,text\n" + line + b"9,z\n") == [(2, problem), (3, {"code": "9", "text": "z"})]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param(b"{", "the line is not JSON", id="half an object"),
        pytest.param(b'{"a": 1} {"b": 2}', "the line is not JSON", id="two objects"),
        pytest.param(b'["a"]', "the line is not a JSON object", id="an array"),
        pytest.param(b'"a"', "the line is not a JSON object", id="a string"),
        pytest.param(b'{"a": 1, "a": 1}', "the line names a member twice", id="a member twice"),
        pytest.param(b'{"x": {"a": 1, "a": 1}}', "the line names a member twice", id="a member twice further in"),
        pytest.param(b"[" * 60_000, "the line is not JSON", id="sixty thousand open brackets"),
        pytest.param(b'{"a": ' + b"9" * 6000 + b"}", "the line is not JSON", id="a number of six thousand digits"),
    ],
)
def test_a_bad_json_line_is_told_and_the_next_is_read(line: bytes, problem: str) -> None:
    assert rows(line + b'\n{"code": "9"}\n', Format.JSON_LINES) == [(1, problem), (2, {"code": "9"})]


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"1,2\n3,4\n", id="data where the names should be"),
        pytest.param(b"code,text,more\n1,2,3\n", id="a column too many"),
        pytest.param(b"code\n1\n", id="a column missing"),
        pytest.param(b"code,code\n1,2\n", id="a column twice"),
        pytest.param(b'code,"text\n1,2\n', id="an open quote"),
    ],
)
def test_without_the_column_names_nothing_else_is_read(octets: bytes) -> None:
    assert rows(octets) == [(1, "the first line must name the columns code, text")]


def test_an_empty_csv_file_is_told() -> None:
    assert rows(b"") == [(1, "the file is empty")]


def test_an_empty_json_lines_file_has_no_rows() -> None:
    assert rows(b"", Format.JSON_LINES) == []


@pytest.mark.parametrize("form", list(Format), ids=lambda form: form.value)
@given(cut=st.integers(1, 40))
def test_a_file_cut_off_anywhere_in_its_last_line_is_told(form: Format, cut: int) -> None:
    first, last = (b"code,text\n", b"1,abcdefgh\n") if form is Format.CSV else (b'{"code": "1"}\n', b'{"code": "2"}\n')
    octets = first + last[: len(last) - 1 - cut % (len(last) - 1)]
    *_, (number, problem) = rows(octets, form)
    assert number == 2
    assert problem == "the file ends inside this line; every line must end in a line feed"


def test_a_long_line_is_never_held_whole() -> None:
    class Measured(io.BytesIO):
        largest = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            piece = super().readline(size)
            self.largest = max(self.largest, len(piece))
            return piece

    file = Measured(b"x" * 10_000_000)
    (row,) = read_rows(file, Format.JSON_LINES, COLUMNS)
    assert isinstance(row[1], Fault)
    assert file.largest <= MAX_LINE


@given(st.binary(max_size=400), st.sampled_from(Format))
def test_any_octets_give_rows_or_faults_and_are_all_seen(octets: bytes, form: Format) -> None:
    seen: list[bytes] = []
    for _ in read_rows(io.BytesIO(b"code,text\n" + octets), form, COLUMNS, seen.append):
        pass
    assert b"".join(seen) == b"code,text\n" + octets


@given(st.dictionaries(st.text(), st.text(), max_size=5))
def test_json_objects_come_back_as_they_were_written(content: dict[str, str]) -> None:
    assert json_object(json.dumps(content)) == content
