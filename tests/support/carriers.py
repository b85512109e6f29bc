"""A resident with certificates on both carriers."""

from __future__ import annotations

from ca.authority import Authority
from ca.issue import issue
from domain.certificates import Carrier
from tests.support.authority import TurnedClock, add_resident, make_application, make_authority
from tests.support.memory import MemoryStore
from tests.support.requests import make_pair


def carriers_in_use(store: MemoryStore, clock: TurnedClock) -> Authority:
    """An authority over that store: resident 1 of 清瀬市 has a pair on the card and one on the phone."""
    made = make_authority(store, clock=clock)
    add_resident(made)
    issue(made, make_application())
    issue(made, make_application(key="phone", requests=make_pair(number=1), carrier=Carrier.MOBILE_DEVICE))
    return made
