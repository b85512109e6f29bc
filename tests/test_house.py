"""Rules of the whole house that no other tool holds, read from the source text of every module that is shipped."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parents[1]
ROOMS: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
MODULES = sorted(path.relative_to(ROOT).as_posix() for room in ROOMS for path in (ROOT / room).rglob("*.py"))
LONGEST = 350

CLOCKS = re.compile(
    r"(datetime|date)\.(now|utcnow|today)|time\.(time|time_ns|gmtime|localtime)|os\.urandom|uuid\.uuid."
)
CHANCE = ("secrets", "random", "uuid")
WORLDLY = ("config/assemble.py", "config/initialise.py", "keys/", "town/chance.py")

NUMBER = re.compile(r"(my|individual|personal|kojin)_?(number|bango)", re.IGNORECASE)


@cache
def tree(module: str) -> ast.Module:
    return ast.parse((ROOT / module).read_text("utf-8"))


def faults(judge: Callable[[str], Iterator[str]]) -> list[str]:
    """What `judge` finds in any module, with the module's name before it."""
    return [f"{module}: {fault}" for module in MODULES for fault in judge(module)]


def imports(module: str) -> Iterator[tuple[int, str, str]]:
    """(line, module, name) of everything that is imported; the name is empty for whole modules."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, node.module or "", name.name) for name in node.names)
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, name.name, "") for name in node.names)


def test_there_are_modules_to_judge() -> None:
    assert len(ROOMS) == 22
    assert len(MODULES) > 150


def test_time_and_chance_come_in_as_arguments() -> None:
    def judge(module: str) -> Iterator[str]:
        if module.startswith(WORLDLY):
            return
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Attribute) and CLOCKS.fullmatch(ast.unparse(node)):
                yield f"line {node.lineno} reads {ast.unparse(node)}"
        for line, source, name in imports(module):
            if source in CHANCE or (source, name) in (("time", "time"), ("os", "urandom")):
                yield f"line {line} imports {source}.{name}"

    assert faults(judge) == []


def test_flasks_context_stays_in_web() -> None:
    def judge(module: str) -> Iterator[str]:
        for line, source, name in imports(module):
            if source == "flask" and not module.startswith("web/"):
                yield f"line {line} imports {name}"

    assert faults(judge) == []


def test_a_module_says_what_it_holds_in_one_sentence() -> None:
    def judge(module: str) -> Iterator[str]:
        text = ast.get_docstring(tree(module)) or "nothing"
        if text.splitlines()[0][-1] not in ".!?":
            yield text

    assert faults(judge) == []


def test_everything_public_says_what_it_is() -> None:
    def judge(module: str) -> Iterator[str]:
        for node in tree(module).body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                continue
            if not ast.get_docstring(node):
                yield f"{node.name}, line {node.lineno}"

    assert [fault for fault in faults(judge) if "migrations/versions/" not in fault] == []


def test_a_module_can_be_read_at_a_sitting() -> None:
    lengths = {module: (ROOT / module).read_text("utf-8").count("\n") for module in MODULES}
    assert {module: length for module, length in lengths.items() if length > LONGEST} == {}


def test_no_individual_number_is_held_anywhere() -> None:
    """個人番号 stands in names of things, like the card; no field, column or parameter is one."""

    def judge(module: str) -> Iterator[str]:
        for node in ast.walk(tree(module)):
            for field in ("name", "id", "arg", "attr", "value"):
                if isinstance(name := getattr(node, field, None), str) and NUMBER.fullmatch(name):
                    yield name

    assert faults(judge) == []


def test_no_property_fails_because_the_machine_is_busy() -> None:
    assert settings().deadline is None
    assert HealthCheck.too_slow in settings().suppress_health_check
