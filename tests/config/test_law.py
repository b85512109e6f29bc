"""Replays read the whole trail: what was done to many at a time counts for each of them."""

from __future__ import annotations

from datetime import timedelta

from config.law import replay_change, shipped_texts
from config.traffic import Doors
from domain.events import Act, AuditEvent
from policies.replay import Difference
from tests.support.authority import NOW
from tests.support.memory import MemoryStore

DAY = timedelta(days=1)


def test_holds_of_mass_events_are_judged_by_how_long_they_stood() -> None:
    store, stopped = MemoryStore(), [[1, "signature"], [1, "authentication"], [2, "authentication"]]
    with store.begin() as work:
        for act, named, days in (
            (Act.CERTIFICATES_HELD, stopped, 0),
            (Act.CERTIFICATES_REVOKED, stopped[:2], 10),
        ):
            cause = "temporary-stop" if act is Act.CERTIFICATES_HELD else "card-lost"
            facts = {"mass": "m", "cause": cause, "reason": 6, "certificates": named}
            work.audit.append(AuditEvent(act, "mass:m", NOW + days * DAY, facts))
        work.commit()
    sooner = shipped_texts()["holds"].replace("days = 30", "days = 9")
    _, done = replay_change(store.begin, "holds", sooner, NOW + 12 * DAY, Doors({}, {}))
    assert done.differences == (Difference("hold/age-card", "nothing yet", "reported", 3),)
    assert done.decisions == len(stopped) + len(stopped[:2]) + 3
