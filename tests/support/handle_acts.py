"""What processes of tests do with handles and tracers, beside `tests.support.acts`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from config.assemble import Services
from config.handles import add_handle_key, handle_rotation
from config.rules import load_retention
from config.tracers import register_of
from domain.certificates import Kind
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.proposals import Proposal, ProposalState, Voice, canonical
from policies.news import SPREAD
from policies.retention import Records
from tests.support.tracers import file_of, make_personas, requests_of
from tests.support.verifiers import add_verifier, switch_key
from tracers.planting import KIND, content_of, plant
from verifiers.handle_news import collect_news, fetch_news, release_news, subscribe
from verifiers.handle_office import translate
from verifiers.handle_rotation import move_subscriptions, newest

Facts = dict[str, Any]


class Place(Protocol):
    """A `tests.support.acts.Workplace`."""

    now: datetime

    @property
    def services(self) -> Services: ...


def _bank(services: Services) -> Party:
    with services.begin(write=False) as work:
        found = work.parties.find(Role.VERIFIER.value, "bank")
    return found or add_verifier(services.begin, "bank", at=services.clock())


def _signing(services: Services) -> list[bytes]:
    with services.begin(write=False) as work:
        return [row.der for row in work.certificates.all() if row.kind is Kind.SIGNATURE]


def _subscribe(place: Place) -> Facts:
    """A bank has handles of all signing certificates, and wants news of them."""
    office, bank = place.services.handles, _bank(place.services)
    handles = [one.handle for one in office.of_many(bank, None, _signing(place.services))]
    subscribe(office, bank, None, handles)
    return {"handles": handles}


def _news(place: Place) -> Facts:
    """The publisher's part on the day of the events and weeks later, and what the bank fetches then."""
    office, bank = place.services.handles, _bank(place.services)
    _exhaust(lambda: collect_news(office))
    place.now += timedelta(days=SPREAD)
    _exhaust(lambda: release_news(office, load_retention()[Records.NEWS]))
    place.now -= timedelta(days=SPREAD)
    return {"news": [(one.number, one.word.value) for one in fetch_news(office, bank, None, 0)[0]]}


def _exhaust(step: Callable[[], int]) -> None:
    while step():
        pass


def _change_key(place: Place) -> Facts:
    """Whatever is left to do on the way to the second key of handles."""
    services = place.services
    with services.begin(write=False) as work:
        generation, _ = newest(work)
    if generation == 1:
        add_handle_key(services)
    rotation = handle_rotation(services)
    with services.begin(write=False) as work:
        _, waiting = newest(work)
    if waiting:
        switch_key(rotation)
    for _ in move_subscriptions(rotation, batch=2):
        pass
    bank = _bank(services)
    with services.begin(write=False) as work:
        left = len(work.handles.older(2, 9))
    made = [one.handle for one in services.handles.of_many(bank, None, _signing(services))]
    return {"left": left, "made": made, "translated": translate(services.handles, bank, None, made)}


def _plant(place: Place) -> Facts:
    """Two tracers at the bank."""
    services = place.services
    _bank(services)
    personas = make_personas(2)
    content, voice, at = content_of("bank", None, file_of(personas), 2), Voice(b""), services.clock()
    proposal = Proposal("0a", KIND, canonical(content), "audit", "", voice, at, at, ProposalState.CONFIRMED)
    register = register_of(services, found=True)
    assert register is not None
    pairs = plant(services.authority, register, proposal, personas, file_of(personas), requests_of, LOCAL_OPERATOR)
    with services.begin(write=False) as work:
        registered = len([*map(register.open, work.tracers.all())])
    return {"pairs": [len(pair.certificates) for pair in pairs], "registered": registered}


HANDLE_ACTS: Mapping[str, Callable[..., Facts]] = {
    "subscribe": _subscribe,
    "news": _news,
    "change key of handles": _change_key,
    "plant": _plant,
}
