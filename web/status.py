"""The status service: OCSP, revocation lists and issuer certificates over plain HTTP, for anybody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask

from config.signing import SigningCount, Tell
from domain.changes import LagCount
from domain.gauges import Gauges
from domain.ports import Clock, RandomSource
from web.front import OcspFront
from web.health import Health, health_blueprint
from web.lists import ListParts, lists_blueprint
from web.metrics import Meter
from web.ocsp import Answer, ocsp_blueprint
from web.shell import make_shell


@dataclass(frozen=True, slots=True)
class StatusParts:
    """What both services need: answers, lists and certificates for verifiers, and what operating takes."""

    answer: Answer
    lists: ListParts
    clock: Clock
    random: RandomSource
    health: Health
    lags: Callable[[], Sequence[LagCount]] = tuple
    gauges: Gauges = tuple
    hear_signatures: Callable[[Tell], None] = lambda _: None
    signed_elsewhere: Callable[[], Iterable[SigningCount]] = tuple

    def meter(self) -> Meter:
        """The counts of a service that has these parts; signatures are told to it from now on."""
        meter = Meter(self.lags, self.gauges, self.signed_elsewhere)
        self.hear_signatures(meter.signature)
        return meter


def create_status(parts: StatusParts) -> Flask:
    """The status service. Nobody is known here: a request for OCSP speaks by its signature or not at all."""
    meter = parts.meter()
    app = make_shell(parts.random, meter)
    for door in (
        ocsp_blueprint(parts.answer, nobody, meter.ocsp_answer),
        lists_blueprint(parts.lists, nobody),
        health_blueprint(parts.health),
    ):
        app.register_blueprint(door)
    app.wsgi_app = OcspFront(app.wsgi_app, parts.answer, nobody, meter, parts.clock)  # type: ignore[method-assign]
    return app


def nobody(_environ: dict[str, Any]) -> None:
    """The caller of a request to the status service."""
