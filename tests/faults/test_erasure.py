"""Processes killed while they erase records: whole records are left, and the next round goes on."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.support.faults import SETTLED, Act, Forks, State, act

DAY = timedelta(days=1)
EXPIRED = SETTLED + 3 * DAY
RECORDS = [
    pytest.param(EXPIRED, act("erase"), {"revocations": 2}, id="revocations"),
    # By rules that keep them for no years; the list has let go of them by then.
    pytest.param(EXPIRED + 2 * DAY, act("erase", years=0), {"certificates": 2}, id="certificates"),
]


@pytest.mark.parametrize(("now", "erase", "erased"), RECORDS)
def test_a_killed_erasure_leaves_nothing_wrong_and_a_repeat_finishes(
    now: datetime,
    erase: Act,
    erased: dict[str, int],
    forks: Forks,
    settled: State,
    spoilt: Path,
    tmp_path: Path,
    subtests: pytest.Subtests,
) -> None:
    """Of a pair that was revoked, and whose card has ended."""
    with settled.copied(spoilt) as base:
        forks.run(base, act("issue", number=1, key="short", card_days=1), act("revoke", number=1, key="s"), now=SETTLED)
        forks.run(base, act("publish"), now=EXPIRED)
        if now > EXPIRED:
            forks.run(base, act("erase"), now=EXPIRED)
            forks.run(base, act("publish"), now=now)
        with base.copied(tmp_path / "rehearsal") as state:
            whole = forks.run(state, erase, now=now)
            left = forks.run(state, act("judge"), now=now).told[0]
        assert (whole.told[0]["erased"], left["faults"]) == (erased, [])
        for last, step in enumerate([*whole.steps, "the answer was heard"]):
            with subtests.test(killed_before=step, number=last), base.copied(tmp_path / "killed") as state:
                killed = forks.run(state, erase, now=now, last=last)
                after, repeated, end = forks.run(state, act("judge"), erase, act("judge"), now=now).told
                assert killed.killed
                assert after["faults"] == end["faults"] == []
                assert end["certificates"] == left["certificates"]
                assert not killed.told or repeated["erased"] == {}
