"""Requests made up from the description: whatever they hold, the answer is a described one and never a 500."""

from __future__ import annotations

import json
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.support.doors import Acts, make_api_parts
from web.api import create_api


@schemathesis.serializer("application/jsonl", "application/ocsp-request")
def as_lines(_context: Any, value: Any) -> bytes:
    """A file as made up from a description that says no more than "text"; a value of another type goes as JSON."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "surrogatepass")


api = create_api(make_api_parts(Acts()), lambda _environ: b"municipality")
schema = schemathesis.openapi.from_wsgi("/v1/openapi.json", api)


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_answers_are_described(case: Any) -> None:
    # A schema knows no check digits, and not what characters a register writes: such requests are rightly refused.
    case.call_and_validate(excluded_checks=[positive_data_acceptance])
