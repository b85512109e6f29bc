"""What there is to watch: the gauges of an authority, from its records."""

from __future__ import annotations

from collections.abc import Sequence

from config.assemble import Services
from crl.lives import list_gauges
from domain.errors import Refusal
from domain.gauges import Gauge
from tracers.watch import sightings_gauge


def gauges_of(services: Services) -> Sequence[Gauge]:
    """How lists, queues and this node's status model stand, and how often tracers were seen. While the database is away
    only the age of the model is told; that it is away, `/readyz` tells."""
    age = services.node.lookup.age()
    model = _plain("jpki_status_model_age_seconds", "Since the status model was last seen to be up to date", age)
    now = services.clock()
    ended = frozenset(issuer.id for issuer in services.issuers.values() if issuer.validity.ended(now))
    try:
        with services.begin(write=False) as work:
            waiting = sum(work.batches.waiting().values())
            queue = _plain("jpki_batch_applications_waiting", "Applications of batches that wait for a worker", waiting)
            return model, queue, *list_gauges(work.lists.scopes(), now, ended), sightings_gauge(work)
    except Refusal:
        return (model,)


def _plain(name: str, meaning: str, value: float | None) -> Gauge:
    """A gauge without labels; without a value where there is none."""
    return Gauge(name, meaning, () if value is None else (((), float(value)),))
