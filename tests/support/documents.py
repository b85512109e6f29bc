"""The project's documents as tests read them: fenced blocks, names of functions, names of tests, links."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^(?P<mark>`{3,})(?P<about>[^\n`]*)\n(?P<text>.*?)^(?P=mark)[ ]*$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_TEST = re.compile(r"tests/[\w/]+\.py(?:::\w+)?")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: what stands behind the fence (language and remarks), the text, and its first line's number."""

    about: str
    text: str
    line: int


def read(document: str) -> str:
    return (ROOT / document).read_text("utf-8")


def blocks(text: str) -> list[Block]:
    return [
        Block(found["about"].strip(), found["text"], text.count("\n", 0, found.start("text")) + 1)
        for found in _FENCE.finditer(text)
    ]


@cache
def packages() -> tuple[str, ...]:
    """The packages that are installed, as `pyproject.toml` lists them."""
    project = tomllib.loads(read("pyproject.toml"))
    return tuple(project["tool"]["setuptools"]["packages"])


def layers() -> list[set[str]]:
    """The packages as the import contract stacks them, the highest first."""
    contracts = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (stack,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    return [set(line.split(" | ")) for line in stack]


def names_of_code(text: str) -> set[str]:
    """Dotted names of our packages: alone between backticks, or anywhere in a diagram."""
    dotted = re.compile(rf"(?:{'|'.join(packages())})(?:\.\w+)+")
    spans = [span for span in _SPAN.findall(_FENCE.sub("", text)) if dotted.fullmatch(span)]
    drawn = [name for block in blocks(text) if block.about == "mermaid" for name in dotted.findall(block.text)]
    return {*spans, *drawn}


def paths_of_code(text: str) -> set[str]:
    """Paths between backticks that begin with one of our folders."""
    path = re.compile(rf"(?:{'|'.join((*packages(), 'docs', 'tests', 'requirements'))})/[\w./-]*")
    return {span for span in _SPAN.findall(_FENCE.sub("", text)) if path.fullmatch(span)}


def names_of_tests(text: str) -> set[str]:
    return set(_TEST.findall(text))


def links(text: str) -> Iterator[str]:
    """Targets of links to other files of the project, without their anchors."""
    for target in _LINK.findall(_FENCE.sub("", text)):
        if not re.match(r"[a-z]+:|#", target):
            yield target.partition("#")[0]


def has_code(name: str) -> bool:
    """Whether our code has what a dotted name names: a module, what a module holds, or a function within a function
    (doors are those)."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part, None)
        return found is not None or parts[-1] in _functions("/".join(parts[:cut]) + ".py")
    return False


def has_test(name: str) -> bool:
    path, _, function = name.partition("::")
    return (ROOT / path).is_file() and (not function or function in _functions(path))


@cache
def _functions(path: str) -> frozenset[str]:
    """Names of all functions in a file, nested ones too."""
    if not (ROOT / path).is_file():
        return frozenset()
    return frozenset(node.name for node in ast.walk(ast.parse(read(path))) if isinstance(node, ast.FunctionDef))
