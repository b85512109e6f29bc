"""What processes of tests do as officers with the services of a state directory: propose, confirm, and look."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from config.assemble import Services
from config.handles import add_handle_key
from config.law import KIND, content_of, replay_change, shipped_texts
from config.traffic import doors_of
from domain.certificates import Kind
from domain.errors import Refusal
from domain.parties import Role
from domain.proposals import Proposal
from policies.admission import Inquiry
from store.work import SqlBegin
from tests.support.officers import AOI, KEN, RIN, proposed, register
from tests.support.verifiers import add_verifier
from verifiers.handle_rotation import SWITCH, newest, switch_content
from verifiers.proposals import confirm, list_proposals

Facts = dict[str, Any]
OFFICERS = {officer.name: officer for officer in (AOI, KEN, RIN)}
_CERTIFICATES = [officer.certificate for officer in OFFICERS.values()]
"""Made once, so that every process that is forked has the same."""

WITHDRAWAL = "verifier-withdrawal"


class Place(Protocol):
    """A `tests.support.acts.Workplace`."""

    now: datetime

    @property
    def services(self) -> Services: ...


def _take_office(place: Place) -> Facts:
    """Three officers."""
    register(place.services.begin, *OFFICERS.values(), at=place.now)
    return {}


def _open_office(place: Place) -> Facts:
    """Three officers, an approved bank, a key of handles that waits, and a proposal of officer aoi of each kind."""
    services = place.services
    _take_office(place)
    add_verifier(services.begin, "bank", at=place.now)
    add_handle_key(services)
    for kind, content in _contents(services).items():
        proposed(services.board, AOI, kind, content)
    return {}


def _contents(services: Services) -> Mapping[str, dict[str, object]]:
    text = shipped_texts()["admission"].replace('access = ["open"]', 'access = ["open"]\nchannel = ["crl"]')
    texts, done = replay_change(services.begin, "admission", text, services.clock(), doors_of(services.settings))
    with services.begin(write=False) as work:
        switch = switch_content(work)
    return {
        WITHDRAWAL: {"verifier": "bank", "kinds": [kind.value for kind in Kind]},
        KIND: content_of(texts, "admission", text, done),
        SWITCH: switch,
    }


def _confirm(place: Place, *, kind: str, officer: str) -> Facts:
    """An officer confirms the proposal of that kind, as every process of the node does: under the node's mark."""
    services = place.services
    begin = services.begin
    assert isinstance(begin, SqlBegin)
    begin.register_changing = services.register_mark.changing
    proposal = _proposal(services, kind)
    done = confirm(services.board, proposal.id, proposal.digest, OFFICERS[officer].says("confirm", proposal))
    return {"state": done.state.value}


def _look(place: Place, *, kind: str) -> Facts:
    """What is on record of the proposal, whether its effect is there, and how often the trail says so."""
    services = place.services
    with services.begin(write=False) as work:
        told = [json.loads(row.body) for row in work.audit.rows()]
    done = [row for row in told if row["act"] == "proposal-confirmed" and row["facts"]["kind"] == kind]
    effect: Callable[[Services], bool] = {WITHDRAWAL: _cut_off, KIND: _closed, SWITCH: _switched}[kind]
    return {"state": _proposal(services, kind).state.value, "done": effect(services), "told": len(done)}


def _proposal(services: Services, kind: str) -> Proposal:
    (proposal,) = [row for row in list_proposals(services.board, None) if row.kind == kind]
    return proposal


def _cut_off(services: Services) -> bool:
    """The bank is refused at the door."""
    with services.begin(write=False) as work:
        bank = work.parties.find(Role.VERIFIER.value, "bank")
    try:
        services.gate.admit(Inquiry("notified-verifiers", bank, Kind.SIGNATURE, services.clock()))
    except Refusal:
        return True
    return False


def _closed(services: Services) -> bool:
    """Where status is open, strangers are refused at OCSP now."""
    found = services.admission().status.decide(Inquiry("open", None, Kind.SIGNATURE, services.clock()))
    return found.id == "caller-unknown"


def _switched(services: Services) -> bool:
    """No key of handles waits any more."""
    with services.begin(write=False) as work:
        return newest(work) == (2, False)


OFFICER_ACTS: Mapping[str, Callable[..., Facts]] = {
    "take office": _take_office,
    "open office": _open_office,
    "confirm": _confirm,
    "look": _look,
}
