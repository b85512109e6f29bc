"""A program in place of `validation.reader` whose readers want to see more than the document."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

from domain.validations import Format
from validation import reader
from validation.finding import Examination, Finding


def opens_a_file(_examination: Examination, _authorities: Sequence[bytes]) -> Finding:
    Path("/etc/hostname").read_bytes()
    return Finding()


def connects(_examination: Examination, _authorities: Sequence[bytes]) -> Finding:
    socket.socket()
    return Finding()


if __name__ == "__main__":
    reader.readers = lambda: {Format.CMS: opens_a_file, Format.XML: connects}
    reader.main()
