"""Writes variants-mj.txt and variants-nta.txt from a published package; `--check` compares, `--coverage` counts.

The package's C header holds three published tables: MJ文字情報一覧表, MJ縮退マップ and 国税庁JIS縮退マップ. It is read
as text; no code of the package is run. README.md beside this script tells what the rows mean, and their licences.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parents[1]))

from policies.repertoire import REPERTOIRE, base_of, unfit  # noqa: E402

PACKAGE, VERSION, FILE = "jntajis-python", "0.1.0", "jntajis/_jntajis.h"
SHA256 = "650f04c8253c0690848c0bb6831c78848c6472a2c23c26aee3f4d99270fecfb9"

# The four rules of MJ縮退マップ, in the order of the header's columns.
MJ_RULES = ("mj-unification", "mj-inference", "mj-notice-582", "mj-register-notices")
Rows = dict[str, dict[str, set[str]]]

MJ_HEAD = """\
# Which character stands for which, by MJ縮退マップ and MJ文字情報一覧表 (version 006.01), as they come with
# {package} {version}.
# Author: Information-technology Promotion Agency, Japan (IPA, 独立行政法人情報処理推進機構). Published by the Character
# Information Technology Promotion Council (文字情報技術促進協議会), https://moji.or.jp/mojikiban/.
# Licence of this file: CC BY-SA 2.1 JP, https://creativecommons.org/licenses/by-sa/2.1/jp/
# Changed: rows are by Unicode character instead of MJ文字図形名; rows that lead to themselves are left out; rows of
# variation sequences are kept where certificates cannot write their base and the base's own row says otherwise.
"""
NTA_HEAD = """\
# Which character stands for which, by JIS縮退マップ of the National Tax Agency (国税庁), as it comes with
# {package} {version}.
# Source: https://www.houjin-bangou.nta.go.jp/download/ (国税庁法人番号公表サイト). Licence: CC BY 4.0,
# https://creativecommons.org/licenses/by/4.0/
# Changed: rows of one character for one only, and none of spaces and control characters.
"""
FORM = """\
#
# Written by make_variants.py; do not edit. Below a rule's name: a character, then what it may be replaced by, both by
# code point, a variation sequence with a plus: editors that normalise text would change some of them.
"""


def header() -> str:
    """The pinned package's header. Raises ValueError when it is another one."""
    package = distribution(PACKAGE)
    octets = Path(str(package.locate_file(FILE))).read_bytes()
    if package.version != VERSION or hashlib.sha256(octets).hexdigest() != SHA256:
        raise ValueError(f"want {FILE} of {PACKAGE} {VERSION}; its digest differs")
    return octets.decode("ascii")


def block(text: str, name: str) -> str:
    """What stands between the braces of one array."""
    start = text.index("{", text.index("]", text.index(f" {name}[")))
    return text[start : text.index("\n};", start)]


def spellings(text: str) -> dict[int, set[str]]:
    """How Unicode writes each MJ character, by its number: plain, and with a variation selector where there is one."""
    found: dict[int, set[str]] = defaultdict(set)
    for name in re.findall(r"MJMappingSet (chunked_mj_mappings_\w+)\[", text):
        for number, pairs in re.findall(r"\{(\d+), \{((?:\{\d+, ?\d, ?\d, ?\d+\}(?:, ?)?)+)\}", block(text, name)):
            for point, used, varied, selector in re.findall(r"\{(\d+), ?(\d), ?(\d), ?(\d+)\}", pairs):
                if used == "1":
                    tail = chr(int(selector) + (0xFE00 if int(selector) < 16 else 0xE00F0)) if varied == "1" else ""
                    found[int(number)].add(chr(int(point)) + tail)
    return found


def shrink_map(text: str) -> list[list[set[str]]]:
    """For each MJ number the characters that the four rules give."""
    groups = re.findall(r"\{((?:-1|\d+)(?:,(?:-1|\d+))*)\}", block(text, "mj_shrink_mappings"))
    sets = [{chr(int(point)) for point in group.split(",") if point != "-1"} for group in groups]
    return [sets[at : at + 4] for at in range(0, len(sets), 4)]


def mj_rows(text: str) -> Rows:
    """The rows of MJ縮退マップ by rule and character."""
    found: Rows = {rule: defaultdict(set) for rule in MJ_RULES}
    shrunk = shrink_map(text)
    for number, written in spellings(text).items():
        for rule, targets in zip(MJ_RULES, shrunk[number] if number < len(shrunk) else (), strict=False):
            for character in written:
                found[rule][character] |= targets - {character, base_of(character)}
    for rows in found.values():
        for character in [*rows]:
            base = base_of(character)
            if base != character and (base in REPERTOIRE or rows[character] == rows.get(base, set())):
                del rows[character]
        for character in [character for character, targets in rows.items() if not targets]:
            del rows[character]
    return found


def nta_rows(text: str) -> Rows:
    """The rows of JIS縮退マップ that give one character for one."""
    cell = r"\{\s*\d+,\s*\{(\d+), -1\},\s*\{-?\d+, -?\d+\},\s*JISCharacterClass_\w+,\s*1,\s*\{\d+\},\s*\{(\d+)\}\s*\}"
    pairs = re.findall(cell, block(text, "tx_mappings"))
    return {
        "nta-jis": {
            chr(int(one)): {chr(int(other))} for one, other in pairs if one != other and not unfit(chr(int(one)))
        }
    }


def render(head: str, tables: Rows) -> bytes:
    """The file: rules in order, rows by code point."""
    lines = [head.format(package=PACKAGE, version=VERSION) + FORM.rstrip()]
    for rule, rows in tables.items():
        lines.append(f"[{rule}]")
        lines += [" ".join([spelt(character), *map(spelt, sorted(rows[character]))]) for character in sorted(rows)]
    return ("\n".join(lines) + "\n").encode()


def spelt(character: str) -> str:
    """Its code points in hex."""
    return "+".join(f"{ord(point):04X}" for point in character)


def files() -> Iterator[tuple[Path, bytes]]:
    """Each file and what it should hold."""
    text = header()
    yield FOLDER / "variants-mj.txt", render(MJ_HEAD, mj_rows(text))
    yield FOLDER / "variants-nta.txt", render(NTA_HEAD, nta_rows(text))


def print_coverage() -> None:
    """How many characters of MJ文字情報一覧表 certificates write, by which rule others are replaced, and how many need
    a person: for the plain code points, and for the variation sequences."""
    from config.rules import load_variants

    variants = load_variants()
    written = set().union(*spellings(header()).values())
    kinds = {1: "code points", 2: "variation sequences"}
    counts: Counter[tuple[str, str]] = Counter()
    for character in written:
        row, choices = variants.choices(character)
        if character in REPERTOIRE:
            verdict = "written as it is"
        elif row is None:
            verdict = "no substitute known: a person finds one"
        elif len(choices) > 1:
            verdict = "several substitutes: a person chooses"
        else:
            verdict = f"`{row.rule.value}`, {'flagged' if row.unconfirmed == 'flag' else 'when the holder confirms'}"
        counts[verdict, kinds[len(character)]] += 1
        counts["all", kinds[len(character)]] += 1
    lines = ["| | code points | variation sequences |", "|---|---:|---:|"]
    lines += [
        f"| {verdict} | " + " | ".join(f"{counts[verdict, kind]:,}" for kind in kinds.values()) + " |"
        for verdict in dict.fromkeys(verdict for verdict, _ in sorted(counts, key=lambda key: -counts[key]))
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def main() -> None:
    """Writes; with `--check` compares and ends with status 1 if there is a difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the files and write nothing")
    parser.add_argument("--coverage", action="store_true", help="print the table of coverage and write nothing")
    arguments = parser.parse_args()
    if arguments.coverage:
        print_coverage()
        return
    for path, octets in files():
        if not arguments.check:
            path.write_bytes(octets)
        elif not path.is_file() or path.read_bytes() != octets:
            raise SystemExit(f"{path.name} is not what {PACKAGE} {VERSION} gives")


if __name__ == "__main__":
    main()
