"""`jpki residents`: the stored copy of the resident register."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from cli import exposure, ledger, rotation
from cli.output import progress, table
from cli.state import open_state
from domain.errors import Refusal
from domain.events import NoticeRecord, NoticeState, ResidentEvent
from domain.parties import LOCAL_OPERATOR
from domain.ports import Begin
from domain.revocation import EffectWord
from residents.feed import read_notices
from residents.intake import apply_all, rehearse
from residents.listing import list_notices, list_senders
from residents.load import load_residents
from residents.receipts import HeldNotice, NoticeAnswer, QuarantinedNotice
from residents.rows import Format

Row = tuple[object, ...]
_HITS = (EffectWord.REVOKED, EffectWord.HELD)


@click.group("residents")
def command() -> None:
    """Load the resident register's records; apply its notices; guard the codes."""


command.add_command(rotation.command)
command.add_command(exposure.command)
command.add_command(ledger.command)


@command.command("load")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--format", "form", type=click.Choice([form.value for form in Format]), help="Default: by the ending.")
@click.pass_obj
def load(state: Path, file: Path, form: str | None) -> None:
    """Load records from FILE (CSV or JSON Lines: docs/formats.md): all of them, or none if one row is bad."""
    services = open_state(state)
    with file.open("rb") as octets, progress("octets") as advance:
        report = load_residents(services.intake, LOCAL_OPERATOR, octets, _format(file, form), advance)
    if report.faults:
        for fault in report.faults:
            click.echo(f"{file.name}: {fault}", err=True)
        if report.more_faults:
            click.echo(f"and {report.more_faults} more", err=True)
        click.echo("nothing was loaded; mend the file and load it again", err=True)
        raise click.exceptions.Exit(1)
    click.echo(f"{report.new} new, {report.replaced} replaced, {report.unchanged} unchanged")


@command.command("apply")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--format", "form", type=click.Choice([form.value for form in Format]), help="Default: by the ending.")
@click.option("--sender", default=LOCAL_OPERATOR.label, show_default=True, help="In whose name the notices come.")
@click.option("--dry-run", is_flag=True, help="Say what the whole file would do, and do nothing. Other writers wait.")
@click.pass_obj
def apply(state: Path, file: Path, form: str | None, sender: str, dry_run: bool) -> None:
    """Apply the register's notices in FILE (CSV or JSON Lines: docs/formats.md), each once, by their numbers.

    A notice that comes before its turn is held, a bad one is quarantined and stops no other; see `jpki residents
    notices`. Applying a file again does nothing twice. Only when the database is away does the work stop.
    """
    intake = open_state(state).intake
    counts: Counter[str] = Counter()

    def rows(octets: BinaryIO) -> Iterator[Row]:
        notices = read_notices(octets, _format(file, form), sender, intake.municipalities)
        for line, notice, outcome in (rehearse if dry_run else apply_all)(intake, notices, LOCAL_OPERATOR):
            event = notice.type.value if isinstance(notice, ResidentEvent) else ""
            if isinstance(outcome, Refusal):
                counts["refused"] += 1
                yield line, notice.notice_id, event, "", f"refused ({outcome.code.value}): {outcome.detail}"
                continue
            counts[type(outcome.answer).__name__] += 1
            yield line, outcome.answer.notice_id, event, *_outcome(outcome.answer)
            for answer in outcome.released:
                revokes, word = _outcome(answer)
                yield line, answer.notice_id, "", revokes, f"was held; {word}"

    with file.open("rb") as octets:
        table(("line", "notice", "event", "revokes", "outcome"), rows(octets))
    if dry_run:
        click.echo("nothing was done: this is what would happen", err=True)
    if held := counts[HeldNotice.__name__]:
        click.echo(f"{held} held until the numbers before them are here", err=True)
    bad = counts["refused"] + counts[QuarantinedNotice.__name__]
    if bad:
        click.echo(f"{bad} refused or quarantined; the others stand", err=True)
        raise click.exceptions.Exit(1)


@command.command("notices")
@click.option("--held", "wanted", flag_value=NoticeState.HELD.value, help="Only those that wait for an earlier number.")
@click.option("--quarantined", "wanted", flag_value=NoticeState.QUARANTINED.value, help="Only those put aside.")
@click.option("--applied", "wanted", flag_value=NoticeState.APPLIED.value, help="Those that were applied.")
@click.option("--sender", help="Only this sender's, such as register:juki.")
@click.pass_obj
def notices(state: Path, wanted: str | None, sender: str | None) -> None:
    """List notices that are held or quarantined, or were applied, by sender and number."""
    begin = open_state(state).intake.begin
    states = (NoticeState(wanted),) if wanted else (NoticeState.HELD, NoticeState.QUARANTINED)
    table(
        ("sender", "number", "notice", "state", "received", "why"),
        (
            (record.sender, record.sequence, record.notice_id, state.value, record.received_at.isoformat(), why)
            for label in ([sender] if sender else list_senders(begin))
            for state in states
            for record, why in _listed(begin, label, state)
        ),
    )


def _listed(begin: Begin, sender: str, state: NoticeState) -> Iterator[tuple[NoticeRecord, str]]:
    after: int | str = 0
    more = True
    while more:
        page = list_notices(begin, sender, state, after)
        for record in page.notices:
            waits = f"waits for number {page.expected}" if state is NoticeState.HELD else ""
            yield record, f"{record.reason.value}: {record.detail}" if record.reason else waits
        more = page.more
        if more:
            last = page.notices[-1]
            after = last.sequence or last.notice_id


def _outcome(answer: NoticeAnswer) -> tuple[str, str]:
    """Which certificates it revokes or why none, and what became of it."""
    again = " before" if answer.repeated else ""
    if isinstance(answer, HeldNotice):
        return "", f"held{again}: waits for number {answer.expected}"
    if isinstance(answer, QuarantinedNotice):
        return "", f"quarantined{again} ({answer.reason.value}): {answer.detail}"
    kinds = " ".join(f"{row.kind.value}/{row.carrier.value}" for row in answer.effects if row.effect in _HITS)
    return kinds or (answer.nothing.value if answer.nothing else ""), f"applied{again}"


def _format(file: Path, form: str | None) -> Format:
    return Format(form) if form else Format.CSV if file.suffix.lower() == ".csv" else Format.JSON_LINES
