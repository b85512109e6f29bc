"""`docs/rules.md`, made of the rulebook and of `tests/rules.toml`: `python -m tests.support.rule_page` writes it."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache

from config.law import read_law, shipped_texts
from policies.code_rules import Rule
from policies.rulebook import rules_of
from tests.support.documents import ROOT

PAGE = "docs/rules.md"
TESTS = "tests/rules.toml"
_BEGIN = "## Source, rule, test\n"


def rulebook() -> tuple[Rule, ...]:
    return rules_of(read_law(shipped_texts()))


def lines() -> Mapping[str, list[str]]:
    """What stands in `tests/rules.toml`."""
    found: Mapping[str, list[str]] = tomllib.loads((ROOT / TESTS).read_text("utf-8"))
    return found


def judges_of(rule: Rule) -> list[str]:
    """The tests that fail if the rule decides otherwise; none when nobody named any."""
    return lines().get(rule.id) or lines().get(f"{rule.table}/*", [])


@cache
def functions(module: str) -> frozenset[str]:
    """The functions of a module of tests."""
    tree = ast.parse((ROOT / module).read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def render() -> str:
    """The whole page: its introduction as it stands, and the matrix."""
    introduction, _, _ = (ROOT / PAGE).read_text("utf-8").partition(_BEGIN)
    return introduction + _BEGIN + "".join(_matrix())


def _matrix() -> Iterator[str]:
    yield "\nMade by `python -m tests.support.rule_page`; a test holds it to the tables. **?**: not all is settled.\n"
    yield "\n| source | rule | what follows | | tests |\n| --- | --- | --- | --- | --- |\n"
    for rule in rulebook():
        named = " ".join(f"[{test.partition('::')[2]}](../{test.partition('::')[0]})" for test in judges_of(rule))
        cells = (_cell(rule.source), f"`{rule.id}`", _cell(rule.then), "" if rule.verified else "**?**", named)
        yield f"| {' | '.join(cells)} |\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main() -> None:
    (ROOT / PAGE).write_text(render(), "utf-8")


if __name__ == "__main__":
    main()
