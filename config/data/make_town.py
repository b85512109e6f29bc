"""Writes town/addresses.csv from Japan Post's addresses; `--check` only says whether the file is what they give."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sqlite3
from pathlib import Path

from make_municipalities import POST, input_path  # type: ignore[import-not-found]  # it lies beside this script

TARGET = Path(__file__).with_name("town") / "addresses.csv"
# Neighbours in the west of Tokyo: 清瀬市, 東久留米市, 東村山市, 新座市, 狛江市.
AREAS = ("13221", "13222", "13213", "11230", "13219")


def rows() -> list[tuple[str, str]]:
    """(five-digit code, town area) of each town area in which blocks and houses are numbered."""
    connection = sqlite3.connect(f"{input_path(POST).as_uri()}?mode=ro", uri=True)
    try:
        entries = [json.loads(text) for (text,) in connection.execute("SELECT data FROM postal_data")]
    finally:
        connection.close()
    return sorted(
        {(one["jisx0402"], one["neighborhood"]) for one in entries if one["jisx0402"] in AREAS and one["neighborhood"]}
    )


def render() -> bytes:
    """UTF-8 without a byte order mark, line feeds, no quoting needed."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONE)
    writer.writerow(("area", "town"))
    writer.writerows(rows())
    return text.getvalue().encode()


def main() -> None:
    """Writes, or with `--check` compares and ends with status 1 if there is a difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the file and write nothing")
    check = parser.parse_args().check
    octets = render()
    if not check:
        TARGET.write_bytes(octets)
    elif not TARGET.is_file() or TARGET.read_bytes() != octets:
        raise SystemExit(f"{TARGET.name} is not what the package gives")


if __name__ == "__main__":
    main()
