"""A program in place of `validation.reader` whose readers never end, take all memory, die, or say too much."""

from __future__ import annotations

import os
from collections.abc import Sequence

from domain.validations import Format
from validation import reader
from validation.finding import Examination, Finding, unread


def endless(_examination: Examination, _authorities: Sequence[bytes]) -> Finding:
    while True:
        pass


def greedy(_examination: Examination, _authorities: Sequence[bytes]) -> Finding:
    return Finding((bytes(1 << 40),))  # type: ignore[arg-type]


def talkative(_examination: Examination, _authorities: Sequence[bytes]) -> Finding:
    raise unread("x" * 200_000)


def deadly(_examination: Examination, _authorities: Sequence[bytes]) -> Finding:
    os.abort()


if __name__ == "__main__":
    reader.SECONDS = 1
    reader.LIMITS = tuple((limit, 1 if limit is reader.LIMITS[0][0] else value) for limit, value in reader.LIMITS)
    reader.readers = lambda: {Format.CMS: endless, Format.XML: greedy, Format.PDF: deadly, Format.RAW: talkative}
    reader.main()
