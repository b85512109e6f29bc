"""Applications as lines of a batch."""

from __future__ import annotations

import base64
import json
from typing import Any

from domain.applications import IssuanceApplication


def as_document(application: IssuanceApplication) -> dict[str, Any]:
    """What the API takes for the application."""
    items = application.attributes
    return {
        "resident_code": application.resident_code.digits,
        "municipality_code": application.municipality.value,
        "attributes": {
            "name": items.name,
            "address": items.address,
            "birth_date": items.birth_date.text,
            "sex": items.sex.value,
        },
        "card": {"id": application.card.id.replace(" ", "-"), "expires_on": application.card.expires_on.isoformat()},
        "requests": {kind.value: base64.b64encode(der).decode() for kind, der in application.requests.items()},
        "carrier": application.carrier.value,
    }


def as_line(application: IssuanceApplication, **changes: object) -> bytes:
    """The application as a line of a batch, under a key made of the resident."""
    key = f"line-of-{application.resident_code.digits}"
    document = {"idempotency_key": key, **as_document(application), **changes}
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"
