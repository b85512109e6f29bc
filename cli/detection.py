"""`jpki detection`: alarms about verifiers, what people say and decide about them, and the rules measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from cli.output import table
from cli.proposals import REASON
from cli.rules import law_of
from cli.state import open_state
from config.detection import judge_now
from config.rules import load_detection
from detection.judging import decide
from detection.simulation import ABUSES, EVASIONS, World, simulate
from domain.detection import Alarm
from domain.errors import Code, Refusal
from domain.parties import LOCAL_OPERATOR
from domain.ports import Begin


@click.group("detection")
def command() -> None:
    """Watch what verifiers ask: note, ask for a reason, tryLater, block; people decide, and verifiers appeal."""


@command.command("judge")
@click.pass_obj
def judge(state: Path) -> None:
    """Judge yesterday and today now, and print what is new. The publisher does so every hour."""
    services = open_state(state)
    _tell(services.begin, judge_now(services, LOCAL_OPERATOR.label))


@command.command("list")
@click.pass_obj
def list_(state: Path) -> None:
    """List alarms, newest first."""
    begin = open_state(state).begin
    with begin(write=False) as work:
        alarms = work.detection.alarms()
    _tell(begin, alarms)


@command.command("show")
@click.argument("alarm")
@click.pass_obj
def show(state: Path, alarm: str) -> None:
    """Show an alarm: its rule, what was measured, and what verifier and officers said."""
    with open_state(state).begin(write=False) as work:
        found = work.detection.alarm(alarm)
    if found is None:
        raise Refusal(Code.NOT_FOUND, "there is no such alarm; see: jpki detection list")
    rule = law_of(state).detection.get(found.rule)
    rows: list[tuple[str, object]] = [("rule", rule.title_en if rule else found.rule)]
    if rule:
        rows += [("規則", rule.title_ja), ("source", rule.source)]
    rows += [("grade", found.grade.word), ("state", found.state.value)]
    rows += [(name, value) for name, value in found.measures.items()]
    table(("what", "value"), [*rows, *(("said", line) for line in found.said)])


@command.command("decide")
@click.argument("alarm")
@click.option("--outcome", type=click.Choice(["dismissed", "upheld"]), required=True, help="What becomes of it.")
@REASON
@click.pass_obj
def decide_(state: Path, alarm: str, outcome: str, reason: str) -> None:
    """Decide about an alarm that notes or asks for a reason. What holds a verifier up takes two officers, and so do
    blocking and appeals: jpki proposals make alarm-decision, verifier-block, alarm-appeal."""
    services = open_state(state)
    decided = decide(services.begin, alarm, outcome == "dismissed", reason, services.clock(), LOCAL_OPERATOR)
    click.echo(f"{decided.id} is {decided.state.value}")


@command.command("rules")
@click.pass_obj
def rules(state: Path) -> None:
    """Print the rules with their thresholds and sources."""
    table(
        ("rule", "grade", "questions", "when", "日本語", "English", "source"),
        (
            (
                rule.id,
                rule.grade.word,
                rule.requests,
                ", ".join(f"{name} >= {least:g}" for name, least in rule.when.items()),
                rule.title_ja,
                rule.title_en,
                rule.source,
            )
            for rule in law_of(state).detection.values()
        ),
    )


@command.command("simulate")
@click.option("--seed", type=int, default=1, show_default=True, help="One seed is one world.")
@click.option("--days", type=click.IntRange(14, 28), default=28, show_default=True, help="Of simulated traffic.")
@click.option("--people", type=click.IntRange(10_000), default=300_000, show_default=True, help="Holders there are.")
@click.option("--each", type=click.IntRange(1, 100), default=5, show_default=True, help="Abusers of each sort.")
def simulate_(seed: int, days: int, people: int, each: int) -> None:
    """Measure the rules on simulated traffic with labels: who is found within a day, and who is accused wrongly."""
    tally = simulate(World(seed, people=people, each=each, days=days), load_detection(), days)
    table(
        ("abuse", "evades", "abusers", "found within a day", "found later", "first by"),
        (
            (
                abuse,
                "yes" if abuse in EVASIONS else "",
                tally.abusers[abuse],
                tally.found[abuse],
                tally.later[abuse],
                ", ".join(sorted(tally.rules[abuse])),
            )
            for abuse in (*ABUSES, *EVASIONS)
        ),
    )
    click.echo(
        f"found within a day: {tally.rate(ABUSES):.1%} of abusers, {tally.rate(EVASIONS):.1%} of those who evade"
    )
    click.echo(
        f"false alarms: {tally.false_rate:.2f} for each 1,000 verifier-days, of {tally.verifier_days}", err=False
    )


def _tell(begin: Begin, alarms: Sequence[Alarm]) -> None:
    with begin(write=False) as work:
        names = {party.id: party.name for party in work.parties.all()}
    table(
        ("alarm", "day", "verifier", "provider", "rule", "grade", "state"),
        (
            (
                alarm.id,
                alarm.day.isoformat(),
                names.get(alarm.party, ""),
                names.get(alarm.provider, ""),
                alarm.rule,
                alarm.grade.word,
                alarm.state.value,
            )
            for alarm in alarms
        ),
    )
