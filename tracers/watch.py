"""The watch for tracers: who was told of one that another verifier alone could know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from domain.events import Act, AuditEvent
from domain.gauges import Gauge
from domain.handles import Recipient
from domain.ports import Begin, UnitOfWork
from domain.provisions import Channel
from domain.tracers import Sighting
from provisions.segment import NOBODY, Content, Sealed
from tracers.register import Register, Tracer, serials_of

Alarm = Callable[[Sighting, Tracer], None]


@dataclass(frozen=True, slots=True)
class Watch:
    """Hears provision records as they are filed (`provisions.filing.Hear`), so that answering costs nothing for it.
    `alarm` is called for each new sighting, after it was kept."""

    begin: Begin
    register: Callable[[], Register | None]
    alarm: Alarm
    actor: str

    def __call__(self, _content: Content, rows: Sequence[Sealed]) -> None:
        """Records are heard once or more often; a sighting is kept once."""
        register = self.register()
        if register is None:
            return
        with self.begin(write=False) as work:
            tracers = serials_of(work, register)
        found = [
            (sighting, tracer)
            for row in rows
            if (tracer := tracers.get(row.asked)) is not None and (sighting := _seen(tracer, row)) is not None
        ]
        new = []
        if found:
            with self.begin() as work:
                new = [one for one in dict(found).items() if self._keep(work, *one)]
                if new:
                    work.commit()
        for sighting, tracer in new:
            self.alarm(sighting, tracer)

    def _keep(self, work: UnitOfWork, sighting: Sighting, tracer: Tracer) -> bool:
        new = work.tracers.see(sighting)
        if new:
            facts = {
                "tracer": str(sighting.name),
                "planted_at": tell(work, tracer.planted),
                "seen_by": tell(work, sighting.seen_by),
                "channel": sighting.channel,
            }
            work.audit.append(AuditEvent(Act.TRACER_SEEN, self.actor, sighting.at, facts))
        return new


def sightings_gauge(work: UnitOfWork) -> Gauge:
    """Recipients, by channel, that were told of tracers planted at others."""
    meaning = "Verifiers, by channel, that were told of tracers planted at others"
    return Gauge("jpki_tracer_sightings", meaning, (((), len(work.tracers.sightings())),))


def tell(work: UnitOfWork, recipient: Recipient | None) -> str:
    """A recipient by the labels of its parties."""
    if recipient is None:
        return "anybody"
    labels = {party.id: party.label for party in work.parties.all()}
    names = [labels.get(id_, f"party {id_}") for id_ in (recipient.party, recipient.provider) if id_]
    return " for ".join(names)


def _seen(tracer: Tracer, row: Sealed) -> Sighting | None:
    """Where the tracer was planted it is at home, and nobody is told."""
    provider = 0 if row.provider == NOBODY else row.provider
    seen_by = None if row.party == NOBODY else Recipient(row.party, provider)
    if seen_by == tracer.planted:
        return None
    channel = Channel(row.channel).name.lower()
    return Sighting(tracer.name, seen_by, channel, datetime.fromtimestamp(row.seconds, UTC))
