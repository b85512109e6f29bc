"""The publisher's round: old holds, what is due, interrupted or never delivered, to be filed, kept long enough."""

from __future__ import annotations

import logging
import signal
from datetime import timedelta
from functools import partial
from pathlib import Path

from ca.ageing import age_holds
from ca.deliver import withdraw_overdue
from ca.desk import GAP, match_new
from ca.erasure import erase_due
from ca.recover import finish_unfinished
from config.assemble import Services, assemble
from config.detection import judge_due
from config.document import ConfigurationFaults
from config.filters import publish_due_filters
from config.inspection import filing_of
from config.renewal import renew_due
from config.signing import SigningCounts
from crl.publish import publish_due
from domain.detection import Grade
from domain.errors import Code, Refusal
from policies.retention import Records
from provisions.erasure import erase_provisions
from provisions.filing import file_due
from validation.erasure import erase_over
from verifiers.handle_news import collect_news, release_news

_log = logging.getLogger("jpki.publisher")

INTERRUPTED_AFTER = timedelta(minutes=2)
"""An application without its certificates for this long is not being worked on any more: a server died."""

ERASED_AT_ONCE = 4
"""Batches of records that one round erases."""

FILED_AT_ONCE = 4
"""Segments of provisions that one round files."""

MATCHED = 20
"""Batches of residents that are made comparable in one round: others write between two of them."""

PRUNED = 20_000
"""Changes of status that one round drops."""

LONGEST_WAIT = timedelta(minutes=1)
"""Between rounds while something is refused; each refused round may spend list numbers."""

_HEARD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


def run_publisher(state: Path) -> None:
    """Go round until SIGTERM or SIGINT; SIGUSR1 begins the next round at once, SIGHUP reads the settings again.

    A refusal is logged, and the next rounds come later and later until one succeeds. Raises ConfigurationFaults.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)  # they wait for the end of the round
    services = assemble(state)
    services.require_schema()
    wait, counts = timedelta(0), SigningCounts(state, "publisher")
    while True:
        services.signing.hear(counts.tell)
        wait = next_wait(wait, services.settings.publish_poll, well=go_round(services))
        counts.keep()
        heard = signal.sigtimedwait(_HEARD, wait.total_seconds())
        if heard and heard.si_signo in (signal.SIGTERM, signal.SIGINT):
            break
        if heard and heard.si_signo == signal.SIGHUP:
            services = assembled_anew(state, services)
    services.close()


def next_wait(wait: timedelta, poll: timedelta, *, well: bool) -> timedelta:
    """How long to wait after a round, `wait` being the wait before it."""
    return poll if well else min(max(wait, poll) * 2, max(LONGEST_WAIT, poll))


def assembled_anew(state: Path, services: Services) -> Services:
    """The services by the settings as they are now; those before while there are faults in them."""
    try:
        fresh = assemble(state)
    except ConfigurationFaults as error:
        _log.error("the settings have faults; those read before stay in force", extra={"facts": {"why": str(error)}})
        return services
    services.close()
    return fresh


def go_round(services: Services) -> bool:
    """One round; whether everything in it went well. The parts do not stop each other."""
    well = True
    for part in _PARTS:
        try:
            well &= part(services)
        except Refusal as refusal:
            # Busy: another publisher has the lease and does the work, or died and left it behind for a minute.
            level = logging.INFO if refusal.code is Code.BUSY else logging.ERROR
            _log.log(level, "refused", extra={"facts": _facts(refusal)})
            well &= refusal.code is Code.BUSY
        except (ConfigurationFaults, OSError) as error:
            _log.error("failed", extra={"facts": {"why": str(error)}})
            well = False
    return well


def _age(services: Services) -> bool:
    aged = age_holds(services.authority, f"publisher:{services.publisher.holder}")
    if aged.reported:
        _log.warning("holds reached their age; see: jpki holds", extra={"facts": {"holds": aged.reported}})
    if aged.revoked:
        _log.info("revoked holds that reached their age", extra={"facts": {"holds": aged.revoked}})
    return True


def _match(services: Services) -> bool:
    """Make the items of new and changed residents comparable; after a big load this takes some rounds."""
    for _ in range(MATCHED):
        with services.begin(write=False) as work:
            if not work.residents.unmatched(1):
                break
        with services.begin() as work:
            match_new(services.authority, work, GAP)
            work.commit()
    return True


def _news(services: Services) -> bool:
    """Make news of what changed for those who asked by handle, and release those that are due."""
    changes = sum(iter(partial(collect_news, services.handles), 0))
    if released := sum(iter(partial(release_news, services.handles, services.law.retention[Records.NEWS]), 0)):
        _log.info("released news of handles", extra={"facts": {"changes": changes, "news": released}})
    return True


def _publish(services: Services) -> bool:
    report = publish_due(services.publisher)
    for record in report.published:
        facts = {"list": record.scope.path, "number": record.number, "entries": record.entries}
        _log.info("published a list", extra={"facts": facts})
    for scope, refusal in report.refused:
        _log.error("a list was refused", extra={"facts": {"list": scope.path, **_facts(refusal)}})
    return not report.refused


def _filters(services: Services) -> bool:
    """The filters of every class that has a key, before half of the life of the last ones is gone."""
    for name in publish_due_filters(services):
        _log.info("published a filter", extra={"facts": {"filter": name}})
    return True


def _renew(services: Services) -> bool:
    for name in renew_due(services):
        _log.info("renewed a certificate", extra={"facts": {"of": name}})
    return True


def _finish(services: Services) -> bool:
    if finished := finish_unfinished(services.authority, services.clock() - INTERRUPTED_AFTER):
        _log.info("completed interrupted applications", extra={"facts": {"applications": finished}})
    return True


def _withdraw(services: Services) -> bool:
    before = services.clock() - services.settings.delivery_within
    if withdrawn := withdraw_overdue(services.authority, before, f"publisher:{services.publisher.holder}"):
        _log.info("revoked what was never delivered", extra={"facts": {"applications": withdrawn}})
    return True


def _file(services: Services) -> bool:
    """Segments of provisions, a few in a round: one that is full takes seconds."""
    segments, records = file_due(filing_of(services), FILED_AT_ONCE)
    if segments:
        _log.info("filed provisions", extra={"facts": {"segments": segments, "records": records}})
    return True


def _judge(services: Services) -> bool:
    """What verifiers asked, once an hour."""
    alarms = judge_due(services, f"publisher:{services.publisher.holder}")
    if found := [alarm for alarm in alarms if alarm.grade > Grade.NOTE]:
        _log.warning("alarms about verifiers; see: jpki detection list", extra={"facts": {"alarms": len(found)}})
    return True


def _erase(services: Services) -> bool:
    """A little at a time: what is left waits for the next rounds."""
    actor = f"publisher:{services.publisher.holder}"
    rules = services.law.retention
    erased = erase_due(services.begin, services.clock, rules, actor, ERASED_AT_ONCE)
    erased += erase_provisions(filing_of(services), rules[Records.PROVISIONS], actor, ERASED_AT_ONCE)
    if erased:
        _log.info("erased records that are not kept any longer", extra={"facts": dict(erased)})
    return True


def _forget(services: Services) -> bool:
    if erased := erase_over(services.begin, services.clock, f"publisher:{services.publisher.holder}"):
        _log.info("erased validations that are not kept any longer", extra={"facts": {"validations": erased}})
    return True


def _prune(services: Services) -> bool:
    """Drop changes of status that no model needs any more."""
    with services.begin(write=False) as work:
        if not work.status_changes.is_long():
            return True
    with services.begin() as work:
        pruned = work.status_changes.prune(PRUNED)
        work.commit()
    _log.info("dropped changes of status that models have followed", extra={"facts": {"changes": pruned}})
    return True


def _facts(refusal: Refusal) -> dict[str, str]:
    return {"code": refusal.code.value, "detail": refusal.detail}


_PARTS = (
    _age,
    _publish,
    _renew,
    _finish,
    _withdraw,
    _file,
    _judge,
    _erase,
    _forget,
    _match,
    _news,
    _prune,
    _filters,  # last: a new base of many certificates takes minutes
)
