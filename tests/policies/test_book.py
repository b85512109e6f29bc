"""The rulebook is whole: nothing in the code decides by a rule that is not in it, and no row of it decides nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from config.rules import load_admission
from domain.certificates import IssuerId
from domain.detection import Grade
from domain.handles import Correspondence
from domain.people import MunicipalityCode
from domain.revocation import CrlReason, Revocation, RevocationCause
from policies.causes import standing_after
from policies.code_rules import CODE_RULES
from policies.correspondence import CORRESPONDENCE_RULES
from policies.detection import RESTRAINT_RULES
from tests.support.people import serial_of
from tests.support.rule_page import rulebook
from tests.test_house import MODULES, ROOT, tree

NOW, DAY = datetime(2027, 4, 1, tzinfo=UTC), timedelta(days=1)

TABLES = {
    "policies.rulings.AdmissionTable": ("admission", "operator"),
    "policies.correspondence.may_know": ("correspondence",),
    "policies.correspondence.require_correspondence": ("correspondence",),
    "policies.correspondence.correspondence_rule": ("correspondence",),
    "policies.causes.orders_for": ("revocation",),
    "residents.decision.decide": ("event",),
    "policies.issuance.steps_rule": ("issuance",),
    "policies.issuance.waits_for_delivery": ("issuance",),
    "policies.retention.RetentionRule": ("retention",),
    "policies.standings.VerifierRules": ("standing", "criterion", "purpose"),
    "policies.detection.judge": ("detection",),
    "policies.detection.DetectionRule": ("detection",),
    "policies.detection.RestraintRule": ("restraint",),
}
"""What decides by the rows of a table; a hold's are read where holds are lifted and grow old (domain.holds)."""

WRITTEN = {
    "addresses", "circumstances", "distribution", "code_rules", "extension_rules", "notation", "plan", "profile",
    "profile_faults", "regions", "repertoire", "replay", "rulebook", "subject", "tables", "variants",
}  # fmt: skip
"""Modules that put things into words and figures, for the rules that stand beside them: what a certificate looks like
is a profile, and how texts are cut up is what rules of notation look at."""

FIGURES = {
    "policies.admission.Inquiry", "policies.keys.key_identifier", "policies.keys.has_small_factor",
    "policies.keys.has_close_factors", "policies.keys.is_roca",
    "policies.characters.propose", "policies.characters.list_substitutions",
    "policies.characters.Substituted", "policies.characters.Proposal", "policies.queues.fairness",
    "policies.rulings.AdmissionRule", "policies.validity.day_in_japan", "policies.validity.end_of_day",
    "policies.validity.birthday_after", "policies.validity.last_birthday_after", "policies.validity.age_on",
    "policies.validity.authority_validity", "policies.validity.last_day_of_years",
    "policies.validity.responder_validity",
}  # fmt: skip
"""Figures, and words for people: they decide nothing by themselves."""


def public(module: str) -> Iterator[str]:
    """The functions, and the classes with methods, of a module."""
    name = module.removesuffix(".py").replace("/", ".")
    for node in tree(module).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith(("_", "load_")):
            yield f"{name}.{node.name}"
        if isinstance(node, ast.ClassDef) and any(
            isinstance(part, ast.FunctionDef) and not part.name.startswith("_") for part in node.body
        ):
            yield f"{name}.{node.name}"


def places(rule_id: str) -> list[str]:
    """Where a rule that is a function stands."""
    (rule,) = [rule for rule in CODE_RULES if rule.id == rule_id]
    return re.findall(r"`([^`]+)`", rule.when)


def test_every_function_of_policies_decides_by_a_rule_of_the_book() -> None:
    modules = [module for module in MODULES if module.startswith("policies/") and Path(module).stem not in WRITTEN]
    known = {*TABLES, *FIGURES, *(place for rule in CODE_RULES for place in places(rule.id))}
    assert len(modules) > 12
    assert [name for module in modules for name in public(module) if name not in known] == []


def test_what_is_said_to_decide_is_there() -> None:
    tables = {rule.table for rule in rulebook()}
    assert {table for named in TABLES.values() for table in named} == tables - {"code", "hold", "notation"}
    for place in (*TABLES, *FIGURES, *(place for rule in CODE_RULES for place in places(rule.id))):
        module, _, name = place.rpartition(".")
        assert hasattr(import_module(module), name), place


@cache
def imported() -> frozenset[str]:
    """Everything that some module takes from another."""
    return frozenset(
        f"{node.module}.{name.name}"
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    )


@pytest.mark.parametrize("rule", [rule.id for rule in CODE_RULES])
def test_every_rule_that_is_a_function_is_asked(rule: str) -> None:
    assert [place for place in places(rule) if place not in imported()] == []


# --- what refusals, records and alarms name --------------------------------------------------------------------------


def named_rules() -> Iterator[tuple[str, str]]:
    """(module, source text) of whatever stands as `rule` in the facts of a refusal."""
    for module in MODULES:
        for node in ast.walk(tree(module)):
            if not isinstance(node, ast.Call):
                continue
            for keyword in node.keywords:
                if keyword.arg == "facts" and isinstance(keyword.value, ast.Dict):
                    pairs = zip(keyword.value.keys, keyword.value.values, strict=True)
                    yield from (
                        (module, ast.unparse(value))
                        for key, value in pairs
                        if isinstance(key, ast.Constant) and key.value == "rule"
                    )


ROWS = {
    "policies/correspondence.py": {"rule.id": {row.id for row in CORRESPONDENCE_RULES}},
    "policies/detection.py": {"self.id": {row.id for row in RESTRAINT_RULES}},
}
"""Where a row names itself, and the rows that there are. Those of admission put their facts together first."""


def test_whatever_refuses_by_a_rule_names_one_of_the_book() -> None:
    words, found = {rule.word for rule in rulebook()}, list(named_rules())
    assert {module for module, _ in found} >= set(ROWS)
    for module, text in found:
        if text.startswith("'"):
            assert ast.literal_eval(text) in words, module
        else:
            assert text in ROWS.get(module, {}), f"{module} names {text}, which may be anything"
            assert ROWS[module][text] <= words


def test_facts_with_a_rule_are_put_together_in_one_other_place() -> None:
    """A dictionary that is named first and given to a refusal then."""
    found = [
        (module, ast.unparse(node.value))
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.Dict)
        and {"rule", "source"} <= {getattr(key, "value", None) for key in node.value.keys}
    ]
    assert found == [
        ("policies/rulings.py", "{'rule': row.id, 'source': row.source, 'verified': row.verified}"),
    ]
    rows = [*load_admission().status.rows, *load_admission().operators.rows]
    assert {row.id for row in rows} <= {rule.word for rule in rulebook()}


def test_records_of_refusals_are_made_in_one_place() -> None:
    """By the gate, of the rule that the refusal names; what reads them back knows the same word."""
    made = re.compile(r"""f["']refused: \{|= ["']refused: ["']""")
    found = [module for module in MODULES if made.search((ROOT / module).read_text("utf-8"))]
    assert [module for module in found if not module.startswith("policies/")] == [
        "detection/sketch.py",
        "verifiers/gate.py",
    ]


def test_every_grade_that_restrains_has_one_row_and_every_correspondence_too() -> None:
    assert [row.grade for row in RESTRAINT_RULES] == [Grade.TRY_LATER, Grade.BLOCK]
    assert sorted(row.correspondence.value for row in CORRESPONDENCE_RULES) == sorted(
        one.value for one in Correspondence
    )


def test_what_is_revoked_stays_as_it_is() -> None:
    area, end = MunicipalityCode("132217"), NOW + timedelta(days=365)
    held = Revocation(IssuerId("signature-g1"), serial_of("x"), area, RevocationCause.TEMPORARY_STOP,
                      CrlReason.CERTIFICATE_HOLD, NOW, end)  # fmt: skip
    later = replace(held, cause=RevocationCause.CARD_LOST, reason=CrlReason.KEY_COMPROMISE, revoked_at=NOW + DAY)
    assert standing_after(None, later) is later
    assert standing_after(later, held) is None
    assert standing_after(held, held) is None
    assert standing_after(later, replace(later, reason=CrlReason.SUPERSEDED)) is None
    assert standing_after(held, later) == replace(later, revoked_at=held.revoked_at)
