"""Rules of issuance that are numbers: in how many steps certificates are handed over, and who may have which."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from types import MappingProxyType

from domain.birth import BirthDate
from domain.certificates import Kind
from domain.errors import Code, Refusal
from policies.tables import Table
from policies.validity import age_on, last_birthday_after


class IssuanceRule(Enum):
    """What a row of the table of issuance is about."""

    FIRST_ISSUE = "first-issue"
    ADDITION = "addition"
    REPLACEMENT = "replacement"
    CARD_LIFE = "card-life"
    CARD_LIFE_OF_MINORS = "card-life-of-minors"
    MAJORITY = "majority"
    WARDS = "wards"


ONE_STEP, TWO_STEPS = 1, 2
"""A certificate is the live one as soon as it is issued; or it is pending until its delivery is reported."""

_RULES = {rule.value: rule for rule in IssuanceRule}
_COLUMNS = ("rule", "title_ja", "title_en", "value", "meaning", "source", "verified")
_RANGES = {
    IssuanceRule.FIRST_ISSUE: (ONE_STEP, TWO_STEPS),
    IssuanceRule.ADDITION: (ONE_STEP, TWO_STEPS),
    # There is one live certificate of a kind on a carrier: what replaces it has to wait.
    IssuanceRule.REPLACEMENT: (TWO_STEPS, TWO_STEPS),
    IssuanceRule.CARD_LIFE: (1, 20),
    IssuanceRule.CARD_LIFE_OF_MINORS: (1, 20),
    IssuanceRule.MAJORITY: (15, 25),
    IssuanceRule.WARDS: (0, 1),
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


def steps_rule(*, alone: bool, replaces: bool) -> IssuanceRule:
    """By which row new certificates are handed over: those that replace live ones, those added to a live one
    (`alone`), and all others have one each."""
    return IssuanceRule.REPLACEMENT if replaces else IssuanceRule.ADDITION if alone else IssuanceRule.FIRST_ISSUE


def waits_for_delivery(rules: IssuanceRules, rule: IssuanceRule) -> bool:
    """Whether certificates of this row are pending until they are reported to be on their carrier."""
    return rules[rule].value == TWO_STEPS


def require_card_life(rules: IssuanceRules, birth_date: BirthDate, expires_on: date, today: date) -> None:
    """Return if a card of this holder that was made by `today` (JST) can be valid through `expires_on`.

    Cards end on a birthday counted from their issue; those of minors sooner. Of a birth date that is not wholly known,
    the latest birthday that there can be counts: nobody is refused for what the register does not know. Raises
    Refusal(CARD_LIFE).
    """
    minor = birth_date.whole is not None and age_on(birth_date, today) < rules[IssuanceRule.MAJORITY].value
    years = rules[IssuanceRule.CARD_LIFE_OF_MINORS if minor else IssuanceRule.CARD_LIFE].value
    if expires_on > last_birthday_after(birth_date, today, years):
        raise Refusal(
            Code.CARD_LIFE,
            f"no card of this holder is valid that long: cards end on the {years}th birthday after their issue at the "
            "latest; send the last day as the card has it",
            pointer="/card/expires_on",
        )


def require_no_ward(rules: IssuanceRules, kinds: Container[Kind]) -> None:
    """Return if somebody under guardianship of adults (成年被後見人) may have certificates of these kinds.

    Raises Refusal(UNDER_GUARDIANSHIP) for a signing certificate, unless the table permits it.
    """
    if Kind.SIGNATURE in kinds and not rules[IssuanceRule.WARDS].value:
        raise Refusal(
            Code.UNDER_GUARDIANSHIP,
            "signing certificates are not issued to adults under guardianship; apply for the authentication "
            "certificate alone",
            pointer="/requests/signature",
        )
