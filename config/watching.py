"""What there is to watch: the gauges of an authority, from its records."""

from __future__ import annotations

from collections.abc import Sequence

from config.assemble import Services
from crl.lives import list_gauges
from domain.errors import Refusal
from domain.gauges import Gauge
from tracers.watch import sightings_gauge


def gauges_of(services: Services) -> Sequence[Gauge]:
    """How lists stand, and how often tracers were seen; nothing while the database is away, which `/readyz` tells."""
    now = services.clock()
    ended = frozenset(issuer.id for issuer in services.issuers.values() if issuer.validity.ended(now))
    try:
        with services.begin(write=False) as work:
            return *list_gauges(work.lists.scopes(), now, ended), sightings_gauge(work)
    except Refusal:
        return ()
