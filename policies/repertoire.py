"""The characters that certificates can write (JIS X 0208 and X 0212), and what makes a character unfit for any text."""

from __future__ import annotations

import unicodedata
from enum import Enum

# Three cells of JIS X 0208 have two code points each in use: the codec knows one, Japanese input mostly gives the
# other. Both are inside; the text keeps the one the register wrote.
TWINS = {"−": "－", "〜": "～", "‖": "∥"}

# Variation selectors: with a base, they name a glyph of the base (UTS #37).
SELECTORS = "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))

# Control, format and surrogate characters, and every separator: U+3000 is the one space that registers write.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
# Not of these categories and yet nothing to see: Default_Ignorable_Code_Point of the Unicode Character Database.
_FILLERS = frozenset(map(chr, (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x3164, 0xFFA0)))


def _repertoire() -> frozenset[str]:
    """Python's strict `euc_jp` has X 0208 in two octets and X 0212 in three, the first of them 8F."""
    rows = range(0xA1, 0xFF)
    cells = b"\n".join(plane + bytes((row, cell)) for plane in (b"", b"\x8f") for row in rows for cell in rows)
    # An empty cell leaves U+FFFD in its line; one cell decodes to ASCII, which other cells have full width.
    found = {line for line in cells.decode("euc_jp", "replace").split("\n") if len(line) == 1 and line > "\x7f"}
    return frozenset(found - {"\ufffd"} | set(TWINS.values()))


REPERTOIRE = _repertoire()
"""12,945 cells (official pages of cities), and the second code points of three of them."""


class Unfit(Enum):
    """Why a character has no place in a register's text at all."""

    HALF_WIDTH = "half width"
    UNSEEN = "a control, format or otherwise invisible character, or half of a pair"
    DAMAGED = "damaged by a conversion"


def unfit(point: str) -> Unfit | None:
    """What is wrong with one code point, if anything. Private use and unassigned ones may pass: registers have
    characters of their own (外字), and newer ones than this program."""
    if point in REPERTOIRE:
        return None
    if unicodedata.east_asian_width(point) in ("Na", "H"):
        return Unfit.HALF_WIDTH
    category = unicodedata.category(point)
    if category in _UNSEEN or point in _FILLERS:
        return Unfit.UNSEEN
    if point == "\ufffd" or (category == "Cn" and (ord(point) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(point) < 0xFDF0)):
        return Unfit.DAMAGED
    return None


def characters_of(text: str) -> list[str]:
    """The text in characters as people count them: a base with the variation selectors and combining marks after it."""
    if REPERTOIRE.issuperset(text):
        return [*text]
    found: list[str] = []
    for point in text:
        if found and unicodedata.category(point)[0] == "M":
            found[-1] += point
        else:
            found.append(point)
    return found


def base_of(character: str) -> str:
    """The character without its variation selectors; one that is nothing else stays."""
    return character.rstrip(SELECTORS) or character
