"""`jpki init`: a new authority in a state directory."""

from __future__ import annotations

from pathlib import Path

import click

from config.assemble import system_clock, system_random
from config.initialise import initialise


@click.command("init")
@click.option("--api", default="127.0.0.1:8443", show_default=True, help="Where the API will listen (HTTPS).")
@click.option("--status", default="127.0.0.1:8080", show_default=True, help="Where status will be served (HTTP).")
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Use this file as jpki.toml instead of the demonstration settings.",
)
@click.pass_obj
def command(state: Path, api: str, status: str, config: Path | None) -> None:
    """Make keys, certificates, configuration and database in a new state directory.

    The directory gets mode 0700, keys are encrypted, and the passphrase lies in its own file, which you should move to
    where your machine keeps secrets. A directory in use is never touched, and a failure leaves nothing behind.
    """
    try:
        template = config.read_text("utf-8") if config else None
    except UnicodeDecodeError:
        raise click.BadParameter("the file is not UTF-8", param_hint="--config") from None
    initialise(
        state,
        api=api,
        status=status,
        template=template,
        clock=system_clock,
        random=system_random,
        on_step=lambda text: click.echo(f"  {text}"),
    )
    click.echo(f"{state} is ready. Next: jpki --state {state} municipalities enrol 132217")
