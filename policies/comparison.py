"""Comparison of a name or an address that a verifier holds with a certificate's: equal, by which rules, or not.

Nothing is merged that differs: every tolerance is a named rule, and where a rule cannot tell, a person has to.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, field
from enum import Enum

from domain.substitution import VariantRule
from policies.addresses import Gazetteer, Number, align_heads, tokens_of
from policies.notation import COMMON, Cell, Cells, NotationRule, folded, idle_folds
from policies.variants import Variants


class Verdict(Enum):
    """What a comparison says."""

    EQUAL = "equal"
    EQUAL_BY_RULES = "equal-by-rules"
    DIFFERENT = "different"
    UNDECIDABLE = "undecidable"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict, the rules without which the two would not be equal, in their order, and the `tables`, by their
    rules, that joined characters. It holds nothing of the texts."""

    verdict: Verdict
    rules: tuple[NotationRule, ...] = ()
    tables: tuple[VariantRule, ...] = ()


class _Match(Enum):
    """How two texts meet under some rules, from best to worst."""

    SAME = 0
    DOUBTFUL = 1
    APART = 2


@dataclass(frozen=True, slots=True)
class _Judge:
    """What may be tolerated, and a note of the tables that were needed."""

    rules: Set[NotationRule]
    variants: Variants
    tables: list[VariantRule] = field(default_factory=list)


RULES_OF_NAMES = (*COMMON, NotationRule.SPACE, NotationRule.ITAIJI, NotationRule.SUBSTITUTE)
"""Names know these; addresses know all."""

_NO_NOTATION = frozenset("〓\ufffd?？\ufffc")


def compare_names(held: str, written: str, variants: Variants, flags: str = "") -> Comparison:
    """A name that a verifier holds and the one `written` in a certificate with its `flags` (one digit a character, `1`
    for a substitute). Without flags the two sides are alike: the comparison is symmetric, and each text equals itself.
    """

    def match(judge: _Judge) -> _Match:
        one, other = folded(held, judge.rules, place=False), folded(written, judge.rules, flags, place=False)
        if NotationRule.SPACE in judge.rules:
            one, other = _spaced_alike(one, other)
        return _match_cells(one, other, judge)

    return _compare(held, written, RULES_OF_NAMES, variants, match)


def compare_addresses(held: str, written: str, variants: Variants, gazetteer: Gazetteer, flags: str = "") -> Comparison:
    """As `compare_names`, for addresses: their numbers, counters and place names."""

    def match(judge: _Judge) -> _Match:
        one, other = folded(held, judge.rules), folded(written, judge.rules, flags)
        first, second, doubtful = align_heads(one, other, judge.rules, gazetteer)
        found = _match_addresses(first, second, judge)
        return _Match.DOUBTFUL if doubtful and found is _Match.SAME else found

    return _compare(held, written, tuple(NotationRule), variants, match)


def _compare(
    held: str,
    written: str,
    rules: tuple[NotationRule, ...],
    variants: Variants,
    match: Callable[[_Judge], _Match],
) -> Comparison:
    if held == written:
        return Comparison(Verdict.EQUAL)
    if not held.strip() or not written.strip():
        return Comparison(Verdict.UNDECIDABLE)
    needed = frozenset(rules)
    match match(_Judge(needed, variants)):
        case _Match.APART:
            return Comparison(Verdict.DIFFERENT)
        case _Match.DOUBTFUL:
            return Comparison(Verdict.UNDECIDABLE)
    # A rule is told when the texts are not the same without it; the last ones are tried first.
    needed -= idle_folds(held, written, needed)
    for rule in reversed(rules):
        if rule in needed and match(_Judge(needed - {rule}, variants)) is _Match.SAME:
            needed -= {rule}
    last = _Judge(needed, variants)
    match(last)
    return Comparison(
        Verdict.EQUAL_BY_RULES, tuple(rule for rule in rules if rule in needed), tuple(dict.fromkeys(last.tables))
    )


def _spaced_alike(one: Cells, other: Cells) -> tuple[list[Cell], list[Cell]]:
    """Names without spaces when one of them has none; else with single ones, which must stand at the same places:
    林　田太郎 is not 林田　太郎."""
    words = [_words(one), _words(other)]
    if min(map(len, words)) == 1:
        return _joined(words[0], []), _joined(words[1], [])
    return _joined(words[0], [Cell(" ")]), _joined(words[1], [Cell(" ")])


def _words(cells: Cells) -> list[list[Cell]]:
    words: list[list[Cell]] = [[]]
    for cell in cells:
        if not cell.text.isspace():
            words[-1].append(cell)
        elif words[-1]:
            words.append([])
    return words if words[-1] or len(words) == 1 else words[:-1]


def _joined(words: list[list[Cell]], space: list[Cell]) -> list[Cell]:
    return [cell for at, word in enumerate(words) for cell in (*(space if at else ()), *word)]


def _match_addresses(one: Cells, other: Cells, judge: _Judge) -> _Match:
    found = _Match.SAME
    tokens = tokens_of(one), tokens_of(other)
    for first, second in zip(*tokens, strict=False):
        if isinstance(first, Number) and isinstance(second, Number):
            step = _match_numbers(first, second, judge.rules)
        elif isinstance(first, Number) or isinstance(second, Number):
            return _Match.APART
        else:
            step = _match_cells(first, second, judge)
        if step is _Match.APART:
            return step
        found = max(found, step, key=lambda match: match.value)
    length = min(map(len, tokens))
    longer = max(tokens, key=len)
    if len(longer) > length:
        # One of them also tells the building. A number more is another place.
        numbered = any(isinstance(token, Number) for token in longer[:length])
        return _Match.DOUBTFUL if numbered and not isinstance(longer[length], Number) else _Match.APART
    return found


def _match_numbers(one: Number, other: Number, rules: Set[NotationRule]) -> _Match:
    """Equal numbers match when neither counter contradicts the other: 三丁目２ is not 三番２号."""
    if one.value != other.value:
        return _Match.APART
    if one.figures != other.figures:
        rule = NotationRule.KANJI_NUMBER if "〇" in (one.figures, other.figures) else NotationRule.WIDTH
        if rule not in rules:
            return _Match.APART
    if one.unit == other.unit:
        return _Match.SAME
    labels = {one.label, other.label}
    if NotationRule.COUNTER not in rules:
        return _Match.APART
    if len(labels) == 1 or "" in labels:
        return _Match.SAME
    if labels == {"ban", "banchi"}:
        return _Match.SAME if NotationRule.BANCHI in rules else _Match.APART
    return _Match.DOUBTFUL if labels == {"go", "room"} else _Match.APART


def _match_cells(one: Cells, other: Cells, judge: _Judge) -> _Match:
    if len(one) != len(other):
        return _Match.APART
    found = _Match.SAME
    for first, second in zip(one, other, strict=True):
        if first.text == second.text:
            continue
        step = _match_characters(first, second, judge)
        if step is _Match.APART:
            return step
        found = max(found, step, key=lambda match: match.value)
    return found


def _match_characters(one: Cell, other: Cell, judge: _Judge) -> _Match:
    relation, table = judge.variants.relation(one.text, other.text)
    flagged = one.flagged or other.flagged
    if (relation == "yes" and NotationRule.ITAIJI in judge.rules) or (
        relation != "no" and flagged and NotationRule.SUBSTITUTE in judge.rules
    ):
        judge.tables.extend([table] if table else [])
        return _Match.SAME
    # Behind a flag stands another character than the register's: without a table nobody can tell which that was.
    if flagged or relation == "maybe" or _says_nothing(one.text) or _says_nothing(other.text):
        return _Match.DOUBTFUL
    return _Match.APART


def _says_nothing(text: str) -> bool:
    """Whether it stands for a character that the writer could not write: a private one (外字), a geta mark."""
    return text in _NO_NOTATION or any("\ue000" <= point <= "\uf8ff" or point >= "\U000f0000" for point in text)
