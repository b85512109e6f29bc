"""Variants of characters: the rules and tables that say which character may stand for which."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from domain.substitution import SubstitutionRule, VariantRule
from policies.repertoire import REPERTOIRE, base_of, characters_of
from policies.tables import Table, TableFaults

_UNCONFIRMED: Mapping[str, Literal["flag", "refuse"]] = {"flag": "flag", "refuse": "refuse"}
_SAME: Mapping[str, Literal["yes", "maybe", "no"]] = {"yes": "yes", "maybe": "maybe", "no": "no"}


@dataclass(frozen=True, slots=True)
class Variants:
    """The rules in order of preference, and their tables: a character and what it may be replaced by.

    CANONICAL and SELECTOR need no table; HOLDER, the last row, is what is left when no table gives the pair. `apart`
    are pairs that a table joins and that are two characters all the same.
    """

    rows: tuple[SubstitutionRule, ...]
    tables: Mapping[VariantRule, Mapping[str, tuple[str, ...]]]
    apart: frozenset[frozenset[str]] = frozenset()

    def targets(self, rule: VariantRule, character: str) -> tuple[str, ...]:
        """What the rule makes of a character, not all of it writable. A table that is silent about a variation sequence
        is asked about its base, unless certificates can write that."""
        base = base_of(character)
        match rule:
            case VariantRule.CANONICAL:
                composed = unicodedata.normalize("NFC", character)
                return () if composed == character else (composed,)
            case VariantRule.SELECTOR:
                return () if base == character else (base, unicodedata.normalize("NFC", base))
        table = self.tables.get(rule, {})
        return table.get(character) or (() if base in REPERTOIRE else table.get(base, ()))

    def choices(self, character: str) -> tuple[SubstitutionRule | None, tuple[str, ...]]:
        """The first rule that gives a character which certificates can write, and all that it gives; or nothing."""
        for row in self.rows:
            found = tuple(dict.fromkeys(t for t in self.targets(row.rule, character) if t in REPERTOIRE))
            if found:
                return row, found
        return None, ()

    def row_for(self, character: str, substitute: str) -> SubstitutionRule:
        """The first rule by which the substitute stands for the character; the last row (HOLDER) if there is none."""
        return next((row for row in self.rows if substitute in self.targets(row.rule, character)), self.rows[-1])

    def relation(self, one: str, other: str) -> tuple[Literal["yes", "maybe", "no"], VariantRule | None]:
        """Whether two characters are forms of one, in either direction, and by which rule: yes by a table that says so,
        maybe by a table of likenesses, or (by no one rule) when both are forms of the same third character; no of those
        that are `apart`."""
        if frozenset((one, other)) in self.apart:
            return "no", None
        found: VariantRule | None = None
        thirds: list[set[str]] = [set(), set()]
        for row in self.rows:
            if row.same == "no" or row.rule not in self.tables:
                continue
            targets = [{*self.targets(row.rule, character)} for character in (one, other)]
            if other in targets[0] or one in targets[1]:
                if row.same == "yes":
                    return "yes", row.rule
                found = row.rule
            thirds = [third | target for third, target in zip(thirds, targets, strict=True)]
        return ("maybe" if found or thirds[0] & thirds[1] else "no"), found


def load_rules(content: Mapping[str, object]) -> tuple[SubstitutionRule, ...]:
    """The rows of `rule`, in their order, HOLDER last. Raises TableFaults with every fault found."""
    table = Table("rule")
    rules = {rule.value: rule for rule in VariantRule}
    found: dict[VariantRule, SubstitutionRule] = {}
    for row in table.rows(content, ("rule", "title_en", "title_ja", "table", "unconfirmed", "same")):
        rule = row.choice("rule", rules)
        unconfirmed, same = row.choice("unconfirmed", _UNCONFIRMED), row.choice("same", _SAME)
        titles = row.text("title_en"), row.text("title_ja")
        name = row.text("table") if rule is not VariantRule.HOLDER else ""
        if rule in found:
            row.fault("this rule stands twice")
        if rule and unconfirmed and same:
            found[rule] = SubstitutionRule(rule, *titles, name, unconfirmed, same)
    table.require_all(rules, found)
    if [*found][-1] is not VariantRule.HOLDER:
        raise TableFaults(table.name, ["rule holder must stand last: it is what no table explains"])
    return tuple(found.values())


def load_project_rows(content: Mapping[str, object]) -> Mapping[str, tuple[str, ...]]:
    """This project's own rows `variant` (`character`, `use`, `source`). Raises TableFaults with every fault found."""
    table = Table("variant")
    found: dict[str, tuple[str, ...]] = {}
    rows = {name: value for name, value in content.items() if name != "apart"}
    for row in table.rows(rows, ("character", "use", "source")):
        character, use = row.text("character"), row.text("use")
        row.text("source")
        if len(characters_of(character)) != 1 or character == use:
            row.fault("character: want one character, and another than its substitute")
        if use not in REPERTOIRE:
            row.fault("use: want one character that certificates can write")
        if character in found:
            row.fault("this character stands twice")
        found[character] = (use,)
    table.done()
    return found


def load_apart(content: Mapping[str, object]) -> frozenset[frozenset[str]]:
    """The pairs of `apart` in the same document: texts of pairs with spaces between them. Raises TableFaults."""
    lines = content.get("apart", [])
    words = (
        [word for line in lines if isinstance(line, str) for word in line.split()] if isinstance(lines, list) else []
    )
    pairs = frozenset(frozenset(word) for word in words)
    if not words or len(pairs) < len(words) or {*map(len, words), *map(len, pairs)} != {2}:
        raise TableFaults("apart", ["want pairs of two different characters, each once"])
    return pairs


def load_tables(name: str, lines: Iterable[str]) -> dict[VariantRule, Mapping[str, tuple[str, ...]]]:
    """Tables as `config/data/make_variants.py` writes them: below a rule's name a character and its targets, by code
    point. Raises TableFaults at the first line that is none."""
    tables: dict[VariantRule, Mapping[str, tuple[str, ...]]] = {}
    rows: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(lines, start=1):
        if line.startswith("#"):
            continue
        try:
            if line.startswith("["):
                tables[VariantRule(line.strip("[]"))] = rows = {}
            else:
                character, *targets = ["".join([chr(int(p, 16)) for p in word.split("+")]) for word in line.split(" ")]
                rows[character] = tuple(targets)
        except ValueError:
            raise TableFaults(name, [f"line {number}: want [a rule], or code points in hex"]) from None
    return tables
