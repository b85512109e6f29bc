"""Rules of issuance that are numbers: in how many steps certificates are handed over, and who may have which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from policies.tables import Table


class IssuanceRule(Enum):
    """What a row of the table of issuance is about."""

    FIRST_ISSUE = "first-issue"
    ADDITION = "addition"
    REPLACEMENT = "replacement"


ONE_STEP, TWO_STEPS = 1, 2
"""A certificate is the live one as soon as it is issued; or it is pending until its delivery is reported."""

_RULES = {rule.value: rule for rule in IssuanceRule}
_COLUMNS = ("rule", "title_ja", "title_en", "value", "meaning", "source", "verified")
_RANGES = {
    IssuanceRule.FIRST_ISSUE: (ONE_STEP, TWO_STEPS),
    IssuanceRule.ADDITION: (ONE_STEP, TWO_STEPS),
    # There is one live certificate of a kind on a carrier: what replaces it has to wait.
    IssuanceRule.REPLACEMENT: (TWO_STEPS, TWO_STEPS),
}


@dataclass(frozen=True, slots=True)
class IssuanceRow:
    """One row: `meaning` says what the number is, `source` where it is written."""

    rule: IssuanceRule
    title_ja: str
    title_en: str
    value: int
    meaning: str
    source: str
    verified: bool


IssuanceRules = Mapping[IssuanceRule, IssuanceRow]


def load_issuance(content: Mapping[str, object]) -> IssuanceRules:
    """The table from a parsed document with rows `rule`. Raises TableFaults with every fault found, a rule without a
    row among them."""
    table = Table("rule")
    rules: dict[IssuanceRule, IssuanceRow] = {}
    for row in table.rows(content, _COLUMNS):
        rule = row.choice("rule", _RULES)
        title_ja, title_en, meaning = row.text("title_ja"), row.text("title_en"), row.text("meaning")
        source, verified = row.text("source"), row.flag("verified")
        value = row.integer("value", *_RANGES[rule]) if rule is not None else 0
        if rule in rules:
            row.fault("this rule stands twice")
        if rule is not None:
            rules[rule] = IssuanceRow(rule, title_ja, title_en, value, meaning, source, verified)
    table.require_all(_RULES, rules)
    return MappingProxyType(rules)


def waits_for_delivery(rules: IssuanceRules, *, alone: bool, replaces: bool) -> bool:
    """Whether new certificates are pending until they are reported to be on their carrier: those that replace live
    ones, those added to a live one (`alone`), and all others have a row each."""
    rule = IssuanceRule.REPLACEMENT if replaces else IssuanceRule.ADDITION if alone else IssuanceRule.FIRST_ISSUE
    return rules[rule].value == TWO_STEPS
