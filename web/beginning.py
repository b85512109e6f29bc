"""The beginning of a service whose database is away: it says so, until it can begin.

A worker that ended instead would take gunicorn's master along, and with it the workers that still answer.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from threading import Event, Thread
from typing import TYPE_CHECKING, NoReturn

from flask import Flask, request

from config.document import ConfigurationFaults
from domain.errors import AWAY, Code, Refusal
from domain.ports import RandomSource
from web.health import health_blueprint
from web.metrics import Meter
from web.ocsp import ocsp_blueprint
from web.shell import make_shell

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

EVERY = 1.0
"""Seconds between two attempts to begin."""

_log = logging.getLogger("jpki.web")


def begin(make: Callable[[], WSGIApplication], random: RandomSource) -> WSGIApplication:
    """What `make` makes, or an application that stands for it until its database is not away any more.

    Raises what `make` raises for any other reason. When that happens later the process ends itself, as one ends that
    cannot start.
    """
    try:
        return make()
    except Refusal as refusal:
        if refusal.code not in AWAY:
            raise
        facts = {"why": refusal.code.value, "worker": os.getpid()}
        _log.warning("the service waits for its database", extra={"facts": facts})
    beginning = Beginning(make, _away(random))
    Thread(target=beginning.attempt, args=(Event(),), name="beginning", daemon=True).start()
    return beginning


class Beginning:
    """Passes requests on to `away` until `make` has made a better one."""

    def __init__(self, make: Callable[[], WSGIApplication], away: WSGIApplication) -> None:
        self._make, self._app = make, away

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._app(environ, start_response)

    def attempt(self, rest: Event) -> None:
        """Again and again, until the application is made; `rest` is what there is between two attempts."""
        while not rest.wait(EVERY):
            try:
                self._app = self._make()
            except Refusal as refusal:
                if refusal.code not in AWAY:
                    return _end(refusal)
            except Exception as error:
                return _end(error)
            else:
                _log.info("the service has begun", extra={"facts": {"worker": os.getpid()}})
                return None
        return None


def _end(error: Exception) -> None:
    said = isinstance(error, (ConfigurationFaults, Refusal))  # written for the operator; a trace would tell less
    _log.critical("the service cannot begin: %s", error, exc_info=None if said else error)
    os.kill(os.getpid(), signal.SIGTERM)


def _away(random: RandomSource) -> Flask:
    """An application that knows nobody: it refuses everything but health and counts, and says tryLater in OCSP."""
    refusal = Refusal(Code.STORE_UNAVAILABLE, "the service waits for its database; try again later")
    meter = Meter()
    app = make_shell(random, meter)

    def refuse(*_: object) -> NoReturn:
        raise refusal.again()

    def refuse_the_rest() -> None:
        if request.url_rule is None:
            refuse()

    app.before_request(refuse_the_rest)
    app.register_blueprint(ocsp_blueprint(refuse, refuse, meter.ocsp_answer))
    app.register_blueprint(health_blueprint(lambda: {"database": False}))
    return app
