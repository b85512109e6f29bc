"""Metrics: what the doors count, in the Prometheus text format. Labels come from closed sets, never from requests."""

from __future__ import annotations

import os
from contextlib import suppress
from time import perf_counter

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from web.environ import MULTIPROCESS, ROUTE

_METHODS = frozenset(("GET", "HEAD", "POST"))
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Meter:
    """The counts of one service. What cannot be counted, because the disk is full, is served all the same."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "jpki_http_requests", "HTTP requests", ("route", "method", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "jpki_http_request_seconds", "Time to answer", ("route",), buckets=_BUCKETS, registry=self._registry
        )
        self._ocsp = Counter("jpki_ocsp_answers", "OCSP answers", ("outcome",), registry=self._registry)

    def ocsp_answer(self, outcome: str) -> None:
        with suppress(OSError):
            self._ocsp.labels(outcome).inc()

    def http_request(self, route: str, method: str, status: int, seconds: float) -> None:
        with suppress(OSError):
            self._requests.labels(route, method if method in _METHODS else "other", str(status)).inc()
            self._seconds.labels(route).observe(seconds)

    def exposition(self) -> bytes:
        """The counts of this process, or of all workers of the service when they share a directory."""
        registry = self._registry
        if MULTIPROCESS in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def measure(app: Flask, meter: Meter) -> None:
    """Have every request of `app` counted and timed, and its rule noted for the access log."""

    @app.before_request
    def start() -> None:
        g.started = perf_counter()
        request.environ[ROUTE] = request.url_rule.rule if request.url_rule else "none"

    @app.after_request
    def stop(response: Response) -> Response:
        meter.http_request(request.environ[ROUTE], request.method, response.status_code, perf_counter() - g.started)
        return response


def metrics_blueprint(meter: Meter) -> Blueprint:
    """GET /metrics."""
    door = Blueprint("metrics", __name__)

    @door.get("/metrics")
    def get_metrics() -> Response:
        return Response(meter.exposition(), content_type=CONTENT_TYPE_LATEST)

    return door
