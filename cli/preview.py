"""`jpki issue preview`: how a certificate would write a name and an address, before anything is issued."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import IO, Any

import click

from cli.output import table
from config.rules import load_variants
from policies.characters import propose
from web.bodies import read_json
from web.certificate_texts import REGISTER_TEXTS, preview_json


@click.command("preview")
@click.argument("file", type=click.File("r", encoding="utf-8", errors="surrogateescape"))
@click.option("--json", "as_json", is_flag=True, help="Print what the API answers at /v1/certificate-texts.")
def preview(file: IO[str], as_json: bool) -> None:
    """Show how a certificate would write a name and an address: every substitute character (代替文字) with the rule
    that chose it, what the holder has to confirm, and where a person has to choose. Nothing is issued.

    FILE (- for standard input) is an application, or an object with `name`, `address` and `certificate_text`. Positions
    are counted from 1. The exit code is 1 while something is left to confirm or to choose.
    """
    document = read_json(file.read().encode("utf-8", "surrogateescape"))
    if isinstance(document, dict) and isinstance(document.get("attributes"), dict):
        given = {**document["attributes"], **document}
        document = {name: given[name] for name in ("name", "address", "certificate_text") if name in given}
    shown = preview_json(REGISTER_TEXTS.read(document, ""), partial(propose, load_variants()))
    if as_json:
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        table(("item", "at", "register", "certificate", "rule", "日本語", "table", "state"), _rows(shown["texts"]))
    if not shown["ready"]:
        raise click.exceptions.Exit(1)


def _rows(texts: dict[str, Any]) -> Iterator[tuple[object, ...]]:
    for item, text in texts.items():
        for row in text["substitutions"]:
            left = "confirm" if row["position"] in text["to_confirm"] else "written"
            place = (item, row["position"] + 1, row["register"], row["certificate"])
            yield *place, row["title"], row["title_ja"], row["table"], "confirmed" if row["confirmed"] else left
        for row in text["to_choose"]:
            yield item, row["position"] + 1, row["register"], " ".join(row["choices"]), "", "", "", "choose"
