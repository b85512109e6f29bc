"""Traffic: what verifiers asked on the days that are kept, put again as the register stands now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from config.settings import Settings
from detection.sketch import Sketch, Way
from domain.certificates import Kind
from domain.parties import Party
from domain.ports import UnitOfWork
from domain.provisions import Channel
from policies.admission import Inquiry
from policies.ocsp import Access
from policies.replay import Asked


@dataclass(frozen=True, slots=True)
class Doors:
    """What no record tells: how the doors are set, and of which kind each issuer's certificates are."""

    access: Mapping[Channel, Access]
    kinds: Mapping[str, Kind]


def doors_of(settings: Settings) -> Doors:
    """The doors as this state directory has them."""
    kinds = {kind.value: kind for kind in Kind}
    return Doors(
        {Channel.OCSP: settings.ocsp.access, Channel.CRL: settings.crl_access},
        {**kinds, **{row.id: row.kind for row in settings.issuers}},
    )


def asked_again(work: UnitOfWork, doors: Doors, now: datetime) -> Iterator[Asked]:
    """What was asked, by day, verifier and way. Approvals are those of today, at the end of that day."""
    parties = {party.id: party for party in work.parties.all()}
    for row in work.detection.days(date.min, now.date()):
        party, provider = parties.get(row.party), parties.get(row.provider)
        if party is None:
            continue
        at = min(now, datetime.combine(row.day, time(23, 59, 59), UTC))
        who = f"{party.name} for {provider.name}" if provider else party.name
        for way, count in Sketch.read(row.content).ways.items():
            if way[0] in doors.kinds:
                yield Asked(who, _inquiry(doors, party, provider, way, at), way[3], count)


def _inquiry(doors: Doors, party: Party, provider: Party | None, way: Way, at: datetime) -> Inquiry:
    """What a refusal says about the request, where its record does not, is taken from the row that refused."""
    issuer, number, purpose, refused = way
    channel = Channel(number)
    return Inquiry(
        doors.access.get(channel, "notified-verifiers"),
        party,
        doors.kinds[issuer],
        at,
        channel,
        provider is not None or refused == "provider-unknown",
        provider,
        purpose or None,
        "another" if refused == "purpose-not-of-credential" else None,
    )
