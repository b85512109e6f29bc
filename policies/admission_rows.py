"""Rows of admission as they come out of TOML, and what no row may do whoever agreed on it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

from domain.errors import Code
from policies.circumstances import FACTS
from policies.regions import Region, deal
from policies.rulings import AdmissionRule, AdmissionRules, AdmissionTable, Condition
from policies.tables import Row, Table

STATUS, OPERATORS = "admission", "operator"
_OUTCOMES: Mapping[str, Code | None] = {
    "admitted": None,
    **{code.value: code for code in (Code.UNKNOWN_CALLER, Code.NOT_ADMITTED)},
}
_COLUMNS = ("rule", "outcome", "title_ja", "title_en", "source", "verified")
_MOST_ROWS = 100
_ID = re.compile(r"[a-z][a-z0-9-]{2,34}")
"""Provision records have room for it behind `refused: `."""
_LONGEST = 300

_VERIFIER: Condition = {"caller": frozenset({"verifier"}), "registration": frozenset({"in-force"})}
FLOOR: Mapping[str, Condition] = MappingProxyType(
    {
        STATUS: {
            **_VERIFIER,
            "approval": frozenset({"in-force"}),
            "provider": frozenset({"none", "in-force"}),
            "credential": frozenset({"unbound", "this-purpose"}),
            "purpose": frozenset({"approved"}),
        },
        OPERATORS: {
            **_VERIFIER,
            "registered-for": frozenset({"this-kind"}),
            "provider": frozenset({"none", "not-in-force", "in-force"}),
        },
    }
)
"""Whom a row may admit where status is not open to everybody: closed lists (公的個人認証法 §17(1), §36(1)), in force
(§18(7)), for what it was provided for (§19, §52(1))."""


def load_admission(content: Mapping[str, object], purposes: Collection[str]) -> AdmissionRules:
    """The two tables from a parsed document; rows may name these purposes. Raises TableFaults with every fault."""
    words = {**FACTS, "declared": (*FACTS["declared"], *purposes)}
    table = Table(STATUS)
    table.faults += [
        f"{key}: nobody knows this key; is it misspelt?" for key in content if key not in (STATUS, OPERATORS)
    ]
    status, operators = (_table(name, content, words, table.faults) for name in (STATUS, OPERATORS))
    table.done()
    return AdmissionRules(status, operators, frozenset(purposes))


def _table(
    name: str, content: Mapping[str, object], words: Mapping[str, tuple[str, ...]], faults: list[str]
) -> AdmissionTable:
    known = len(faults)
    rules: list[AdmissionRule] = []
    for row in Table(name, faults).rows({name: content.get(name)}, _COLUMNS, ("when",)):
        rules.append(_rule(row, words))
        if rules[-1].id in {rule.id for rule in rules[:-1]}:
            row.fault(f"{rules[-1].id} stands twice")
        if not _ID.fullmatch(rules[-1].id) or len(rules[-1].detail) > _LONGEST:
            row.fault(f"want a rule of 3 to 35 small letters, digits and hyphens, and up to {_LONGEST} characters each")
    if len(faults) == known:
        faults += (f"{name}: {fault}" for fault in _misrule(rules, words, FLOOR[name]))
    return AdmissionTable(rules)


def _rule(row: Row, words: Mapping[str, tuple[str, ...]]) -> AdmissionRule:
    row.choice("outcome", {word: word for word in _OUTCOMES})
    refusal = _OUTCOMES.get(str(row.content.get("outcome")))
    parts = row.parts("when", tuple(words)) if "when" in row.content else []
    conditions = [
        MappingProxyType({fact: part.choices(fact, {word: word for word in words[fact]}) for fact in part.content})
        for part in parts
        if part.content.keys() <= words.keys()
    ]
    return AdmissionRule(
        row.text("rule"),
        tuple(conditions) or (MappingProxyType({}),),
        refusal,
        row.text("title_en"),
        row.text("title_ja"),
        row.text("source"),
        row.flag("verified"),
    )


def _misrule(rules: list[AdmissionRule], words: Mapping[str, tuple[str, ...]], floor: Condition) -> Iterator[str]:
    """What is wrong with the table as a whole."""
    whole: Region = {fact: frozenset(some) for fact, some in words.items()}
    if len(rules) > _MOST_ROWS:
        yield f"want {_MOST_ROWS} rows at most"
        return
    try:
        dealt, left = deal(whole, (rule.when for rule in rules))
    except ValueError:
        yield "the rows are too tangled; want fewer conditions"
        return
    if left:
        yield "there are cases that no row decides; want a last row without conditions (when)"
    for rule, regions in zip(rules, dealt, strict=True):
        if not regions:
            yield f"{rule.id} decides nothing: the rows before it take every case"
        if rule.refusal is None and (strangers := _below(regions, floor)):
            yield f"{rule.id} would admit, and no table may: {', '.join(strangers)}"


def _below(regions: list[Region], floor: Condition) -> list[str]:
    """What of the regions lies below the floor, where status is not open."""
    closed = [region for region in regions if "notified-verifiers" in region["access"]]
    return sorted({f"{fact} {word}" for region in closed for fact in floor for word in region[fact] - floor[fact]})
