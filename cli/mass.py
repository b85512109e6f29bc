"""`jpki mass`: very many certificates or records at once: previewed, confirmed, run, watched, resumed, cancelled."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, datetime
from datetime import time as time_of_day
from pathlib import Path
from typing import Any, TypeVar

import click

from cli.output import Advance, progress, table
from cli.state import open_state
from config.assemble import Services
from config.rules import load_profiles
from domain.certificates import Carrier, IssuerId, Kind
from domain.events import EventType
from domain.mass import CertificateOrder, MassEvent, MassOrder, MassState, RegisterOrder, Selection
from domain.parties import LOCAL_OPERATOR
from domain.people import MunicipalityCode
from domain.revocation import RevocationCause
from mass.account import MassAccount, account_of, find_account, list_accounts
from mass.pace import REST, Pace
from mass.preview import preview, told
from mass.run import cancel as cancel_event
from mass.run import confirm, token_of
from mass.run import run as run_event
from policies.validity import JST, day_in_japan
from residents.rows import Format

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
NICE = 10
Act = TypeVar("Act", bound=Callable[..., Any])


class MunicipalityType(click.ParamType[MunicipalityCode]):
    """A municipality by its six digits."""

    name = "code"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> MunicipalityCode:
        try:
            return value if isinstance(value, MunicipalityCode) else MunicipalityCode(str(value))
        except ValueError as error:
            self.fail(f"{error}; see jpki municipalities list", param, ctx)


class DayType(click.ParamType[date]):
    """A day in Japan."""

    name = "YYYY-MM-DD"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(str(value))
        except ValueError:
            self.fail("a day is written YYYY-MM-DD", param, ctx)


CODE, DAY = MunicipalityType(), DayType()
_REST = click.option(
    "--rest", type=click.FloatRange(0, 100), default=REST, show_default=True, help="Rest, in shares of work."
)


@click.group("mass")
def command() -> None:
    """Hold or revoke very many certificates, or change very many records, in steps that can be watched and stopped.

    \b
    jpki mass preview ...            count what would happen; prints an id and a token
    jpki mass run ID --confirm TOKEN do it
    """


@command.group("preview")
def preview_() -> None:
    """Count what an order would do, and do nothing: by municipality, kind and carrier, with the growth of lists."""


def _selecting(act: Act) -> Act:
    """The options that select certificates; each one given narrows the selection."""
    for option in (
        click.option("--list", "file", type=FILE, help="Only those of residents on this list (CSV, JSON Lines)."),
        click.option("--issued-before", type=DAY, help="Only those applied for before this day in Japan."),
        click.option("--issued-from", type=DAY, help="Only those applied for on this day in Japan, or later."),
        click.option("--profile", help="Only those of this profile, as it is now, or of a profile's digest."),
        click.option("--carrier", "carriers", type=click.Choice([c.value for c in Carrier]), multiple=True),
        click.option("--kind", "kinds", type=click.Choice([k.value for k in Kind]), multiple=True),
        click.option("--municipality", type=CODE, help="Only those issued through this municipality (six digits)."),
        click.option("--issuer", "issuers", multiple=True, help="Only those of this key generation; may be repeated."),
    ):
        act = option(act)
    return act


@preview_.command("hold")
@_selecting
@click.pass_obj
def preview_hold(state: Path, /, **selected: Any) -> None:
    """Hold certificates for the time being (一時停止)."""
    _preview_certificates(state, RevocationCause.TEMPORARY_STOP, **selected)


@preview_.command("revoke")
@click.option("--cause", type=click.Choice([cause.value for cause in RevocationCause]), required=True)
@_selecting
@click.pass_obj
def preview_revoke(state: Path, /, cause: str, **selected: Any) -> None:
    """Revoke certificates for a cause: after the leak of an issuer's key, everything under that key."""
    _preview_certificates(state, RevocationCause(cause), **selected)


def _renaming(act: Act) -> Act:
    """The options that say which addresses change."""
    for option in (
        click.option("--on", "day", type=DAY, help="The day it took effect in Japan; today when left out."),
        click.option("--list", "file", type=FILE, help="Residents and their new addresses (CSV, JSON Lines)."),
        click.option("--new", default="", help="How these addresses begin from then on."),
        click.option("--old", default="", help="How the addresses of the area begin."),
        click.option("--municipality", type=CODE, required=True, help="Which holds the records (six digits)."),
    ):
        act = option(act)
    return act


@preview_.command("rename")
@_renaming
@click.pass_obj
def preview_rename(
    state: Path, municipality: MunicipalityCode, old: str, new: str, file: Path | None, day: date | None
) -> None:
    """Rename addresses of an area, or of a list (住居表示・区画の変更). The signing certificates end."""
    _preview_records(state, EventType.ADDRESS_RENAMING, municipality, municipality, old, new, file, day)


@preview_.command("merge")
@click.option("--into", type=CODE, required=True, help="The municipality that holds the records from then on.")
@_renaming
@click.pass_obj
def preview_merge(
    state: Path,
    municipality: MunicipalityCode,
    into: MunicipalityCode,
    old: str,
    new: str,
    file: Path | None,
    day: date | None,
) -> None:
    """Let a municipality's records pass to another one (市町村の廃置分合). The signing certificates end."""
    _preview_records(state, EventType.MUNICIPALITY_MERGER, municipality, into, old, new, file, day)


@command.command("run")
@click.argument("event")
@click.option("--confirm", "token", required=True, help="The token that the preview printed.")
@_REST
@click.pass_obj
def run(state: Path, event: str, token: str, rest: float) -> None:
    """Do what was previewed. After each step others go first; a step that took long is followed by a longer rest."""
    services = open_state(state)
    confirm(services.mass, event, token, LOCAL_OPERATOR)
    _go(services, event, rest)


@command.command("resume")
@click.argument("event")
@_REST
@click.pass_obj
def resume(state: Path, event: str, rest: float) -> None:
    """Go on with an event whose run was interrupted, from the step it had come to."""
    _go(open_state(state), event, rest)


@command.command("status")
@click.argument("event", required=False)
@click.pass_obj
def status(state: Path, event: str | None) -> None:
    """Show all mass events, newest first, or one: how far it is, and what it did."""
    parts = open_state(state).mass
    if event is None:
        table(
            ("event", "act", "state", "step", "steps", "changes", "previewed"),
            (
                (row.id, row.act, row.state.value, row.step, row.steps, row.changes, row.previewed_at.isoformat())
                for row in list_accounts(parts, LOCAL_OPERATOR)
            ),
        )
        return
    account = find_account(parts, event, LOCAL_OPERATOR).to_json()
    tally = " ".join(f"{word}={number}" for word, number in sorted(account.pop("tally").items()))
    table(("what", "value"), [*account.items(), ("tally", tally)])


@command.command("cancel")
@click.argument("event")
@click.pass_obj
def cancel(state: Path, event: str) -> None:
    """Stop an event before its next step. What it did stands; it is told."""
    _tell_end(account_of(cancel_event(open_state(state).mass, event, LOCAL_OPERATOR)))


def _preview_certificates(
    state: Path,
    cause: RevocationCause,
    *,
    issuers: tuple[str, ...],
    municipality: MunicipalityCode | None,
    kinds: tuple[str, ...],
    carriers: tuple[str, ...],
    profile: str | None,
    issued_from: date | None,
    issued_before: date | None,
    file: Path | None,
) -> None:
    services = open_state(state)
    if unknown := set(issuers) - set(services.issuers):
        raise click.BadParameter(f"there is no issuer {min(unknown)}; see jpki issuers", param_hint="--issuer")
    with services.begin(write=False) as work:
        newest = work.applications.newest()
    selection = Selection(
        up_to=newest,
        issuers=frozenset(map(IssuerId, issuers)) if issuers else None,
        municipality=municipality,
        kinds=frozenset(map(Kind, kinds)) if kinds else frozenset(Kind),
        carriers=frozenset(map(Carrier, carriers)) if carriers else frozenset(Carrier),
        profile=_profile(services, profile),
        issued_from=_begin(issued_from),
        issued_before=_begin(issued_before),
    )
    _preview(services, CertificateOrder(cause, selection, listed=file is not None), file)


def _preview_records(
    state: Path,
    event: EventType,
    municipality: MunicipalityCode,
    into: MunicipalityCode,
    old: str,
    new: str,
    file: Path | None,
    day: date | None,
) -> None:
    if (file is None) is (not old or not new) or (file is not None and (old or new)):
        raise click.UsageError("give --old and --new, or a --list with new addresses")
    services = open_state(state)
    order = RegisterOrder(event, day or day_in_japan(services.clock()), municipality, into, old, new)
    _preview(services, order, file)


def _preview(services: Services, order: MassOrder, file: Path | None) -> None:
    with ExitStack() as stack:
        advance = stack.enter_context(progress("steps previewed"))
        octets = (stack.enter_context(file.open("rb")), _format(file)) if file else None
        event = preview(services.mass, order, LOCAL_OPERATOR, octets, advance)
    _tell_preview(told(event))
    click.echo(f"event\t{event.id}")
    click.echo(f"token\t{token_of(event)}")
    click.echo("nothing was done; to do exactly this: jpki mass run EVENT --confirm TOKEN", err=True)


def _tell_preview(said: dict[str, Any]) -> None:
    for title in ("records", "certificates", "lists"):
        if rows := said[title]:
            names = list(rows[0])
            table(names, ([row[name] for name in names] for row in rows))
    for title, what in (("left", "stay as they are"), ("passed", "records passed over")):
        for word, number in said[title].items():
            click.echo(f"{what}: {word}\t{number}")
    click.echo(f"changes in all\t{said['changes']}")
    click.echo(f"seconds, about\t{said['seconds']}")


def _go(services: Services, event: str, rest: float) -> None:
    os.nice(NICE)
    with progress("steps") as advance:
        ended = run_event(services.mass, event, LOCAL_OPERATOR, _resting(rest, advance))
    _tell_end(account_of(ended))


def _resting(rest: float, advance: Advance) -> Callable[[MassEvent], None]:
    """Shows each step, and rests after it."""
    began, pace = time.monotonic(), Pace(rest)

    def stepped(event: MassEvent) -> None:
        nonlocal began
        advance(event.step, event.steps)
        time.sleep(pace.rest_after(event, time.monotonic() - began))
        began = time.monotonic()

    return stepped


def _tell_end(account: MassAccount) -> None:
    tally = ", ".join(f"{number} {word}" for word, number in sorted(account.tally.items())) or "nothing"
    word = "done" if account.state is MassState.DONE else f"cancelled after step {account.step} of {account.steps}"
    click.echo(f"{account.id} is {word}: {tally}; the preview counted {account.changes} changes")


def _profile(services: Services, named: str | None) -> str | None:
    if named is None or (len(named) == 64 and set(named) <= set("0123456789abcdef")):
        return named
    try:
        return load_profiles(services.settings.profiles)[named].digest
    except KeyError:
        raise click.BadParameter("there is no profile of this name", param_hint="--profile") from None


def _begin(day: date | None) -> datetime | None:
    return datetime.combine(day, time_of_day(), JST) if day else None


def _format(file: Path) -> Format:
    return Format.CSV if file.suffix.lower() == ".csv" else Format.JSON_LINES
