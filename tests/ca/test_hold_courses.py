"""Whatever order holds, releases and revocations come in: nothing is good again but by the row that says so."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ca.ageing import age_holds
from ca.hold import HoldRequest, place_hold
from ca.issue import issue
from ca.release import ReleaseRequest, release_hold
from ca.revoke import revoke_resident
from domain.certificates import Carrier, Kind
from domain.errors import Refusal
from domain.parties import LOCAL_OPERATOR
from domain.revocation import RevocationCause
from tests.support.authority import (
    ITEMS_ON_RECORD,
    RESIDENT,
    TurnedClock,
    add_resident,
    make_application,
    make_authority,
    make_revocation,
)
from tests.support.memory import MemoryStore
from tests.support.requests import make_pair

Place = tuple[Kind, Carrier]
PHONE = Carrier.MOBILE_DEVICE
PLACES: list[Place] = [(kind, carrier) for kind in Kind for carrier in Carrier]
CARRIERS = st.sampled_from([None, frozenset({Carrier.CARD}), frozenset({PHONE})])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hold"), CARRIERS),
        st.tuples(st.just("release"), st.sampled_from(Carrier)),
        st.tuples(st.just("revoke"), CARRIERS),
        st.tuples(st.just("age"), st.none()),
    ),
    max_size=9,
)


@settings(max_examples=60)
@given(STEPS)
def test_the_course_is_that_of_a_plain_model(steps: list[tuple[str, object]]) -> None:
    store, clock = MemoryStore(), TurnedClock()
    authority = make_authority(store, clock=clock)
    add_resident(authority)
    issue(authority, make_application())
    issue(authority, make_application(key="phone", requests=make_pair(number=1), carrier=PHONE))
    model: dict[Place, tuple[str, datetime | None]] = dict.fromkeys(PLACES, ("good", None))
    for number, (act, what) in enumerate(steps):
        clock.forward(timedelta(days=20))
        key = f"step {number}"
        with suppress(Refusal):
            if act == "hold":
                who = RESIDENT if number % 2 else ITEMS_ON_RECORD
                place_hold(authority, HoldRequest(LOCAL_OPERATOR, key, who, what))  # type: ignore[arg-type]
            elif act == "release":
                release_hold(authority, ReleaseRequest(LOCAL_OPERATOR, key, RESIDENT, what))  # type: ignore[arg-type]
            elif act == "revoke":
                revoke_resident(authority, make_revocation(key=key, cause=RevocationCause.KEY_REPORT, carriers=what))
            else:
                age_holds(authority, "publisher:test")
        _step(model, act, what, clock.now)
        assert _seen(store) == model


def _step(model: dict[Place, tuple[str, datetime | None]], act: str, what: object, now: datetime) -> None:
    if act == "revoke" and what == {Carrier.CARD} and model[Kind.SIGNATURE, Carrier.CARD][0] != "revoked":
        what = None  # what is on a phone goes with the card's signing certificate
    for place in PLACES:
        kind, carrier = place
        word, since = model[place]
        if act == "hold" and word == "good" and (what is None or carrier in what):  # type: ignore[operator]
            model[place] = ("held", now)
        if act == "revoke" and word != "revoked" and (what is None or carrier in what):  # type: ignore[operator]
            model[place] = ("revoked", since or now)
        if act == "release" and what is carrier is PHONE and word == "held":
            model[place] = ("good", None) if kind is Kind.AUTHENTICATION else ("revoked", since)


def _seen(store: MemoryStore) -> dict[Place, tuple[str, datetime | None]]:
    seen: dict[Place, tuple[str, datetime | None]] = {}
    for name, row in store.tables.certificates.items():
        status, revocation = store.status_of(*name), store.tables.revocations.get(name)
        word = "held" if revocation and revocation.on_hold else status.word
        assert (row.ended_at is not None) == (word == "revoked")
        seen[row.kind, row.carrier] = (word, status.revoked_at)
    return seen
