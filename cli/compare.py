"""`jpki compare`: whether names and addresses that a verifier holds are those of certificates, and by which rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import click

from cli.output import table
from config.municipalities import load_municipalities
from config.rules import load_variants
from domain.errors import Code, Refusal
from policies.addresses import Gazetteer
from policies.characters import LONGEST_ADDRESS
from policies.comparison import Verdict, compare_addresses, compare_names
from policies.repertoire import characters_of
from web.bodies import read_json

LONGEST = 5 * LONGEST_ADDRESS
"""Characters of a text that is compared; other systems write more into an address than registers do."""

_JAPANESE = {
    Verdict.EQUAL: "一致",
    Verdict.EQUAL_BY_RULES: "規則により一致",
    Verdict.DIFFERENT: "不一致",
    Verdict.UNDECIDABLE: "判定不能（人が確認）",
}


@dataclass(frozen=True, slots=True, repr=False)
class _Question:
    item: str
    held: str
    certificate: str
    substitutes: str = ""


@click.command("compare")
@click.argument("file", type=click.File("r", encoding="utf-8", errors="surrogateescape"))
def command(file: IO[str]) -> None:
    """Compare names and addresses with those of certificates: equal, equal by named rules, different, or for a person
    to decide.

    FILE (- for standard input) holds one JSON object a line: `item` (name or address), `held` (what the verifier has),
    `certificate` (the certificate's text) and, if there are any, `substitutes` (its digits, 1 where a substitute
    character stands). Neither text is printed. The exit code is 0 when every pair is equal, with or without rules.

    `jpki policy comparison` explains the rules.
    """
    variants, gazetteer = load_variants(), Gazetteer.of(load_municipalities().values())
    differing = False

    def rows() -> Iterator[tuple[object, ...]]:
        nonlocal differing
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            asked = _read(line, number)
            if asked.item == "name":
                found = compare_names(asked.held, asked.certificate, variants, asked.substitutes)
            else:
                found = compare_addresses(asked.held, asked.certificate, variants, gazetteer, asked.substitutes)
            differing = differing or found.verdict not in (Verdict.EQUAL, Verdict.EQUAL_BY_RULES)
            words = " ".join(rule.word for rule in found.rules)
            explained = "、".join(rule.title_ja for rule in found.rules)
            tables = " ".join(rule.value for rule in found.tables)
            yield number, asked.item, found.verdict.value, _JAPANESE[found.verdict], words, explained, tables

    table(("line", "item", "verdict", "判定", "rules", "規則", "tables"), rows())
    if differing:
        raise click.exceptions.Exit(1)


def _read(line: str, number: int) -> _Question:
    """One line's question. Raises Refusal(MALFORMED), which quotes nothing."""
    members = read_json(line.encode("utf-8", "surrogateescape"))
    required = {"item", "held", "certificate"}
    if isinstance(members, dict) and required <= members.keys() <= required | {"substitutes"}:
        texts = [text for text in members.values() if isinstance(text, str) and len(text) <= LONGEST]
        if len(texts) == len(members) and _is_sound(asked := _Question(**members)):
            return asked
    raise Refusal(
        Code.MALFORMED,
        f"line {number}: want an object of item (name or address), held and certificate, and substitutes with one "
        f"digit (0 or 1) for each character of the certificate's text; no text of more than {LONGEST} characters",
    )


def _is_sound(asked: _Question) -> bool:
    return (
        asked.item in ("name", "address")
        and set(asked.substitutes) <= {"0", "1"}
        and len(asked.substitutes) in (0, len(characters_of(asked.certificate)))
    )
