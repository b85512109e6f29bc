"""`jpki demo town`: a made-up town lives for years, through every use case, and everything agrees in the end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from cli.stage import in_use, make_room
from oversight.reconcile import reconcile
from town.figures import COLUMNS, YearFigures, row
from town.life import BEGINS, LifeFault, Town
from town.plot import draw


@click.command("town")
@click.option("--residents", type=click.IntRange(100, 1_000_000), default=2000, show_default=True, help="At first.")
@click.option("--years", type=click.IntRange(1, 20), default=3, show_default=True, help=f"From {BEGINS} on.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same lives.")
@click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw the figures into this file (SVG).")
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("jpki-town"),
    show_default=True,
    help="Where the town's authority lives; made anew each time.",
)
def command(residents: int, years: int, seed: int, plot: Path | None, directory: Path) -> None:
    """Let a made-up town live for years in minutes: births, moves, losses, renewals, deaths, by a clock of its own.

    Every act goes through the use cases that the services use, with real signatures, and each answer is compared with
    what the town expects; in the end `jpki check` must find nothing. Names, houses and keys are made up; rates and
    town areas are in config/data/town. It leaves an authority behind whose lists have ended by our clock, years ago.
    """
    make_room(directory)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 220
    town = Town(directory, residents, seed)
    try:
        with in_use(directory):
            lived = _live(town, years, console)
            console.print(_table(lived, f"{residents:,} residents, seed {seed}"))
            if plot is not None:
                plot.write_text(draw(lived, f"A made-up town of {residents:,}"), "utf-8")
                console.print(f"drawn into {plot}")
            _check(town, console)
    except LifeFault as fault:
        raise click.ClickException(f"on {town.day}: {fault}") from None
    finally:
        town.close()


def _live(town: Town, years: int, console: Console) -> list[YearFigures]:
    """The figures of each year. On a terminal a bar shows how far it is; elsewhere a line for each year does."""
    end = date(BEGINS.year + years, 1, 1)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    lived = []
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("", total=(end - BEGINS).days)

        def show(day: date) -> None:
            progress.update(task, completed=(day - BEGINS).days, description=day.isoformat())

        for figures in town.live(years, show):
            lived.append(figures)
            if not console.is_terminal:
                issued = f"{figures.certificates:,} certificates issued"
                console.print(f"{figures.year}: {figures.residents:,} residents, {issued}, {figures.seconds:.0f} s")
    return lived


def _table(lived: Sequence[YearFigures], title: str) -> Table:
    """Years across, figures down: there are more figures than fit beside each other."""
    table = Table(title=title)
    table.add_column("")
    rows = [row(figures) for figures in lived]
    for cells in rows:
        table.add_column(cells[0], justify="right")
    for number, (name, _) in enumerate(COLUMNS[1:], start=1):
        table.add_row(name, *(cells[number] for cells in rows))
    return table


def _check(town: Town, console: Console) -> None:
    """What `jpki check` does. Exit code 1 when there is a fault."""
    faults = 0
    with console.status("comparing everything with everything"):
        for finding in reconcile(town.services.inspection()):
            faults += finding.level == "fault"
            console.print(f"{finding.level} ({finding.area}): {finding.text}", markup=False)
    if faults:
        raise click.ClickException("database, OCSP, lists and audit trail do not agree")
    console.print("database, OCSP, lists and audit trail agree")
