"""What there is to watch: the gauges of an authority, from its records, and whether its parts can do their work."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile

from config.assemble import Services
from config.nodes import system_steady
from crl.lives import list_gauges
from crl.publisher import LEASE
from domain.errors import Refusal
from domain.gauges import Gauge
from store.engine import parse_url
from store.writability import Writability
from tracers.watch import sightings_gauge

_ROOM = 1 << 20
"""Octets without which there is no work to be done: less than a segment of records takes."""


def gauges_of(services: Services) -> Sequence[Gauge]:
    """How this node's status model, lists and queues stand, who publishes, and how often tracers were seen. While the
    database is away only the model is told of; that it is away, `/readyz` tells. Queues and tracers are no affair of a
    status node, which may not read them."""
    now = services.clock()
    model = tuple(services.node.gauges())
    ended = frozenset(issuer.id for issuer in services.issuers.values() if issuer.validity.ended(now))
    try:
        with services.begin(write=False) as work:
            lists = (*list_gauges(work.lists.scopes(), now, ended), _lease_gauge(work.lists.holder(LEASE), now))
            if services.node_name:
                return *model, *lists
            waiting = sum(work.batches.waiting().values())
            queue = _plain("jpki_batch_applications_waiting", "Applications of batches that wait for a worker", waiting)
            return *model, queue, *lists, *_filter_gauges(services), sightings_gauge(work)
    except Refusal:
        return model


def _filter_gauges(services: Services) -> Sequence[Gauge]:
    if not any((services.settings.state / "secrets").glob("filter-*.key")):
        return ()
    from config.filters import filter_gauges  # which brings numpy along

    return filter_gauges(services)


def health_of(services: Services, takes_writes: Callable[[], bool] = lambda: True) -> Mapping[str, bool]:
    """Which parts can do their work now: the database answers, responders may sign, no list in use has ended, there is
    room on the disk of the state directory.

    Giving status takes a database that can be read, and room for records. A service that changes something asks for
    more: `takes_writes` tells whether its database does.
    An issuer that has ended has no more to say, and its last list and responder stand for themselves.
    """
    now = services.clock()
    ended = {issuer.id for issuer in services.issuers.values() if issuer.validity.ended(now)}
    try:
        with services.begin(write=False) as work:
            lists = all(
                row.published is not None and row.published.next_update >= now
                for row in work.lists.scopes()
                if row.scope.issuer not in ended
            )
        database = True
    except Refusal:
        database = lists = False
    responders = all(key.validity.covers(now) for id_, key in services.responder.keys.items() if id_ not in ended)
    status = database or services.node.lookup.is_fresh()
    return {
        "database": database and takes_writes(),
        "status": status,
        "responders": responders,
        "lists": lists,
        "disk": _can_write(services),
    }


def takes_writes_of(services: Services) -> Callable[[], bool]:
    """Whether the database takes writes, found out every few seconds at most."""
    return Writability(services.database_url, system_steady)


def _can_write(services: Services) -> bool:
    """Whether a file can be written below the state directory, where records of provisions grow, and where a SQLite
    database does: a disk that is full, or may only be read, refuses it."""
    folders = {services.settings.state}
    database = parse_url(services.database_url)
    if database.drivername == "sqlite":
        folders.add(Path(database.database or "").parent)
    try:
        for folder in folders:
            with TemporaryFile(dir=folder) as file:
                os.posix_fallocate(file.fileno(), 0, _ROOM)
    except OSError:
        return False
    return True


def _plain(name: str, meaning: str, value: float) -> Gauge:
    return Gauge(name, meaning, (((), float(value)),))


def _lease_gauge(held: tuple[str, datetime] | None, now: datetime) -> Gauge:
    """Nobody but between two rounds, or for a minute after a publisher died."""
    values = (((("holder", held[0]),), (held[1] - now).total_seconds()),) if held and held[1] > now else ()
    return Gauge("jpki_publisher_lease_seconds", "How long the lease of the publisher that works now lasts", values)
