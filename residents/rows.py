"""Rows of a file, CSV or JSON Lines: one physical line each, read with bounded memory and judged by itself."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import BinaryIO

from residents.fields import Fault

MAX_LINE = 64 * 1024
"""Octets. The longest honest line is a thirtieth of it."""

CUT_OFF = "the file ends inside this line; every line must end in a line feed"

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Line = tuple[int, str | Fault]
Row = tuple[int, Mapping[str, object] | Fault]


class Format(Enum):
    """How a file writes its rows. Both are UTF-8, with or without byte order mark, lines ended by LF or CR LF."""

    CSV = "csv"
    JSON_LINES = "jsonl"


def read_rows(
    file: BinaryIO, form: Format, columns: tuple[str, ...], seen: Callable[[bytes], object] = len
) -> Iterator[Row]:
    """(line number, fields or what is wrong with the line) for every row. `seen` gets all octets in order.

    CSV begins with a line of column names, `columns` in any order; without it nothing else is read.
    """
    lines = _lines(file, seen)
    return _csv_rows(lines, columns) if form is Format.CSV else _json_rows(lines)


def _lines(file: BinaryIO, seen: Callable[[bytes], object]) -> Iterator[Line]:
    number = 0
    while piece := file.readline(MAX_LINE):
        number += 1
        seen(piece)
        if len(piece) == MAX_LINE and not piece.endswith(b"\n"):
            while piece and not piece.endswith(b"\n"):
                piece = file.readline(MAX_LINE)
                seen(piece)
            yield number, Fault(None, f"the line is longer than {MAX_LINE} octets", number)
            continue
        if not piece.endswith(b"\n"):
            # A file cut off inside the address would otherwise look complete.
            yield number, Fault(None, CUT_OFF, number)
            continue
        body = piece.removesuffix(b"\n").removesuffix(b"\r")
        if number == 1:
            body = body.removeprefix(_BYTE_ORDER_MARK)
        try:
            yield number, body.decode() or Fault(None, "the line is empty", number)
        except UnicodeDecodeError:
            yield number, Fault(None, "the line is not UTF-8", number)


def _csv_rows(lines: Iterator[Line], columns: tuple[str, ...]) -> Iterator[Row]:
    number, first = next(lines, (1, Fault(None, "the file is empty", 1)))
    try:
        header = [] if isinstance(first, Fault) else _cells(first)
    except csv.Error:
        header = []
    if sorted(header) != sorted(columns):
        problem = f"the first line must name the columns {', '.join(columns)}"
        yield number, first if isinstance(first, Fault) else Fault(None, problem, number)
        return
    for number, text in lines:
        if isinstance(text, Fault):
            yield number, text
            continue
        try:
            cells = _cells(text)
        except csv.Error:
            # Every row ends with its line, so that one stray quote spoils one row and not the rest of the file.
            yield number, Fault(None, "the quotes of this line are not right", number)
            continue
        if len(cells) != len(header):
            yield number, Fault(None, f"there are {len(cells)} fields instead of {len(header)}", number)
            continue
        yield number, dict(zip(header, cells, strict=True))


def _cells(text: str) -> list[str]:
    return next(csv.reader((text,), strict=True))


def _json_rows(lines: Iterator[Line]) -> Iterator[Row]:
    for number, text in lines:
        if isinstance(text, Fault):
            yield number, text
            continue
        try:
            yield number, json_object(text)
        except ValueError as fault:
            yield number, Fault(None, f"the line {fault}", number)


def json_object(text: str) -> Mapping[str, object]:
    """The JSON object that `text` is. Raises ValueError for anything else and for a member named twice; its text is
    a predicate ("is not JSON") and tells nothing of `text`."""
    try:
        content = json.loads(text, object_pairs_hook=_members)
    except _RepeatedMember:
        raise ValueError("names a member twice") from None
    except (ValueError, RecursionError):
        raise ValueError("is not JSON") from None
    if not isinstance(content, dict):
        raise ValueError("is not a JSON object")  # noqa: TRY004
    return content


class _RepeatedMember(Exception):
    pass


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _RepeatedMember
    return members
