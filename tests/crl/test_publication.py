"""Publication under fire: crashes at every step, and two publishers at once."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from crl.files import read_current
from crl.publish import PublicationReport, publish_due
from crl.publisher import LEASE_LIFE, Publisher
from crl.read import read_list
from domain.errors import Code, Refusal
from domain.lists import ListState, Scope
from tests.support.authority import TurnedClock
from tests.support.lists import (
    AUTHORITY_SCOPE,
    ELSEWHERE,
    SCOPE,
    check_consistent,
    make_publisher,
    make_revocation,
    record_revocation,
)
from tests.support.memory import MemoryStore
from tests.support.stores import sqlite_store

MINUTE = timedelta(minutes=1)
HOLDER, LATER = make_revocation("holder"), make_revocation("later")


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def publisher(store: MemoryStore, clock: TurnedClock, tmp_path: Path) -> Publisher:
    """A publisher with one list out and one more revocation to publish."""
    publisher = make_publisher(store.begin, tmp_path / "crl", clock)
    record_revocation(store.begin, HOLDER)
    publish_due(publisher)
    record_revocation(store.begin, LATER)
    clock.forward(MINUTE)
    return publisher


def published_number(publisher: Publisher) -> int:
    octets = read_current(publisher.directory, SCOPE)
    assert octets is not None
    return read_list(octets).number


@pytest.mark.parametrize("fate", ["lost", "kept"])
@pytest.mark.parametrize(
    ("commit", "number", "number_if_kept"),
    [
        pytest.param(1, 2, 2, id="taking-the-lease"),
        pytest.param(2, 2, 3, id="reserving-the-number"),
        pytest.param(3, 3, 3, id="recording-the-signature"),
        pytest.param(4, 2, 2, id="recording-the-publication"),
    ],
)
def test_after_a_commit_that_failed_the_next_run_goes_on(
    commit: int,
    number: int,
    number_if_kept: int,
    fate: Literal["lost", "kept"],
    publisher: Publisher,
    store: MemoryStore,
    clock: TurnedClock,
) -> None:
    store.faults[store.commits + commit] = fate
    with pytest.raises(Refusal) as caught:
        publish_due(publisher)
    assert caught.value.code is Code.STORE_UNAVAILABLE
    check_consistent(publisher, settled=False)
    clock.forward(MINUTE)
    publish_due(publisher)
    check_consistent(publisher)
    assert published_number(publisher) == (number if fate == "lost" else number_if_kept)


def test_a_lease_that_could_not_be_given_back_spoils_nothing(
    publisher: Publisher, store: MemoryStore, clock: TurnedClock
) -> None:
    store.faults[store.commits + 5] = "lost"
    assert len(publish_due(publisher).published) == 1
    check_consistent(publisher)
    with pytest.raises(Refusal, match="another publisher"):
        publish_due(replace(publisher, holder="second"), force=True)
    clock.forward(LEASE_LIFE)
    assert len(publish_due(replace(publisher, holder="second"), force=True).published) == 1


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(
    ("place", "number"),
    [
        pytest.param("crl.publication.gather_content", 2, id="before-the-number-is-reserved"),
        pytest.param("crl.publication.lint_tbs_crl", 3, id="before-the-list-is-linted"),
        pytest.param("crl.publication.sign_list", 3, id="before-the-signature"),
        pytest.param("crl.publication.swap_in", 3, id="before-the-file-is-swapped-in"),
        pytest.param("crl.files.swap_in_digest", 2, id="between-the-file-and-its-digest"),
        pytest.param("crl.publication._record_published", 2, id="before-the-publication-is-recorded"),
    ],
)
def test_a_killed_publisher_leaves_something_to_go_on_from(
    place: str, number: int, publisher: Publisher, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    monkeypatch.setattr(place, killed)
    with pytest.raises(Killed):
        publish_due(publisher)
    monkeypatch.undo()
    check_consistent(publisher, settled=False)
    clock.forward(LEASE_LIFE)
    publish_due(replace(publisher, holder="second"))
    check_consistent(publisher)
    assert published_number(publisher) == number


def test_a_list_in_place_but_not_recorded_is_recorded_and_not_made_again(
    publisher: Publisher, store: MemoryStore, clock: TurnedClock
) -> None:
    store.faults[store.commits + 4] = "lost"
    with pytest.raises(Refusal):
        publish_due(publisher)
    in_place = read_current(publisher.directory, SCOPE)
    clock.forward(MINUTE)
    (record,) = publish_due(publisher).published
    assert (record.number, record.state) == (2, ListState.PUBLISHED)
    assert read_current(publisher.directory, SCOPE) == in_place
    assert publish_due(publisher).published == ()


def run_both(publishers: list[Publisher]) -> list[PublicationReport | Refusal]:
    """What each publisher says when all run at once."""
    start = threading.Barrier(len(publishers))
    outcomes: list[PublicationReport | Refusal] = []

    def run(publisher: Publisher) -> None:
        start.wait()
        try:
            outcomes.append(publish_due(publisher))
        except Refusal as refusal:
            outcomes.append(refusal)

    threads = [threading.Thread(target=run, args=(publisher,)) for publisher in publishers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_two_publishers_on_one_database_never_collide(tmp_path: Path, clock: TurnedClock) -> None:
    with sqlite_store(tmp_path, lock_wait=30) as store:
        first = make_publisher(store.begin, tmp_path / "crl", clock)
        publishers = [first, replace(first, holder="second")]
        for turn in range(4):
            record_revocation(store.begin, *(make_revocation(f"{turn} {n}", scope=SCOPE) for n in range(3)))
            record_revocation(store.begin, make_revocation(f"{turn} elsewhere", scope=ELSEWHERE))
            clock.forward(MINUTE)
            outcomes = run_both(publishers)
            assert len(outcomes) == 2
            reports = [outcome for outcome in outcomes if isinstance(outcome, PublicationReport)]
            assert {outcome.code for outcome in outcomes if isinstance(outcome, Refusal)} <= {Code.BUSY}
            published = [record.scope for report in reports for record in report.published]
            assert sorted(scope.path for scope in published) == [ELSEWHERE.path, SCOPE.path]
            check_consistent(first)
        assert published_number(first) == 4


@pytest.mark.parametrize("scope", [SCOPE, AUTHORITY_SCOPE], ids=["of-a-municipality", "of-the-authority"])
def test_lists_are_published_from_a_real_database(scope: Scope, tmp_path: Path, clock: TurnedClock) -> None:
    with sqlite_store(tmp_path) as store:
        publisher = make_publisher(store.begin, tmp_path / "crl", clock)
        with store.begin() as work:
            work.lists.register(scope)
            work.commit()
        for number in (1, 2):
            (record,) = publish_due(publisher, force=True).published
            assert (record.scope, record.number) == (scope, number)
            check_consistent(publisher)
            clock.forward(MINUTE)
