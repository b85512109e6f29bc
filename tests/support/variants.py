"""Variants of characters: small tables, and substitutes as certificates have them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from config.rules import load_variants
from domain.substitution import Substitution, SubstitutionRule, VariantRule
from policies.variants import Variants

RULES = {row.rule: row for row in load_variants().rows}


def make_variants(tables: Mapping[VariantRule, Mapping[str, str]], **unconfirmed: Any) -> Variants:
    """The shipped rules over tables of one's own, in which each character of a text is a target. `unconfirmed` gives
    rules, by the names of their members in lower case, another consequence."""
    rows = tuple(
        replace(row, unconfirmed=unconfirmed.get(row.rule.name.lower(), row.unconfirmed)) for row in RULES.values()
    )
    return Variants(
        rows,
        {rule: {character: tuple(targets) for character, targets in table.items()} for rule, table in tables.items()},
    )


def make_substitution(
    position: int = 0,
    register: str = "\u9ad9",
    certificate: str = "高",
    rule: SubstitutionRule = RULES[VariantRule.MJ_UNIFICATION],
    **changes: Any,
) -> Substitution:
    return replace(Substitution("name", position, register, certificate, rule, confirmed=False), **changes)
