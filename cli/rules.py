"""`jpki policy list`, `why`, `text`, `replay`, `propose`: the rulebook, and changes of it that take two officers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from cli.output import table
from cli.parties import FILE
from cli.proposals import OFFICER, REASON, tell_made
from cli.state import open_state
from config.assemble import Services
from config.law import (
    KIND,
    TABLES,
    Texts,
    content_of,
    read_law,
    replay_change,
    shipped_texts,
    texts_in_force,
)
from config.officers import OfficerCredential
from config.settings import FILE_NAME
from config.traffic import doors_of
from domain.errors import Code, Refusal
from domain.events import Act
from policies.code_rules import Rule
from policies.replay import Replay
from policies.rulebook import LawTables, rules_behind, rules_of

_TABLE = click.argument("table_name", metavar="TABLE", type=click.Choice(TABLES))


def law_of(state: Path) -> LawTables:
    """The tables in force in the state directory, or without one those that ship."""
    return open_state(state).law if (state / FILE_NAME).exists() else read_law(shipped_texts())


def add_to(group: click.Group) -> None:
    """Have `jpki policy` know these commands."""
    for command in (list_, why, text, replay, propose):
        group.add_command(command)


@click.command("list")
@click.option("--table", "wanted", help="Only rules of this table, such as admission or revocation.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@click.pass_obj
def list_(state: Path, wanted: str | None, as_json: bool) -> None:
    """List every rule by id: when it holds, what follows, and where it is written. OPEN: something is not settled."""
    rows = [rule for rule in rules_of(law_of(state)) if wanted in (None, rule.table)]
    if not rows:
        raise Refusal(Code.NOT_FOUND, "no rule is of this table; jpki policy list names them all")
    heads = ("rule", "when", "then", "source", "state")
    cells = [(rule.id, rule.when, rule.then, rule.source, _seen(rule)) for rule in rows]
    if as_json:
        click.echo(json.dumps([dict(zip(heads, row, strict=True)) for row in cells], ensure_ascii=False, indent=2))
        return
    table(heads, cells)


@click.command("why")
@click.argument("decision")
@click.pass_obj
def why(state: Path, decision: str) -> None:
    """Say why something was decided.

    DECISION is the id of a rule, such as admission/caller-unknown, the word that a refusal or a record of one names, or
    the number of a row of the audit trail, which is the signed record of what was done.
    """
    rows: list[tuple[str, object]] = []
    found: tuple[Rule, ...]
    if decision.isdigit():
        services = open_state(state)
        rows, ids = _row(services, int(decision))
        rules = {rule.id: rule for rule in rules_of(services.law)}
        found = tuple(rules[id_] for id_ in ids if id_ in rules)
        if not found:
            rows.append(("rule", "none: the row tells what was done, and no rule of a table decides it"))
    else:
        named = decision.removeprefix("refused:").strip()
        found = tuple(rule for rule in rules_of(law_of(state)) if named in (rule.id, rule.word))
        if not found:
            raise Refusal(Code.NOT_FOUND, "there is no such rule; see: jpki policy list")
    for rule in found:
        rows += [
            ("rule", rule.id),
            ("when", rule.when),
            ("then", rule.then),
            ("source", rule.source),
            ("state", _seen(rule)),
        ]
    table(("what", "value"), rows)


def _row(services: Services, number: int) -> tuple[list[tuple[str, object]], tuple[str, ...]]:
    with services.begin(write=False) as work:
        head = work.audit.head()
        body = next((row.body for row in work.audit.rows() if row.sequence == number), None)
    if body is None or head is None:
        raise Refusal(Code.NOT_FOUND, "the audit trail has no row of this number")
    event = json.loads(body)
    told = [
        ("audit row", number),
        ("signed", f"by the head over {head.sequence} rows, key {head.key_id}"),
        ("act", event["act"]),
        ("by", event["actor"]),
        ("at", event["at"]),
    ]
    return told, rules_behind(Act(event["act"]), event["facts"])


@click.command("text")
@_TABLE
@click.pass_obj
def text(state: Path, table_name: str) -> None:
    """Print the document of a table in force, to be changed and proposed."""
    texts = texts_in_force(open_state(state).begin) if (state / FILE_NAME).exists() else shipped_texts()
    click.echo(texts[table_name], nl=False)


@click.command("replay")
@_TABLE
@click.argument("file", type=FILE)
@click.pass_obj
def replay(state: Path, table_name: str, file: Path) -> None:
    """Decide everything on the audit trail, and all requests of verifiers that are kept, again under the table in FILE,
    and print what would have been otherwise."""
    services = open_state(state)
    _, done = _replay(services, table_name, file.read_text("utf-8"))
    click.echo(f"{done.decisions} decisions replayed", err=True)


@click.command("propose")
@_TABLE
@click.argument("file", type=FILE)
@REASON
@OFFICER
@click.pass_obj
def propose(state: Path, table_name: str, file: Path, reason: str, officer: OfficerCredential) -> None:
    """Propose FILE in place of a table, with what a replay shows; another officer confirms.

    That of admission counts at once. Others count from the next start of each process: after the confirmation, reload
    `jpki serve` (SIGHUP).
    """
    services = open_state(state)
    document = file.read_text("utf-8")
    texts, done = _replay(services, table_name, document)
    tell_made(officer.propose(services.board, KIND, content_of(texts, table_name, document, done), reason))


def _replay(services: Services, table_name: str, document: str) -> tuple[Texts, Replay]:
    doors = doors_of(services.settings)
    texts, done = replay_change(services.begin, table_name, document, services.clock(), doors)
    table(("rule", "before", "after", "decisions"), _differences(done))
    if done.unlike:
        click.echo(f"{done.unlike} requests would be decided otherwise today: their verifiers have changed", err=True)
    return texts, done


def _differences(done: Replay) -> Iterator[tuple[object, ...]]:
    return ((each.rule, each.before, each.after, each.count) for each in done.differences)


def _seen(rule: Rule) -> str:
    return "seen" if rule.verified else "OPEN"
