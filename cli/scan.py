"""`jpki audit scan-filter` and `jpki audit scan`: what an audit looks for at an operator, and the look itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import click

from cli.output import progress
from cli.state import open_state
from config import assemble
from config.files import write_private
from config.scan_filters import LONGEST, make_scan_filter, read_scan_key
from config.scanning import System, scan
from config.tracers import serials_not_at
from scan.digest import KEY_OCTETS
from scan.making import HASHES
from scan.page import as_html
from scan.report import as_json, as_text
from scan.words import Language

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_NEW = click.Path(path_type=Path, dir_okay=False)


@click.command("scan-filter")
@click.argument("audit")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Folder for both files.")
@click.option(
    "--days",
    type=click.IntRange(1, LONGEST.days),
    default=30,
    show_default=True,
    help="How long the filter may be used.",
)
@click.option(
    "--hashes",
    type=click.IntRange(0),
    default=HASHES,
    show_default=True,
    help="How many hashes of serials it holds, some 7 octets each.",
)
@click.option("--salt", "salts", multiple=True, help="A salt that was seen at the operator. May be repeated.")
@click.option(
    "--tracers-not-at",
    metavar="VERIFIER",
    help="Only tracers that were planted at others: any that the scan finds there tells a leak.",
)
@click.pass_obj
def make(
    state: Path, audit: str, out: Path, days: int, hashes: int, salts: Sequence[str], tracers_not_at: str | None
) -> None:
    """Make the filter for an audit: AUDIT.scan and AUDIT.scan-key, to be carried to the operator apart.

    The filter holds keyed digests of halves and of hashes of every serial on record, and no serial. Whoever has both
    files can ask whether a serial that they have is one of ours; see docs/audit-scan.md. Making one is on record.
    """
    services = open_state(state)
    serials = serials_not_at(services, tracers_not_at) if tracers_not_at else None
    lifetime = timedelta(days=days)
    made = make_scan_filter(services, audit, out, lifetime=lifetime, hashes=hashes, salts=salts, serials=serials)
    click.echo(f"{made.filter}: {made.certificates} certificates, {made.octets} octets")
    click.echo(f"{made.key}: keep it apart from the filter, and delete both after the audit")


@click.command("scan")
@click.argument("targets", metavar="[NAME=]TARGET...", nargs=-1, required=True)
@click.option("--filter", "filter_file", type=_FILE, required=True, help="The filter that was made for this audit.")
@click.option("--key", "key_file", type=_FILE, required=True, help="The key that came with it.")
@click.option("--json", "json_file", type=_NEW, help="Write the report as JSON to this file, too.")
@click.option("--html", "html_file", type=_NEW, help="Write it as a page in English and Japanese, too.")
@click.option(
    "--language", type=click.Choice(["en", "ja"]), default="en", show_default=True, help="Of what is printed."
)
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=lambda: min(os.cpu_count() or 1, 8),
    show_default="as many as there are processors, at most 8",
    help="How many look at the same time.",
)
def command(
    targets: Sequence[str],
    filter_file: Path,
    key_file: Path,
    json_file: Path | None,
    html_file: Path | None,
    language: Language,
    processes: int,
) -> None:
    """Look for serials in what an operator keeps; exit code 1 when there are any, or something could not be read.

    A TARGET is a folder, a file (text, CSV, SQL dump, log, SQLite; also in gzip, bzip2, xz, zip) or the address of a
    PostgreSQL database. Each target is a system: with several, keys that two of them share are told too. The report
    names places, never values. Needs no state directory.
    """
    for file in (json_file, html_file):
        if file is not None and file.exists():
            raise click.ClickException(f"{file.name} is there already")
    with progress("octets") as advance:
        report = scan(
            [System.of(target) for target in targets],
            filter_file,
            read_scan_key(key_file),
            now=assemble.system_clock(),
            sketch_key=assemble.system_random(KEY_OCTETS),
            processes=processes,
            on_progress=advance,
        )
    for line in as_text(report, language):
        click.echo(line)
    if json_file is not None:
        write_private(json_file, as_json(report).encode("utf-8", "backslashreplace"))
    if html_file is not None:
        write_private(html_file, as_html(report).encode("utf-8", "backslashreplace"))
    if not report.clean:
        raise click.exceptions.Exit(1)
