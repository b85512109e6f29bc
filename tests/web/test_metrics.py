"""Metrics count what was served; their labels come from closed sets."""

from __future__ import annotations

import errno

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from config.signing import SECONDS, SigningCount
from domain.changes import LagCount, Leg
from domain.gauges import Gauge
from web.health import health_blueprint
from web.metrics import Meter
from web.shell import make_shell


@pytest.fixture
def app() -> Flask:
    app = make_shell(bytes, Meter())
    app.register_blueprint(health_blueprint(lambda: {"database": True, "lists": False}))
    return app


def samples(app: Flask) -> dict[tuple[str, str, str, str], float]:
    text = app.test_client().get("/metrics").text
    return {
        (sample.name, sample.labels["route"], sample.labels["method"], sample.labels["status"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "jpki_http_requests_total"
    }


def test_requests_are_counted_by_rule_method_and_status(app: Flask) -> None:
    client = app.test_client()
    client.get("/healthz")
    client.get("/healthz")
    client.post("/healthz")
    client.get("/secret/01234567890")
    assert samples(app) == {
        ("jpki_http_requests_total", "/healthz", "GET", "200"): 2,
        ("jpki_http_requests_total", "none", "POST", "405"): 1,
        ("jpki_http_requests_total", "none", "GET", "404"): 1,
    }


def test_invented_methods_are_one_label(app: Flask) -> None:
    for method in ("BREW", "PROPFIND", "TRACE"):
        app.test_client().open("/healthz", method=method)
    assert samples(app) == {("jpki_http_requests_total", "none", "other", "405"): 3}


def test_times_are_kept_by_rule(app: Flask) -> None:
    app.test_client().get("/healthz")
    text = app.test_client().get("/metrics").text
    assert 'jpki_http_request_seconds_count{route="/healthz"} 1.0' in text


def test_two_applications_count_apart() -> None:
    first, second = Meter(), Meter()
    first.ocsp_answer("good")
    assert b'jpki_ocsp_answers_total{outcome="good"} 1.0' in first.exposition()
    assert b"outcome" not in second.exposition()


def test_a_service_is_ready_when_every_part_is(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/healthz").json == {"alive": True}
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json == {"ready": False, "parts": {"database": True, "lists": False}}


def test_what_cannot_be_counted_is_served(monkeypatch: pytest.MonkeyPatch, app: Flask) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr("prometheus_client.metrics.MetricWrapperBase.labels", full)
    assert app.test_client().get("/healthz").status_code == 200
    Meter().ocsp_answer("good")


def test_gauges_are_asked_for_when_somebody_looks() -> None:
    told = [Gauge("jpki_lists_overdue", "Lists", (((("issuer", "a"),), 1.0), ((("issuer", "b"),), 0.0)))]
    app = make_shell(bytes, Meter(gauges=lambda: told))
    text = app.test_client().get("/metrics").text
    assert 'jpki_lists_overdue{issuer="a"} 1.0' in text
    told[:] = [Gauge("jpki_lists_overdue", "Lists", ())]
    assert "jpki_lists_overdue" not in app.test_client().get("/metrics").text


def test_lags_of_revocations_are_a_histogram_of_the_databases_counts() -> None:
    counts = [LagCount(Leg.LIST, 2, 3, 5), LagCount(Leg.LIST, 60, 4, 200), LagCount(Leg.LIST, None, 1, 90_000)]
    app = make_shell(bytes, Meter(lambda: counts))
    found = {
        (sample.name.removeprefix("jpki_revocation_lag_seconds_"), sample.labels.get("le")): sample.value
        for family in text_string_to_metric_families(app.test_client().get("/metrics").text)
        for sample in family.samples
        if sample.labels.get("leg") == "committed-to-listed"
    }
    assert [found["bucket", le] for le in ("1.0", "2.0", "30.0", "60.0", "86400.0", "+Inf")] == [0, 3, 3, 7, 7, 8]
    assert (found["count", None], found["sum", None]) == (8, 90_205)


def test_signatures_are_told_by_role_and_kind_of_key_those_of_other_processes_too() -> None:
    elsewhere = SigningCount("publisher", "lists", "rsa", (0, 2, *[0] * (len(SECONDS) - 1)), 0.00008)
    meter = Meter(signed_elsewhere=lambda: [elsewhere])
    meter.signature("responder", "ec-p256", 0.000015)
    found = {
        (sample.name, sample.labels["role"], sample.labels["key"], sample.labels.get("le")): sample.value
        for family in text_string_to_metric_families(meter.exposition().decode())
        for sample in family.samples
        if "signature" in family.name
    }
    assert found["jpki_signature_seconds_bucket", "responder", "ec-p256", "2e-05"] == 1
    assert found["jpki_worker_signature_seconds_bucket", "lists", "rsa", "2e-05"] == 0
    assert found["jpki_worker_signature_seconds_bucket", "lists", "rsa", "5e-05"] == 2
    assert found["jpki_worker_signature_seconds_bucket", "lists", "rsa", "+Inf"] == 2
    assert found["jpki_worker_signature_seconds_sum", "lists", "rsa", None] == pytest.approx(0.00008)
