"""Metrics: what the doors count, in the Prometheus text format. Labels come from closed sets, never from requests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import accumulate
from time import perf_counter

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.utils import floatToGoString

from config.signing import SECONDS, SigningCount
from domain.changes import BOUNDS, LagCount, Leg
from domain.gauges import Gauges
from web.environ import MULTIPROCESS, ROUTE

_METHODS = frozenset(("GET", "HEAD", "POST"))
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Meter:
    """The counts of one service. What cannot be counted, because the disk is full, is served all the same.

    `lags` gives what publishers counted in the database, the same for all services; `gauges` says how things stand;
    `signed_elsewhere` has the signatures of processes without a door.
    """

    def __init__(
        self,
        lags: Callable[[], Sequence[LagCount]] = tuple,
        gauges: Gauges = tuple,
        signed_elsewhere: Callable[[], Iterable[SigningCount]] = tuple,
    ) -> None:
        self._lags = _Lags(lags)
        self._elsewhere = _Elsewhere(signed_elsewhere)
        self._gauges = _Standing(gauges)
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "jpki_http_requests", "HTTP requests", ("route", "method", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "jpki_http_request_seconds",
            "Time to answer (of OCSP answers by the event loop, one in 64)",
            ("route",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._validations = Counter(
            "jpki_validations", "Validations for operators", ("format", "outcome"), registry=self._registry
        )
        self._signatures = Histogram(
            "jpki_signature_seconds",
            "Time of a signature (of OCSP answers, some)",
            ("role", "key"),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._ocsp = Counter("jpki_ocsp_answers", "OCSP answers", ("outcome",), registry=self._registry)

    def validation(self, format_: str, outcome: str) -> None:
        with suppress(OSError):
            self._validations.labels(format_, outcome).inc()

    def signature(self, role: str, key: str, seconds: float) -> None:
        with suppress(OSError):
            self._signatures.labels(role, key).observe(seconds)

    def ocsp_answer(self, outcome: str, count: int = 1) -> None:
        with suppress(OSError):
            self._ocsp.labels(outcome).inc(count)

    def http_request(self, route: str, method: str, status: int, seconds: float) -> None:
        self.http_requests(route, method, status, 1)
        self.http_seconds(route, seconds)

    def http_requests(self, route: str, method: str, status: int, count: int) -> None:
        with suppress(OSError):
            self._requests.labels(route, method if method in _METHODS else "other", str(status)).inc(count)

    def http_seconds(self, route: str, seconds: float) -> None:
        with suppress(OSError):
            self._seconds.labels(route).observe(seconds)

    def exposition(self) -> bytes:
        """The counts of this process, or of all workers of the service when they share a directory."""
        registry = self._registry
        if MULTIPROCESS in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return b"".join(map(generate_latest, (registry, self._lags, self._elsewhere, self._gauges)))


class _Lags(CollectorRegistry):
    """The histogram of how long revocations took, made of the database's own counts."""

    def __init__(self, lags: Callable[[], Sequence[LagCount]]) -> None:
        super().__init__()
        self._lags_of = lags

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(
            "jpki_revocation_lag_seconds",
            "From receipt of a revocation to its commit, which OCSP answers from, and from there into a published list",
            labels=["leg"],
        )
        counts = self._lags_of()
        for leg in Leg:
            by_bound = {row.bound: row.count for row in counts if row.leg is leg}
            sums = list(accumulate(by_bound.get(bound, 0) for bound in (*BOUNDS, None)))
            bounds = [*map(str, map(float, BOUNDS)), "+Inf"]
            family.add_metric(
                [leg.value], list(zip(bounds, sums, strict=True)), sum(row.seconds for row in counts if row.leg is leg)
            )
        yield family


class _Elsewhere(CollectorRegistry):
    """The histogram of signatures that were made by processes without a door of their own."""

    def __init__(self, counts: Callable[[], Iterable[SigningCount]]) -> None:
        super().__init__()
        self._counts_of = counts

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(
            "jpki_worker_signature_seconds",
            "Time of a signature by the publisher and workers on batches",
            labels=["process", "role", "key"],
        )
        bounds = [*map(floatToGoString, SECONDS), "+Inf"]
        for row in self._counts_of():
            sums = accumulate(row.counts)
            family.add_metric([row.process, row.role, row.kind], list(zip(bounds, sums, strict=True)), row.seconds)
        yield family


class _Standing(CollectorRegistry):
    """The gauges, asked for when somebody looks."""

    def __init__(self, gauges: Gauges) -> None:
        super().__init__()
        self._gauges_of = gauges

    def collect(self) -> Iterator[Metric]:
        for gauge in (gauge for gauge in self._gauges_of() if gauge.values):
            family = GaugeMetricFamily(gauge.name, gauge.meaning, labels=[name for name, _ in gauge.values[0][0]])
            for labels, value in gauge.values:
                family.add_metric([label for _, label in labels], value)
            yield family


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
