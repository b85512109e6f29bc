"""Entries under inspection: a list holds the revocations that stand, as they are, or will before long."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.certificates import Kind, Validity
from domain.revocation import CrlReason, RevocationCause
from tests.support.forgery import change_certificate, forge_list, record_of, revocations_in, texts
from tests.support.house import MINUTE, PATIENCE, House
from tests.support.lists import SCOPE, make_revocation
from tests.support.memory import MemoryStore

# After `live`, list 1 of this scope was empty, list 2 holds the one revocation.
PATH = SCOPE.path


def test_a_revocation_that_is_not_listed_is_named(lived: House, memory: MemoryStore) -> None:
    forge_list(lived, memory, SCOPE, 2)
    assert (
        f"{PATH}: revocations the list lacks: 1; entries with another time or reason: 0; changes since it was begun: 0"
    ) in texts(lived, "lists")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"reason": CrlReason.UNSPECIFIED}, id="the-reason-is-lost"),
        pytest.param({"revoked_at": make_revocation().revoked_at}, id="the-time-is-another"),
    ],
)
def test_an_entry_that_says_something_else_is_named(lived: House, memory: MemoryStore, changes: dict[str, Any]) -> None:
    forge_list(lived, memory, SCOPE, 2, *(replace(row, **changes) for row in revocations_in(memory, SCOPE)))
    assert texts(lived, "lists")[1:] == [
        f"{PATH}: revocations the list lacks: 0; entries with another time or reason: 1; changes since it was begun: 0"
    ]


def test_an_entry_without_revocation_is_named(lived: House, memory: MemoryStore) -> None:
    good = record_of(memory, (4, Kind.SIGNATURE))
    strays = make_revocation("never issued"), make_revocation(good.serial)
    forge_list(lived, memory, SCOPE, 2, *revocations_in(memory, SCOPE), *strays)
    assert texts(lived, "lists")[1:] == [f"{PATH}: entries of certificates that are not revoked: 2"]


def test_an_entry_may_outlive_its_certificate(lived: House, memory: MemoryStore) -> None:
    row = record_of(memory, (1, Kind.SIGNATURE))
    del memory.tables.revocations[row.issuer, row.serial]
    ended = memory.tables.lists[SCOPE, 2].this_update - MINUTE
    change_certificate(memory, (1, Kind.SIGNATURE), validity=Validity(ended, ended))
    assert texts(lived, "lists") == []


def test_a_change_waits_for_its_list_with_patience_only(lived: House) -> None:
    lived.revoke(1, RevocationCause.RECORD_ERROR)
    lived.clock.forward(PATIENCE)
    assert texts(lived, "lists") == []
    assert f"{PATH}: changes that wait for the next list: 1" in texts(lived, "lists", "note")
    lived.clock.forward(MINUTE)
    assert texts(lived, "lists") == [
        "authentication-g1/13221.crl: revocations that wait for a list longer than 0:10:00: 1",
        f"{PATH}: revocations that wait for a list longer than 0:10:00: 1",
    ]


def test_more_missing_than_the_changes_since_is_named(lived: House, memory: MemoryStore) -> None:
    forge_list(lived, memory, SCOPE, 2)
    lived.revoke(1)
    assert (
        f"{PATH}: revocations the list lacks: 2; entries with another time or reason: 0; changes since it was begun: 1"
        in texts(lived, "lists")
    )
