"""Resident records and notices on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.errors import Code, Refusal
from domain.events import EventType, ResidentEvent
from domain.people import MunicipalityCode, ResidentState, Sex
from tests.support.people import KIYOSE, PERSON
from tests.support.residents import resident_code
from tests.support.stores import NOW, Store, add_resident, digest_of

HINO = MunicipalityCode("132128")
MOVED = replace(PERSON, address="東京都日野市水車前１")
NOTICE = ResidentEvent("register", "notice 1", resident_code(1), EventType.MOVE_IN, date(2027, 3, 30), HINO, MOVED)


def test_a_resident_is_found_by_index_and_by_row_id(any_store: Store) -> None:
    with any_store.begin() as work:
        resident_id, new = work.residents.put(
            digest_of("one"), b"sealed", KIYOSE.code, PERSON, ResidentState.PRESENT, NOW
        )
        found = work.residents.find(digest_of("one"))
        assert new
        assert found == work.residents.get(resident_id)
        assert found is not None
        assert (found.municipality, found.attributes, found.state) == (KIYOSE.code, PERSON, ResidentState.PRESENT)
        assert work.residents.find(digest_of("other")) is None
        with pytest.raises(LookupError):
            work.residents.get(resident_id + 1)


def test_residents_have_rows_of_their_own(any_store: Store) -> None:
    with any_store.begin() as work:
        one, other = add_resident(work, "one"), add_resident(work, "other")
        assert one != other
        assert work.residents.count() == 2
        assert dict(work.residents.sealed()) == {digest_of("one"): b"sealed one", digest_of("other"): b"sealed other"}


def test_putting_a_known_resident_replaces_the_record(any_store: Store) -> None:
    elsewhere = replace(PERSON, address="東京都日野市水車前１", birth_date=date(1912, 7, 30), sex=Sex.NOT_APPLICABLE)
    with any_store.begin() as work:
        resident_id = add_resident(work)
        again, new = work.residents.put(
            digest_of("resident"), b"sealed anew", HINO, elsewhere, ResidentState.ABROAD, NOW
        )
        assert (again, new) == (resident_id, False)
        found = work.residents.get(resident_id)
        assert (found.municipality, found.attributes, found.state) == (HINO, elsewhere, ResidentState.ABROAD)
        assert list(work.residents.sealed()) == [(digest_of("resident"), b"sealed anew")]


def test_many_are_found_at_once(any_store: Store) -> None:
    with any_store.begin() as work:
        ids = {digest_of(label): add_resident(work, label) for label in ("one", "two", "three")}
        found = work.residents.find_many([digest_of("one"), digest_of("nobody"), digest_of("three")])
        assert {index: resident.id for index, resident in found.items()} == {
            digest_of("one"): ids[digest_of("one")],
            digest_of("three"): ids[digest_of("three")],
        }
        assert not work.residents.find_many([])


def test_many_are_put_at_once_and_counted_as_new_or_replaced(any_store: Store) -> None:
    renamed = replace(PERSON, name="霧島　小夜")
    rows = [(digest_of(str(n)), b"sealed %d" % n, KIYOSE.code, PERSON) for n in range(2500)]
    with any_store.begin() as work:
        assert work.residents.put_many(rows, NOW) == (2500, 0)
        work.commit()
    with any_store.begin() as work:
        assert work.residents.put_many([*rows[:10], (digest_of("9"), b"last", HINO, renamed)], NOW) == (0, 11)
        assert work.residents.put_many([(digest_of("new"), b"sealed", HINO, renamed)], NOW) == (1, 0)
        assert work.residents.put_many([], NOW) == (0, 0)
        work.commit()
    with any_store.begin(write=False) as work:
        assert work.residents.count() == 2501
        changed = work.residents.find(digest_of("9"))
        assert changed is not None
        assert (changed.municipality, changed.attributes) == (HINO, renamed)


def test_an_update_may_keep_the_four_items(any_store: Store) -> None:
    with any_store.begin() as work:
        resident_id = add_resident(work)
        work.residents.update(resident_id, KIYOSE.code, None, ResidentState.DEAD, NOW)
        gone = work.residents.get(resident_id)
        assert (gone.attributes, gone.state) == (PERSON, ResidentState.DEAD)
        work.residents.update(resident_id, HINO, MOVED, ResidentState.PRESENT, NOW)
        back = work.residents.get(resident_id)
        assert (back.municipality, back.attributes, back.state) == (HINO, MOVED, ResidentState.PRESENT)
        with pytest.raises(LookupError):
            work.residents.update(resident_id + 1, HINO, MOVED, ResidentState.PRESENT, NOW)


def test_a_notice_is_seen_once_it_is_recorded(any_store: Store) -> None:
    with any_store.begin() as work:
        resident_id = add_resident(work)
        assert work.notices.seen("register", "notice 1") is None
        work.notices.record(NOTICE, resident_id, digest_of("content"), NOW)
        assert work.notices.seen("register", "notice 1") == digest_of("content")
        assert work.notices.seen("another register", "notice 1") is None
        with pytest.raises(Refusal) as refused:
            work.notices.record(NOTICE, resident_id, digest_of("content"), NOW)
        assert refused.value.code is Code.ALREADY_APPLIED


def test_the_newest_notice_of_a_resident_is_the_one_in_effect_last(any_store: Store) -> None:
    with any_store.begin() as work:
        one, other = add_resident(work, "one"), add_resident(work, "other")
        assert work.notices.latest_effective(one) is None
        for notice_id, days in (("a", 3), ("b", 7), ("c", 5)):
            later = replace(NOTICE, notice_id=notice_id, effective_on=NOTICE.effective_on + timedelta(days))
            work.notices.record(later, one, digest_of(notice_id), NOW)
        assert work.notices.latest_effective(one) == date(2027, 4, 6)
        assert work.notices.latest_effective(other) is None
