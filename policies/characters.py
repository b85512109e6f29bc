"""The characters a certificate may write, and 代替文字 (substitute characters) for those it may not."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from domain.errors import Code, Refusal
from policies.tables import Table

LONGEST_NAME = 100
"""Characters; this project's choice, no public source gives one."""
LONGEST_ADDRESS = 200
"""Characters (third-party notes on the certificate profile)."""

# Three cells of JIS X 0208 have two code points each in use: the codec knows one, Japanese input mostly gives the
# other. Both are inside; the text keeps the one the register wrote.
_TWINS = str.maketrans("－～∥", "−〜‖")
_HALF_WIDTH_KANA = 0x8E
# Control, format and surrogate characters, line and paragraph separators.
_CONTROLS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Variation selectors: with a base, they name a glyph of the base (UTS #37).
_SELECTORS = "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))


@dataclass(frozen=True, slots=True)
class Substituted:
    """A register text in certificate characters and the positions (0-based, in characters) that were replaced."""

    text: str
    positions: tuple[int, ...]

    @property
    def flags(self) -> str:
        """One digit a character: `1` where a substitute stands."""
        if not self.positions:
            return "0" * len(self.text)
        return "".join("1" if i in self.positions else "0" for i in range(len(self.text)))


def in_repertoire(character: str) -> bool:
    """Whether certificates can write the character: JIS X 0208 and X 0212, 12,945 cells (official pages of cities).

    Measured by Python's strict `euc_jp`, less its ASCII and half-width kana.
    """
    try:
        octets = character.translate(_TWINS).encode("euc_jp")
    except UnicodeEncodeError:
        return False
    return len(character) == 1 and len(octets) > 1 and octets[0] != _HALF_WIDTH_KANA


@lru_cache(maxsize=16_384)
def _is_plain(point: str) -> bool:
    """Whether a code point is a character by itself that every rule of `substitute` lets through."""
    return (
        in_repertoire(point)
        and unicodedata.category(point)[0] not in "CMZ"
        and not point.isascii()
        and unicodedata.east_asian_width(point) != "H"
    ) or point == "\u3000"


def characters_of(text: str) -> list[str]:
    """The text in characters as people count them: a base with the variation selectors and combining marks after it."""
    found: list[str] = []
    for point in text:
        if found and unicodedata.category(point)[0] == "M":
            found[-1] += point
        else:
            found.append(point)
    return found


def substitute(
    text: str,
    table: Mapping[str, str],
    proposed: str | None = None,
    *,
    pointer: str,
    longest: int,
) -> Substituted:
    """A register text in certificate characters: `proposed` by the municipality, or by the table.

    Characters inside the repertoire are written as they are, nothing is normalised. One outside is replaced by one
    character and its position told: by what `proposed` has there, else by the table, else, if it is an ideograph with
    a variation selector, by its base. Half-width characters have no substitutes: the register writes full width.

    Raises Refusal(MALFORMED) for empty or overlong text (`longest` characters), control and half-width characters;
    Refusal(ITEMS_DIFFER) when `proposed` differs where nothing needs replacing; Refusal(SUBSTITUTE_NEEDED) with
    `positions` where no substitute is known, or a proposed one is outside the repertoire itself.
    """
    if proposed is None and len(text) <= longest and text.strip() and all(map(_is_plain, text)):
        return Substituted(text, ())  # what most texts are
    characters = characters_of(text)
    _refuse_malformed(characters, pointer, longest)
    positions = tuple(i for i, character in enumerate(characters) if not in_repertoire(character))
    if proposed is None:
        written = [*characters]
        for i in positions:
            written[i] = _replacement(characters[i], table)
    else:
        written = characters_of(proposed)
        _refuse_other_changes(characters, written, positions, pointer)
    if missing := [i for i in positions if not in_repertoire(written[i])]:
        raise Refusal(
            Code.SUBSTITUTE_NEEDED,
            "characters at these positions are outside JIS X 0208 and X 0212 and have no known substitute; "
            "propose the text as the certificate shall write it",
            pointer=pointer,
            facts={"positions": missing},
        )
    return Substituted("".join(written), positions)


def _replacement(character: str, table: Mapping[str, str]) -> str:
    """The substitute, or the character itself when there is none."""
    base = character.rstrip(_SELECTORS) or character
    return table.get(character) or table.get(base) or base


def _refuse_malformed(characters: list[str], pointer: str, longest: int) -> None:
    if len(characters) > longest or not "".join(characters).strip():
        raise Refusal(Code.MALFORMED, f"want from 1 to {longest} characters, not only spaces", pointer=pointer)
    if positions := [i for i, c in enumerate(characters) if any(unicodedata.category(p) in _CONTROLS for p in c)]:
        raise Refusal(
            Code.MALFORMED,
            "there are control or format characters, or broken ones, at these positions",
            pointer=pointer,
            facts={"positions": positions},
        )
    if positions := [
        i for i, c in enumerate(characters) if c[0].isascii() or unicodedata.east_asian_width(c[0]) == "H"
    ]:
        raise Refusal(
            Code.MALFORMED,
            "characters at these positions are half width; write letters, digits, kana and spaces full width, "
            "as the register does",
            pointer=pointer,
            facts={"positions": positions},
        )


def _refuse_other_changes(characters: list[str], written: list[str], positions: tuple[int, ...], pointer: str) -> None:
    if len(written) != len(characters):
        raise Refusal(
            Code.ITEMS_DIFFER,
            "the proposed text must have as many characters as the register's: one substitute for one character",
            pointer=pointer,
        )
    if changed := [
        i for i, pair in enumerate(zip(characters, written, strict=True)) if pair[0] != pair[1] and i not in positions
    ]:
        raise Refusal(
            Code.ITEMS_DIFFER,
            "the proposed text differs from the register at positions where no substitute is needed",
            pointer=pointer,
            facts={"positions": changed},
        )


def load_substitutes(content: Mapping[str, object]) -> Mapping[str, str]:
    """Register character to certificate character, from a parsed document with rows `substitute`
    (`character`, `use`, `source`). Raises TableFaults with every fault found."""
    table = Table("substitute")
    substitutes: dict[str, str] = {}
    for row in table.rows(content, ("character", "use", "source")):
        character, use = row.text("character"), row.text("use")
        row.text("source")
        if len(characters_of(character)) != 1 or in_repertoire(character):
            row.fault("character: want one character that certificates cannot write")
        if not in_repertoire(use):
            row.fault("use: want one character that certificates can write")
        if character in substitutes:
            row.fault("this character stands twice")
        substitutes[character] = use
    table.done()
    return MappingProxyType(substitutes)
