"""What commands print: progress on a terminal, plain lines elsewhere, tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

Advance = Callable[[int, int], None]
"""Called with (done, total) as work goes on."""


@contextmanager
def progress(title: str) -> Iterator[Advance]:
    """A bar on a terminal; elsewhere a line at every tenth, so that logs stay readable."""
    if sys.stderr.isatty():
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
        return
    last = -1

    def advance(done: int, total: int) -> None:
        nonlocal last
        tenth = 10 * done // total if total else 10
        if tenth != last:
            last = tenth
            click.echo(f"{title}: {done} of {total}", err=True)

    yield advance


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Rows under headers: drawn on a terminal when all are there, tab-separated elsewhere, each as it comes."""
    cells = (["" if cell is None else str(cell) for cell in row] for row in rows)
    if not sys.stdout.isatty():
        first = list(islice(cells, 1))  # what is refused is refused before anything is printed
        for row in chain([headers], first, cells):
            click.echo("\t".join(row))
        return
    drawn = Table(*headers, box=None, header_style="bold")
    for row in cells:
        drawn.add_row(*map(Text, row))  # as they are: brackets in a name are no markup
    Console().print(drawn)
