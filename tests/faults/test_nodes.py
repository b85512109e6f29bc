"""A nation's services as processes over one database, killed, paused, cut off and with wrong clocks: no node says good
for longer than it may after a revocation has returned, one publisher makes the lists, and all are right again without
anybody's doing."""

from __future__ import annotations

import random
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import monotonic, monotonic_ns, sleep

import pytest
from psycopg.errors import LockNotAvailable

from domain.errors import Code, Refusal
from store.work import SqlBegin
from store.writability import Writability
from tests.support.faults import Forks, State, act, now
from tests.support.nation import (
    MAX_AGE,
    Nation,
    Node,
    Publisher,
    address,
    await_,
    await_word,
    make_node_state,
    make_state,
    nation_of,
    signal_tree,
)
from tests.support.partition import line_to
from tests.support.postgres import standby_of
from tests.support.truth import Known

pytestmark = [pytest.mark.postgresql, pytest.mark.timeout(1200)]

QUICK = 1.0
"""Seconds within which the nodes follow."""

Scenario = Callable[[Nation, Forks], None]


@contextmanager
def halted(process_id: int) -> Iterator[None]:
    """A process and those below it stand still."""
    signal_tree(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        signal_tree(process_id, signal.SIGCONT)


def await_honest(node: Node) -> None:
    """Without the database it tells the truth about itself: nothing can be answered, and for how long that is so."""

    def is_honest() -> bool:
        status, parts = node.readiness()
        gauges = node.gauges()
        stale = gauges["jpki_status_model_believed"] == 0 and gauges["jpki_status_model_age_seconds"] > MAX_AGE
        return status == 503 and not parts["status"] and not parts["database"] and stale

    await_(is_honest, f"{node.name} says that it has no database")
    assert "jpki_status_model_behind" not in node.gauges(), "nobody can tell"


def nodes_follow_within_a_second_whatever_their_clocks_say(nation: Nation, _forks: Forks) -> None:
    took = []
    for known in [nation.issue() for _ in range(5)]:
        nation.revoke(known)
        nation.await_revoked(known)
        assert known.revoked
        took.append(monotonic() - known.revoked)
    assert median(took) < QUICK  # all of them do on a machine that has nothing else to do
    for node in nation.nodes:
        off = node.answer(known).this_update_utc - datetime.now(UTC)
        assert abs(off - node.skew) < timedelta(minutes=10)


def a_node_that_was_paused_says_nothing_that_it_knew_before(nation: Nation, _forks: Forks) -> None:
    known = nation.issue()
    with halted(nation.east.served.process_id):
        nation.revoke(known)
        sleep(MAX_AGE + 0.1)
    assert nation.east.says(known) in ("revoked", "try_later")
    nation.await_revoked(known)


def a_node_that_is_cut_off_says_try_later_and_then_what_is_so(nation: Nation, _forks: Forks) -> None:
    """When the line is whole again, the connections from before lead nowhere."""
    known, other = nation.issue(), nation.issue()
    nation.lines["east"].cut()
    nation.revoke(known)
    await_word(nation.east, "try_later", known, other)
    await_honest(nation.east)
    await_word(nation.west, "revoked", known)
    assert nation.west.is_well()
    nation.lines["east"].mend()
    nation.await_revoked(known)
    await_word(nation.east, "good", other)


def nobody_guesses_while_the_database_stands_still(nation: Nation, _forks: Forks) -> None:
    known, other = nation.issue(), nation.issue()
    with halted(nation.server.process_id):
        for node in nation.nodes:
            await_word(node, "try_later", known, other)
            await_honest(node)
        refused = nation.try_to_revoke(known)
        assert (refused.status, refused.body["code"]) == (503, "store-unavailable")
        assert not nation.api_readiness().body["parts"]["database"]
    await_(lambda: nation.try_to_revoke(known).status == 200, "it is revoked when it is asked for again")
    nation.await_revoked(known)


def a_node_that_was_killed_starts_without_the_database_and_is_right(nation: Nation, _forks: Forks) -> None:
    known, other = nation.issue(), nation.issue()
    nation.west.kill()
    nation.revoke(known)
    nation.server.stop(crash=True)
    try:
        nation.west.start()
        for node in nation.nodes:
            await_word(node, "try_later", known, other)
            await_honest(node)
    finally:
        nation.server.start()
    nation.await_revoked(known)
    for node in nation.nodes:
        await_word(node, "good", other)


_BEHIND = """
SELECT 1 FROM scopes JOIN lists USING (issuer, municipality) WHERE number = published AND covers < wanted
"""
_HOLDER = "SELECT holder, token FROM leases WHERE name = 'crl-publisher' AND holder <> ''"
_LOCK = "SELECT 1 FROM audit_head FOR UPDATE NOWAIT"
_AT_WORK = """
SELECT 1 FROM leases AS h, lists AS l WHERE h.holder = %s AND l.state <> 'published'
AND l.number > (SELECT s.published FROM scopes AS s WHERE (s.issuer, s.municipality) = (l.issuer, l.municipality))
"""
_A_MINUTE_GOES_BY = "UPDATE leases SET until = 0 WHERE name = 'crl-publisher'"


def stopped_at_work(nation: Nation, publishers: dict[int, Publisher]) -> tuple[Publisher, int] | None:
    """One of the publishers, stopped while it has the lease and a list that is not out yet, and its token; None when
    all lists were made before anybody could look."""
    with nation.server.connect(nation.state.database) as database:
        while database.execute(_BEHIND).fetchone():
            for holder, token in database.execute(_HOLDER).fetchall():
                publisher = publishers[int(str(holder).split(":")[1])]
                publisher.halt()
                at_work = database.execute(_AT_WORK, (holder,)).fetchone()
                try:
                    database.execute(_LOCK)
                except LockNotAvailable:  # everybody would wait a minute, until the database ends its session
                    at_work = None
                if at_work:
                    return publisher, int(str(token))
                publisher.send(signal.SIGCONT)
    return None


def revoked_while_stopped(nation: Nation, publishers: dict[int, Publisher]) -> tuple[Known, Publisher, int]:
    """A certificate whose list was not made, because that publisher was stopped."""
    for known in iter(nation.issue, None):
        nation.revoke(known)
        if stopped := stopped_at_work(nation, publishers):
            return known, *stopped
    raise AssertionError


def a_publisher_that_slept_with_the_lease_finds_its_lists_refused(nation: Nation, _forks: Forks) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        both = [stack.enter_context(closing(Publisher(nation.state, folder / name))) for name in ("one", "other")]
        by_process = {publisher.process_id: publisher for publisher in both}
        known, asleep, token = revoked_while_stopped(nation, by_process)
        assert not all(node.lists(known) for node in nation.nodes), "its list is not out"
        with nation.server.connect(nation.state.database) as database:
            database.execute(_A_MINUTE_GOES_BY)
            await_(lambda: nation.east.lists(known), "the other one publishes")
            before = asleep.refusals()
            asleep.send(signal.SIGCONT)
            await_(lambda: asleep.refusals().count("busy") > before.count("busy"), "its list is refused")
            ((newer,),) = database.execute("SELECT token FROM leases WHERE name = 'crl-publisher'").fetchall()
        assert int(str(newer)) > token
        assert nation.east.lists(known)
        again = nation.issue()
        nation.revoke(again)
        await_(lambda: nation.west.lists(again), "both go on")


def the_standby_takes_over_where_it_is_promoted(nation: Nation, forks: Forks) -> None:
    """The site of the primary is lost, and with it one revocation: the standby did not wait for it. There the past is
    another one, under the same numbers."""
    kept, lost, after, good = (nation.issue() for _ in range(4))
    nation.revoke(kept)
    with ExitStack() as stack:
        primary = stack.enter_context(line_to(nation.server.folder))
        standby = stack.enter_context(standby_of("127.0.0.1", primary.port))
        there = stack.enter_context(line_to(standby.folder))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = address(nation.state.database, primary, there)
        south = Node("south", make_node_state(nation.state, folder / "south", url), timedelta(0))
        stack.callback(south.stop)
        south.start()
        await_(south.is_well, "the node of two sites is well")
        assert south.says(kept) == "revoked"
        standby.stop()
        nation.revoke(lost)
        await_word(south, "revoked", lost)
        primary.cut()
        await_word(south, "try_later", good, lost)
        standby.start()
        await_honest(south)
        require_read_only(standby.url(nation.state.database))
        with standby.connect() as database:
            database.execute("SELECT pg_promote()")
        assert Writability(standby.url(nation.state.database), monotonic_ns)()
        state = State(folder / "state", standby, nation.state.database)
        shutil.copytree(nation.state.path, state.path)
        settings = state.path / "jpki.toml"
        settings.write_text(settings.read_text().replace(nation.state.url, state.url))
        revoked = forks.run(state, act("revoke", number=after.number, key="after"), now=now()).told
        assert "receipt" in revoked[0], revoked
        await_word(south, "revoked", after, kept)
        await_word(south, "good", good, lost)
        await_(south.is_well, "the node of two sites is well")


def require_read_only(url: str) -> None:
    """Of a standby that is one still: it can be read, and whoever would write is refused."""
    assert not Writability(url, monotonic_ns)()
    with closing(SqlBegin(url, None)) as begin:
        with begin(write=False) as work:
            assert work.audit.head()
        with pytest.raises(Refusal) as refused:
            begin().__enter__()
    assert refused.value.code is Code.STORE_UNAVAILABLE


SCENARIOS: list[Scenario] = [
    nodes_follow_within_a_second_whatever_their_clocks_say,
    a_node_that_was_paused_says_nothing_that_it_knew_before,
    a_node_that_is_cut_off_says_try_later_and_then_what_is_so,
    nobody_guesses_while_the_database_stands_still,
    a_node_that_was_killed_starts_without_the_database_and_is_right,
    a_publisher_that_slept_with_the_lease_finds_its_lists_refused,
    the_standby_takes_over_where_it_is_promoted,
]


def test_nobody_hears_what_is_not_so(
    new_state: Callable[[str], State], forks: Forks, subtests: pytest.Subtests
) -> None:
    """One nation goes through everything, in any order: processes are slow to start."""
    state = new_state("postgresql")
    make_state(state, forks)
    with tempfile.TemporaryDirectory(prefix="jpki-nodes-") as folder, nation_of(state, Path(folder)) as nation:
        for scenario in random.sample(SCENARIOS, len(SCENARIOS)):
            with subtests.test(scenario.__name__):
                nation.await_well()
                scenario(nation, forks)
                nation.await_well()
                assert nation.truth.wrong() == []
        asked = {(said.door, said.word) for said in nation.truth.said}
        assert {(door, word) for door in ("api", "east", "west") for word in ("good", "revoked")} <= asked
    (judged,) = forks.run(state, act("judge"), now=now()).told
    assert judged["faults"] == []
