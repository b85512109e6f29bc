"""Lists under inspection: the file verifiers fetch against the records, the revocations and the audit trail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from domain.errors import Refusal
from domain.lists import ListState
from oversight.lists import order_faults, scope_findings
from oversight.reconcile import reconcile
from policies.crl import DUE
from tests.support.forgery import change_list, damaged, forge_list, revocations_in, texts
from tests.support.house import MINUTE, PATIENCE, House
from tests.support.lists import AUTHORITY_SCOPE, DAY, ISSUERS, POLICY, SCOPE, make_list
from tests.support.memory import MemoryStore

# After `live`, list 1 of this scope was empty, list 2 holds one revocation; other scopes have up to 3 lists.
PATH = SCOPE.path


DIGEST = f"list 2 of {PATH} has another digest in the audit trail than in the database"


def file_of(house: House) -> Path:
    return house.directory / PATH


def test_a_lost_file_is_named(lived: House) -> None:
    file_of(lived).unlink()
    assert texts(lived, "lists") == [f"list 2 of {PATH} was published, its file is gone"]


def test_a_file_that_cannot_be_read_is_named(lived: House) -> None:
    file_of(lived).write_bytes(b"<html>")
    (text,) = texts(lived, "lists")
    assert text.startswith(f"the file {PATH} cannot be read: ")


def test_an_older_list_put_back_is_named(lived: House, memory: MemoryStore) -> None:
    old = file_of(lived).read_bytes()
    lived.revoke(1)
    lived.publish()
    assert texts(lived, "lists") == []
    file_of(lived).write_bytes(old)
    assert texts(lived, "lists")[:1] == [f"the file {PATH} is list 2, the newest is 3"]


def test_a_list_that_nobody_recorded_is_named(lived: House, memory: MemoryStore) -> None:
    file_of(lived).write_bytes(make_list(revocations_in(memory, SCOPE), number=9))
    assert texts(lived, "lists") == [f"the file {PATH} is none of the lists on record"]


def test_a_list_signed_by_another_is_named(lived: House, memory: MemoryStore) -> None:
    file_of(lived).write_bytes(damaged(file_of(lived).read_bytes()))
    assert f"the signature of the file {PATH} is not one of signature-g1" in texts(lived, "lists")


def test_the_list_of_another_generation_is_named(lived: House) -> None:
    file_of(lived).write_bytes((lived.directory / "signature-g2/13221.crl").read_bytes())
    assert texts(lived, "lists") == [
        f"the file {PATH} names another issuer than signature-g1",
        f"the signature of the file {PATH} is not one of signature-g1",
        f"the file {PATH} is none of the lists on record",
    ]


def test_a_list_of_an_issuer_nobody_knows_is_named(lived: House) -> None:
    fewer = {name: issuer for name, issuer in ISSUERS.items() if name != "signature-g1"}
    assert f"{PATH} belongs to an issuer or a scope that is not known here" in texts(lived, "lists", issuers=fewer)


def test_a_list_under_another_distribution_point_is_named(lived: House, memory: MemoryStore) -> None:
    point = lived.publisher.point(AUTHORITY_SCOPE)
    forge_list(lived, memory, SCOPE, 2, *revocations_in(memory, SCOPE), point=point)
    assert texts(lived, "lists") == [DIGEST, f"certificates name another distribution point than the file {PATH}"]


def test_a_list_that_differs_from_its_record_is_named(lived: House, memory: MemoryStore) -> None:
    change_list(memory, SCOPE, 2, entries=7)
    assert texts(lived, "lists") == [
        f"list 2 of {PATH} has another number, time or count of entries in its file than on record"
    ]


def test_a_digest_that_the_audit_trail_does_not_know_is_named(lived: House, memory: MemoryStore) -> None:
    forge_list(lived, memory, SCOPE, 2, *revocations_in(memory, SCOPE), next_update=lived.clock.now + DAY)
    assert DIGEST in texts(lived, "lists")


def test_a_list_that_ended_is_named(lived: House) -> None:
    lived.clock.forward(POLICY.lifetime)
    assert f"list 2 of {PATH} ended at 2027-04-03T00:56:59Z, no newer one is out" in texts(lived, "lists")


def test_a_list_that_should_have_been_renewed_is_named_after_some_patience(lived: House, memory: MemoryStore) -> None:
    newest = memory.tables.lists[SCOPE, 2]
    due = newest.this_update + min(POLICY.interval, (newest.next_update - newest.this_update) * DUE)
    lived.clock.now = due + PATIENCE - MINUTE
    assert f"list 2 of {PATH} should have been renewed by now" not in texts(lived, "lists")
    lived.clock.forward(2 * MINUTE)
    assert f"list 2 of {PATH} should have been renewed by now" in texts(lived, "lists")


def test_the_last_list_of_an_expired_issuer_may_end(lived: House) -> None:
    lived.clock.now = ISSUERS[SCOPE.issuer].validity.not_after + MINUTE
    assert not any(PATH in text for text in texts(lived, "lists"))


@pytest.mark.parametrize(
    ("commit", "failing", "note"),
    [
        pytest.param(
            2, "kept", "authentication-g1/13221.crl: changes that wait for the next list: 1", id="after-the-reservation"
        ),
        pytest.param(
            3,
            "kept",
            "list 2 of authentication-g1/13221.crl was signed and is not in place; list 1 still is",
            id="after-the-signature-is-recorded",
        ),
        pytest.param(
            4,
            "lost",
            "list 2 of authentication-g1/13221.crl is in place, its publication is not recorded yet",
            id="after-the-file-is-in-place",
        ),
    ],
)
def test_an_interrupted_publication_is_noted(
    lived: House, memory: MemoryStore, commit: int, failing: Literal["lost", "kept"], note: str
) -> None:
    lived.revoke(1)
    memory.faults[memory.commits + commit] = failing
    with pytest.raises(Refusal):
        lived.publish()
    assert texts(lived, "lists") == []
    assert note in texts(lived, "lists", "note")
    lived.clock.forward(6 * MINUTE)
    lived.publish()
    assert list(reconcile(lived.inspection())) == []


@pytest.mark.parametrize(
    "state", [ListState.RESERVED, ListState.SIGNED], ids=["recorded-as-reserved", "recorded-as-signed"]
)
def test_a_record_the_audit_trail_contradicts_is_named(lived: House, memory: MemoryStore, state: ListState) -> None:
    change_list(memory, SCOPE, 1, state=state)
    assert texts(lived, "lists") == [
        f"list 1 of {PATH} is recorded as {state.value}, the audit trail tells crl-reserved, crl-signed, crl-published"
    ]


def test_a_list_without_a_trace_is_named(lived: House, memory: MemoryStore) -> None:
    memory.tables.lists[SCOPE, 3] = replace(memory.tables.lists[SCOPE, 2], number=3, state=ListState.RESERVED)
    assert texts(lived, "lists") == [f"list 3 of {PATH} is recorded as reserved, the audit trail tells nothing of it"]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        pytest.param({}, 0, id="a-list-later"),
        pytest.param({"this_update": None}, 0, id="a-list-of-the-same-second"),
        pytest.param({"number": 2}, 1, id="the-same-number"),
        pytest.param({"number": 1}, 1, id="an-older-number"),
        pytest.param({"this_update": -1}, 1, id="an-older-time"),
    ],
)
def test_numbers_rise_and_times_do_not_go_back(
    lived: House, memory: MemoryStore, changes: dict[str, Any], found: int
) -> None:
    second = memory.tables.lists[SCOPE, 2]
    shift = {None: 0, -1: -1}.get(changes.pop("this_update", 1), 1)
    third = replace(second, **{"number": 3, "this_update": second.this_update + shift * MINUTE, **changes})
    assert len(list(order_faults([second, third]))) == found


def test_a_publisher_at_work_is_looked_at_twice(lived: House, memory: MemoryStore) -> None:
    """The first look meets the records of a list whose file is put in place a moment later."""
    old = file_of(lived).read_bytes()
    lived.revoke(1)
    lived.publish()
    new = file_of(lived).read_bytes()
    file_of(lived).write_bytes(old)
    looks = []

    def look(write: bool) -> None:
        looks.append(write)
        if len(looks) == 2:
            file_of(lived).write_bytes(new)

    memory.on_begin = look
    assert scope_findings(lived.inspection(), SCOPE, ()) == []
    assert looks == [False, False]
