"""Validations: each kept once under its key and for its consent, found again, erased when their time is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import Code, Refusal
from domain.parties import Party
from domain.validations import ValidationRecord
from tests.support.consents import SHOP
from tests.support.stores import NOW, Store, digest_of

DAY = timedelta(days=1)


def register(store: Store) -> Party:
    with store.begin() as work:
        party = work.parties.add(SHOP, NOW)
        work.commit()
    return party


def record(party: Party, label: str = "one", days: int = 7) -> ValidationRecord:
    return ValidationRecord(
        party.id, f"key {label}", digest_of(f"content {label}"), digest_of(label), "e30.e30.AA", NOW, NOW + days * DAY
    )


def test_what_was_kept_is_found_by_its_party_and_key(any_store: Store) -> None:
    one = record(register(any_store))
    with any_store.begin() as work:
        work.validations.keep(one)
        work.commit()
    with any_store.begin(write=False) as work:
        assert work.validations.find(one.party_id, one.key) == one
        assert work.validations.find(one.party_id, "another key") is None
        assert work.validations.find(one.party_id + 1, one.key) is None
        assert work.validations.used(one.consent)
        assert not work.validations.used(digest_of("another consent"))


@pytest.mark.parametrize(
    ("change", "code"),
    [({"key": "another key"}, Code.CONSENT_USED), ({"consent": digest_of("another consent")}, Code.IN_PROGRESS)],
    ids=["a consent is used once", "a key is used once"],
)
def test_nothing_is_kept_twice(any_store: Store, change: dict[str, object], code: Code) -> None:
    one = record(register(any_store))
    with any_store.begin() as work:
        work.validations.keep(one)
        work.commit()
    with any_store.begin() as work, pytest.raises(Refusal) as told:
        work.validations.keep(replace(one, **change))  # type: ignore[arg-type]
    assert told.value.code is code


def test_what_is_over_is_erased_oldest_first(any_store: Store) -> None:
    party = register(any_store)
    rows = [record(party, f"after {days}", days) for days in (3, 1, 2)]
    with any_store.begin() as work:
        for row in rows:
            work.validations.keep(row)
        assert work.validations.over(NOW + 1 * DAY, 9) == []
        assert work.validations.over(NOW + 9 * DAY, 2) == [(party.id, "key after 1"), (party.id, "key after 2")]
        work.validations.erase(work.validations.over(NOW + 2 * DAY + timedelta(seconds=1), 9))
        work.validations.erase([])
        assert work.validations.over(NOW + 9 * DAY, 9) == [(party.id, "key after 3")]
        assert not work.validations.used(digest_of("after 1"))
