"""The publisher's round: lists that are due, responder certificates that end, applications that were interrupted."""

from __future__ import annotations

import logging
import signal
import threading
from datetime import timedelta
from types import FrameType

from ca.recover import finish_unfinished
from config.assemble import Services
from config.document import ConfigurationFaults
from config.renewal import renew_due
from crl.publish import publish_due
from domain.errors import Code, Refusal

_log = logging.getLogger("jpki.publisher")

INTERRUPTED_AFTER = timedelta(minutes=2)
"""An application without its certificates for this long is not being worked on any more: a server died."""

LONGEST_WAIT = timedelta(minutes=1)
"""Between rounds while something is refused; each refused round may spend list numbers."""


def run_publisher(services: Services) -> None:
    """Go round until SIGTERM or SIGINT; SIGUSR1 begins the next round at once. A refusal is logged, and the next
    rounds come later and later until one succeeds."""
    stop, wake = threading.Event(), threading.Event()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGUSR1:
            stop.set()
        wake.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, on_signal)
    poll = services.settings.publish_poll
    wait = poll
    while not stop.is_set():
        wait = poll if go_round(services) else min(wait * 2, max(LONGEST_WAIT, poll))
        wake.wait(wait.total_seconds())
        wake.clear()


def go_round(services: Services) -> bool:
    """One round; whether everything in it went well. The parts do not stop each other."""
    well = True
    for part in (_publish, _renew, _finish):
        try:
            well &= part(services)
        except Refusal as refusal:
            if refusal.code is not Code.BUSY:  # another publisher has the lease and does the work
                _log.error("refused", extra={"facts": _facts(refusal)})
                well = False
        except (ConfigurationFaults, OSError) as error:
            _log.error("failed", extra={"facts": {"why": str(error)}})
            well = False
    return well


def _publish(services: Services) -> bool:
    report = publish_due(services.publisher)
    for record in report.published:
        facts = {"list": record.scope.path, "number": record.number, "entries": record.entries}
        _log.info("published a list", extra={"facts": facts})
    for scope, refusal in report.refused:
        _log.error("a list was refused", extra={"facts": {"list": scope.path, **_facts(refusal)}})
    return not report.refused


def _renew(services: Services) -> bool:
    for name in renew_due(services):
        _log.info("renewed a certificate", extra={"facts": {"of": name}})
    return True


def _finish(services: Services) -> bool:
    if finished := finish_unfinished(services.authority, services.clock() - INTERRUPTED_AFTER):
        _log.info("completed interrupted applications", extra={"facts": {"applications": finished}})
    return True


def _facts(refusal: Refusal) -> dict[str, str]:
    return {"code": refusal.code.value, "detail": refusal.detail}
