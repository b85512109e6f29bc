"""`jpki serve`: the production way to run the authority."""

from __future__ import annotations

from pathlib import Path

import click

from cli.supervisor import supervise
from config.assemble import system_clock
from config.document import ConfigurationFaults
from config.examine import examine
from config.settings import load


@click.command("serve")
@click.argument("service", type=click.Choice(["all", "api", "status", "publisher", "batches"]), default="all")
@click.option("--slot", type=click.IntRange(0, 63), default=0, help="Which of the workers on batches this one is.")
@click.option("--node", help="With status: the name of a node with a model of its own, which only reads the database.")
@click.option("--bind", help="Where that node listens, instead of where jpki.toml says.")
@click.pass_obj
def command(state: Path, service: str, slot: int, node: str | None, bind: str | None) -> None:
    """Run the API (HTTPS, mutual TLS), the status service (OCSP, lists), the publisher and the workers on batches of
    applications, or one of them.

    With "all", one supervisor starts them, restarts what dies, and passes on SIGTERM and SIGHUP (reload). Under a
    process manager of your own, run them one by one. The configuration is checked first.
    """
    settings = load(state)
    if (node or bind) and service != "status":
        raise click.UsageError("--node and --bind are for the status service")
    if service == "publisher":
        from cli.publisher import run_publisher
        from web.logs import log_to_stderr

        log_to_stderr()
        return run_publisher(state)
    if service == "batches":
        from cli.batch_worker import run_worker
        from web.logs import log_to_stderr

        log_to_stderr()
        return run_worker(state, slot)
    if service in ("api", "status"):
        from web.server import serve

        serve("api" if service == "api" else "status", state, node, bind)
    if faults := examine(settings, system_clock(), database_away=True):
        raise ConfigurationFaults(faults)
    click.echo(f"API https://{settings.api.bind}, status http://{settings.status.bind}; stop with Ctrl-C", err=True)
    files = [settings.transport.server_certificate, settings.validation.certificate]
    files += [*(row.responder_certificate for row in settings.issuers)]
    supervise(state, files, settings.batches.workers)
    return None
