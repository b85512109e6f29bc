"""`jpki residents prove-sealed`: what a copied database gives up without the keys."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TextIO

import click

from cli.output import progress
from cli.state import open_state
from config.exposure import Keeping, address_of, file_of, files_of, is_sqlite, keep, values_of
from domain.people import ResidentCode
from residents.guessing import guess_keys
from residents.leaks import ENCODINGS
from residents.theft import Loot, rehearse_theft

_LIMITS = """\
What this does not show: that HMAC-SHA-256 and AES-256-GCM hold; that no key ever was in a place that was not looked at.
What a copy does tell: who is registered where, with which items and certificates; which record is the same in two
copies. With the keys it tells every code: keep them apart. See docs/resident-codes.md"""


@click.command("prove-sealed")
@click.option(
    "--database",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A copy: a SQLite file, or with --codes any file, such as a plain dump. Default: the database in use.",
)
@click.option(
    "--sample", type=click.IntRange(1), default=100_000, show_default=True, help="How many codes to look for."
)
@click.option("--codes", type=click.File("r"), help="Codes to look for, one a line: no key is opened then.")
@click.pass_obj
def command(state: Path, database: Path | None, sample: int, codes: TextIO | None) -> None:
    """Try to get resident codes out of a copy of the database without the keys; exit code 1 when something is wrong.

    In two parts. The keeper, who has the keys, opens every sealed code and names some to look for. The thief, who has
    the copy and these codes, looks for them in every value of every table and in the raw octets, written in any
    way, as hashes that anybody can make, and under keys that lie around. With --codes there is no keeper.
    """
    faults: list[str] = []
    if codes is None:
        services = open_state(state)
        url = address_of(services, database)
        database = database or file_of(url)
        keeping = keep(services, url, sample)
        _tell_keeper(keeping)
        faults += keeping.faults()
        known = list(keeping.codes)
    else:
        known = [_code(line) for line in codes if line.strip()]
        url = f"sqlite:///{database.resolve()}" if database and is_sqlite(database) else ""
        if database is None:
            raise click.UsageError("--codes needs --database")
    if not known:
        raise click.ClickException("there is no code to look for")
    with progress("values") as advance:
        values = values_of(url) if url else ()
        loot = rehearse_theft(known, values, files_of(database) if database else (), lambda done: advance(done, done))
    _tell_thief(loot)
    faults += loot.faults()
    click.echo()
    click.echo(_LIMITS)
    click.echo()
    for fault in faults:
        click.echo(f"FAULT: {fault}", err=True)
    if faults:
        raise click.exceptions.Exit(1)
    click.echo(f"no code was found: {len(known)} were looked for")


def _tell_keeper(keeping: Keeping) -> None:
    click.echo(
        f"keeper: {keeping.residents} residents, {keeping.residents - keeping.unopened} codes open with the keys"
    )
    click.echo(
        f"keeper: order of rows and order of codes correlate by {keeping.order:.3f} (chance: {keeping.chance:.3f})"
    )
    click.echo(f"keeper: {len(keeping.codes)} codes to look for")


def _tell_thief(loot: Loot) -> None:
    well = sum(loot.controls.values())
    click.echo(f"thief: control: of {len(loot.controls)} ways to write a planted code {well} are found")
    click.echo(f"thief: {loot.values} values and {loot.octets} octets of files searched")
    for encoding in (*ENCODINGS, "number"):
        found = sum(n for (name, _), n in loot.search.found.items() if name == encoding)
        expected = loot.search.expected(encoding)
        tried = loot.search.tried[encoding]
        click.echo(f"thief: {encoding}: {tried} looked at, {found} known codes ({expected:.2g} by chance)")
    click.echo(f"thief: {loot.hashed} hashes without key: {len(loot.hashes)} found")
    for guess in loot.guesses:
        click.echo(f"thief: {guess.what}: {guess.tried} tried, {guess.right} right")
    for what, shape in (("index", loot.index), ("sealed value", loot.sealed)):
        click.echo(
            f"thief: {what}: {shape.count}, {shape.different} different, lengths {list(shape.lengths)}, "
            f"unevenness {shape.spread:.1f}, packs by {shape.shrinks:.1%}"
        )
    click.echo(f"thief: all codes under one key would take {_hours():.1f} hours on this core; of keys there are 2^256")


def _hours() -> float:
    """How long it takes to try all ten thousand million codes under a key that is known."""
    begin = perf_counter()
    tried = guess_keys(["00000000019"] * 2000, frozenset(), ()).tried
    return (perf_counter() - begin) / tried * 10**10 / 3600


def _code(line: str) -> str:
    try:
        return ResidentCode(line.strip()).digits
    except ValueError as error:
        raise click.BadParameter(f"{error}", param_hint="--codes") from None
