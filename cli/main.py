"""`jpki`: the subcommands by name, loaded when called, and one way to report what went wrong."""

from __future__ import annotations

import importlib
import os
import sys
import tomllib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import NoReturn

import click

from config.document import ConfigurationFaults
from domain.errors import Refusal

# numpy multiplies no matrices here. Its threads would hear signals that services block until the end of a round.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Command → (module, one-line help), in groups, in the order a newcomer meets them.
COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "Start": {
        "init": ("cli.init", "Make keys, certificates, configuration and database in a new state directory."),
        "check-config": ("cli.check_config", "Check the whole configuration and list every fault."),
        "serve": ("cli.serve", "Run the API, the status service, the publisher and the workers on batches."),
        "upgrade": ("cli.upgrade", "Bring the database up to this version of the program."),
        "database": ("cli.database", "Move all there is to another database, such as PostgreSQL."),
        "demo": ("cli.demo", "Show the whole main job as a story, then keep serving."),
    },
    "Municipalities and residents": {
        "municipalities": ("cli.municipalities", "List the municipalities; enrol one and hand it its credential."),
        "residents": ("cli.residents", "Load the resident register's records; apply its notices; guard the codes."),
        "issue": ("cli.issue", "Issue a pair (or re-issue the signing certificate) for a resident."),
        "deliver": ("cli.deliver", "Report that new certificates are on their carrier, or will not be."),
        "batches": ("cli.batches", "Watch batches of applications, fetch their results, cancel them."),
        "revoke": ("cli.revoke", "Revoke or hold a resident's certificates, by resident code."),
        "mass": ("cli.mass", "Hold, revoke or change very many at once: preview, confirm, run, watch."),
        "hold": ("cli.hold", "Hold a resident's certificates after a loss; lift holds where that may be."),
        "holds": ("cli.holds", "List standing holds by age."),
    },
    "Verifiers and others who call": {
        "verifiers": ("cli.verifiers", "Register verifiers and their credentials; suspend, withdraw."),
        "handles": ("cli.handles", "Keep and change the key of handles, what verifiers know certificates by."),
        "proposals": ("cli.proposals", "Propose what no single person may do; confirm it as a second officer."),
        "validation": ("cli.validation", "Validate with consent for operators that are not approved; check receipts."),
        "tracers": ("cli.tracers", "Plant certificates that tell a leak; see where they turned up; match a file."),
        "compare": ("cli.compare", "Compare names and addresses that a verifier holds with those of certificates."),
        "parties": ("cli.parties", "Show everyone registered; suspend one; enrol the register, an operator or a desk."),
    },
    "Lists and responders": {
        "crl": ("cli.crl", "Publish revocation lists; show where each one stands."),
        "issuers": ("cli.issuers", "Show the key generations; found the ones that jpki.toml names anew."),
        "filters": ("cli.filters", "Make revocation filters for verifiers who check offline; check with them."),
        "model": ("cli.model", "Show the status model of a node; make it."),
        "responders": ("cli.responders", "Show and renew the certificates of OCSP responders and of the API."),
    },
    "Oversight": {
        "check": ("cli.check", "Compare database, OCSP, lists and audit trail with each other."),
        "explain": ("cli.explain", "Say why a resident's certificates have the status they have."),
        "top": ("cli.top", "Show what the status service does now: rates, times, ages, queues."),
        "report": ("cli.report", "Print figures: how long revocations took."),
        "detection": ("cli.detection", "Alarms about verifiers: list, decide; measure the rules on simulated traffic."),
        "provisions": ("cli.provisions", "File, list and (two officers) open records of whom status was handed to."),
        "retention": ("cli.retention", "Erase records that were kept long enough; print how long each is kept."),
        "audit": ("cli.audit", "Verify the audit trail; write down its signed head; scan operators for serials."),
        "policy": ("cli.policy", "Print the rules in force, say why something was decided, propose other rules."),
    },
}


class CommandTable(click.Group):
    """A group that imports a subcommand only when it is called, and lists them by topic."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return [name for group in COMMANDS.values() for name in group]

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        for group in COMMANDS.values():
            if cmd_name in group:
                command = importlib.import_module(group[cmd_name][0]).command
                return command if isinstance(command, click.Command) else None
        return None

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, group in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, (_, text) in group.items()])


def _print_version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"jpki {_version()}")
        ctx.exit()


def _version() -> str:
    """What is installed, or what the source tree around this file says it is."""
    try:
        return metadata.version("jpki")
    except metadata.PackageNotFoundError:
        project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))
        return f"{project['project']['version']} (from source)"


@click.group(cls=CommandTable, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=lambda: Path(os.environ.get("JPKI_STATE", "jpki-state")),
    show_default="$JPKI_STATE or ./jpki-state",
    help="State directory: configuration, keys, lists and (with SQLite) the database.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
@click.pass_context
def jpki(ctx: click.Context, state: Path) -> None:
    """A certificate authority for a national ID: certificates in pairs, revoked by resident code.

    \b
    A first look:  jpki demo
    By hand:       jpki init && jpki municipalities enrol 132217 && jpki serve

    Tables are tab-separated when they do not go to a terminal. Exit codes: 0 done; 1 refused, or faults were found;
    2 wrong usage or configuration; 70 a fault of this program; 130 interrupted.
    """
    ctx.obj = state


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run `jpki` with the arguments of the process, or with these, and leave with an exit code.

    Whatever went wrong is said on standard error, with what to do next.
    """
    try:
        sys.exit(jpki.main(arguments, standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        sys.exit(130)
    except ConfigurationFaults as error:
        click.echo("The configuration has faults:", err=True)
        for fault in error.faults:
            click.echo(f"  - {fault}", err=True)
        sys.exit(2)
    except Refusal as refusal:
        click.echo(f"refused ({refusal.code.value}): {refusal.detail}", err=True)
        for fact, value in refusal.facts.items():
            click.echo(f"  {fact}: {', '.join(map(str, value)) if isinstance(value, list) else value}", err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(f"the system refused: {error.strerror or error}: {error.filename or 'no file'}", err=True)
        sys.exit(1)
    except Exception as error:
        from web.logs import trace  # without the error's own text, which may quote what was being worked on

        click.echo("This is a fault of the program. Please report these lines; they hold no data:", err=True)
        for line in trace(error):
            click.echo(f"  {line}", err=True)
        sys.exit(70)
