"""Health: whether the process lives, and whether the service can do its work."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Blueprint, Response

from web.answers import json_answer

Health = Callable[[], Mapping[str, bool]]
"""Whether each named part can do its work: for example `database`, `responders`, `lists`."""


def health_blueprint(health: Health) -> Blueprint:
    """GET /healthz (the process answers) and GET /readyz (200 when every part is well, else 503)."""
    door = Blueprint("health", __name__)

    @door.get("/healthz")
    def get_health() -> Response:
        return json_answer({"alive": True})

    @door.get("/readyz")
    def get_readiness() -> Response:
        parts = dict(health())
        ready = all(parts.values())
        return json_answer({"ready": ready, "parts": parts}, 200 if ready else 503)

    return door
