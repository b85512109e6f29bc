"""`jpki top`: what the status service does now, as a table that goes on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import click
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.live import Live
from rich.table import Table

from config.settings import load
from domain.errors import Code, Refusal

_LONGEST = 5.0
_SECONDS = "jpki_http_request_seconds_bucket"
_SIGNATURES = {"jpki_signature_seconds_bucket": "", "jpki_worker_signature_seconds_bucket": " elsewhere"}
_ANSWERS = "jpki_ocsp_answers_total"
_ALARMS: dict[str, tuple[str, Callable[[float], bool]]] = {
    "jpki_lists_overdue": ("lists overdue", lambda value: value > 0),
    "jpki_status_model_believed": ("status model believed", lambda value: value < 1),
}
"""What stands above everything else, however few rows the terminal has; and when."""
_GAUGES = {
    "jpki_status_model_age_seconds": "status model last compared, seconds ago",
    "jpki_list_validity_used": "largest share of a list's validity used",
    "jpki_lists_overdue": "lists overdue (alarm)",
    "jpki_list_changes_waiting": "changes no list shows yet",
    "jpki_batch_applications_waiting": "applications of batches waiting",
    "jpki_tracer_sightings": "sightings of tracers",
}


@dataclass
class Look:
    """One look at a service: when, its counters and gauges, and which parts are not ready."""

    at: float
    counters: Counter[tuple[str, tuple[tuple[str, str], ...]]] = field(default_factory=Counter)
    gauges: dict[tuple[str, tuple[tuple[str, str], ...]], float] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def read(self, text: str) -> None:
        """Take in what the service tells in the Prometheus text format."""
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                key = (sample.name, tuple(sorted(sample.labels.items())))
                if family.type == "gauge":
                    self.gauges[key] = sample.value
                else:
                    self.counters[key] = sample.value  # type: ignore[assignment]  # whole numbers, as floats


@click.command("top")
@click.option(
    "--interval", type=click.FloatRange(0.2, 60), default=2.0, show_default=True, help="Seconds between looks."
)
@click.option("--once", is_flag=True, help="Look twice, print one table and end.")
@click.pass_obj
def command(state: Path, interval: float, once: bool) -> None:
    """Show rates, times, ages and queues of the status service, live; Ctrl-C ends it.

    Everything is read from its /metrics and /readyz, so this works on the service's own machine.
    """
    address = f"http://{load(state).status.bind}"
    looks = _looks(address, interval)
    before = next(looks)
    console = Console()
    if once or not console.is_terminal:
        console.print(render(before, next(looks), address))
        return
    with Live(console=console, screen=True, auto_refresh=False) as live:
        try:
            for look in looks:
                live.update(render(before, look, address), refresh=True)
                before = look
        except KeyboardInterrupt:
            return


def render(before: Look, now: Look, address: str) -> Table:
    """The table of what happened between two looks, and of how things stand at the second."""
    table = Table(
        "what", "now", title=f"{address} — {'ready' if not now.missing else 'NOT READY: ' + ', '.join(now.missing)}"
    )
    for name, (meaning, is_alarm) in _ALARMS.items():
        if values := [value for _, value in _gauges(now, name) if is_alarm(value)]:
            table.add_row(f"ALARM: {meaning}", f"{sum(values):g}", style="bold red")
    seconds = max(now.at - before.at, 1e-9)
    happened = now.counters - before.counters
    answers = {dict(labels)["outcome"]: count for (name, labels), count in happened.items() if name == _ANSWERS}
    table.add_row("OCSP answers a second", f"{sum(answers.values()) / seconds:,.0f}")
    for outcome, count in sorted(answers.items()):
        table.add_row(f"  {outcome}", f"{count / seconds:,.0f}")
    for (route,), buckets in _histograms(happened, _SECONDS, "route"):
        table.add_row(f"{route}: half, 99 in 100 within", f"{_within(buckets, 0.5)}, {_within(buckets, 0.99)}")
    for name, where in _SIGNATURES.items():
        for (role, key), buckets in _histograms(now.counters, name, "role", "key"):  # few, so since the start
            times = f"{_within(buckets, 0.5)}, {_within(buckets, 0.99)}"
            table.add_row(f"signatures, {role} {key}{where}: half, 99 in 100 within", times)
    for name, meaning in _GAUGES.items():
        for whose, value in _gauges(now, name):
            table.add_row(f"{meaning} {whose}".rstrip(), f"{value:,.2f}".removesuffix(".00"))
    return table


def _gauges(now: Look, name: str) -> Iterator[tuple[str, float]]:
    """Whose it is, by its labels, and how it stands."""
    for (found, labels), value in sorted(now.gauges.items()):
        if found == name:
            yield " ".join(label for _, label in labels), value


def _histograms(
    counters: Counter[tuple[str, tuple[tuple[str, str], ...]]], name: str, *by: str
) -> Iterator[tuple[tuple[str, ...], Mapping[float, float]]]:
    """Counts by bound, for each combination of these labels that there is."""
    found: dict[tuple[str, ...], Counter[float]] = {}
    for (one, labels), count in counters.items():
        if one == name:
            values = dict(labels)
            found.setdefault(tuple(values[label] for label in by), Counter())[float(values["le"])] += count
    yield from sorted((key, buckets) for key, buckets in found.items() if buckets[float("inf")])


def _within(buckets: Mapping[float, float], share: float) -> str:
    """The bound within which that share of the answers came."""
    most = max(buckets.values())
    bound = min(bound for bound, count in buckets.items() if count >= share * most)
    return "longer" if bound == float("inf") else f"{1000 * bound:g} ms"


def _looks(address: str, interval: float) -> Iterator[Look]:
    """Looks at the service, one after each interval. Raises Refusal(STORE_UNAVAILABLE) while it does not answer."""
    while True:
        try:
            yield _look(address)
        except (URLError, OSError):
            raise Refusal(
                Code.STORE_UNAVAILABLE, f"the status service does not answer at {address}; see: jpki serve"
            ) from None
        sleep(interval)


def _look(address: str) -> Look:
    look = Look(monotonic())
    with urlopen(f"{address}/metrics", timeout=_LONGEST) as response:  # noqa: S310  # from our own settings
        look.read(response.read().decode())
    try:
        with urlopen(f"{address}/readyz", timeout=_LONGEST) as response:  # noqa: S310  # from our own settings
            response.read()
    except HTTPError as error:
        parts = json.loads(error.read()).get("parts", {})
        look.missing = sorted(name for name, well in parts.items() if not well)
    return look
