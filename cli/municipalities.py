"""`jpki municipalities`: who may ask for certificates."""

from __future__ import annotations

from pathlib import Path

import click

from cli.output import table
from cli.parties import DAYS, FILE, FOLDER, hand_over
from config.municipalities import load_municipalities
from domain.parties import Party, Role
from domain.people import MunicipalityCode


class MunicipalityType(click.ParamType[MunicipalityCode]):
    """A six-digit municipality code that names a real municipality."""

    name = "code"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> MunicipalityCode:
        if isinstance(value, MunicipalityCode):
            return value
        try:
            code = MunicipalityCode(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if code not in load_municipalities():
            self.fail("no municipality has this code; see: jpki municipalities list", param, ctx)
        return code


@click.group("municipalities")
def command() -> None:
    """List the municipalities; enrol one and hand it its credential."""


@command.command("list")
@click.option("--search", default="", help="Only those whose names contain this text.")
def list_(search: str) -> None:
    """Print code, prefecture and name of every municipality."""
    rows = [
        (m.code.value, m.prefecture, m.name, m.prefecture_romanised, m.name_romanised)
        for m in load_municipalities().values()
    ]
    table(
        ("code", "prefecture", "name", "prefecture (romanised)", "name (romanised)"),
        (row for row in rows if any(search.casefold() in cell.casefold() for cell in row)),
    )


@command.command("enrol")
@click.argument("code", type=MunicipalityType())
@click.option("--out", type=FOLDER, help="Folder for the credential.")
@click.option("--days", type=DAYS, default=365, show_default=True, help="Life of the client certificate.")
@click.option(
    "--request", type=FILE, help="PKCS#10 of a key the municipality made itself; without it a key is made here."
)
@click.pass_obj
def enrol_(state: Path, code: MunicipalityCode, out: Path | None, days: int, request: Path | None) -> None:
    """Register the municipality CODE and write its TLS client credential (key, certificate, trust) to a folder.

    For one that is registered already, another credential is added. To see or end credentials: jpki parties
    """
    municipality = load_municipalities()[code]
    folder = hand_over(state, Party(0, Role.MUNICIPALITY, code.value, code), out, days, request)
    click.echo(f"{municipality.prefecture}{municipality.name} ({code}) may now call the API; its credential: {folder}")
