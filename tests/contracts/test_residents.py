"""Resident records and notices on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.birth import BirthDate
from domain.errors import Code
from domain.events import EventType, NoticeRecord, NoticeState
from domain.people import MunicipalityCode, ResidentState, Sex
from tests.support.people import KIYOSE, PERSON
from tests.support.stores import NOW, Store, add_resident, digest_of

HINO = MunicipalityCode("132128")
MOVED = replace(PERSON, address="東京都日野市水車前１")
NOTICE = NoticeRecord(
    "register", "notice 1", 1, digest_of("content"), NoticeState.APPLIED, NOW, type=EventType.MOVE_IN, municipality=HINO
)
HELD = NoticeRecord("register", "notice 3", 3, digest_of("other"), NoticeState.HELD, NOW, sealed=b"sealed")


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
    elsewhere = replace(MOVED, birth_date=BirthDate(1912, 7, 30), sex=Sex.NOT_APPLICABLE)
    with any_store.begin() as work:
        resident_id = add_resident(work)
        again, new = work.residents.put(
            digest_of("resident"), b"sealed anew", HINO, elsewhere, ResidentState.ABROAD, NOW
        )
        assert (again, new) == (resident_id, False)
        found = work.residents.get(resident_id)
        assert (found.municipality, found.attributes, found.state) == (HINO, elsewhere, ResidentState.ABROAD)
        assert list(work.residents.sealed()) == [(digest_of("resident"), b"sealed anew")]


@pytest.mark.parametrize(
    "text", ["1988-11-03", "1988-11-XX", "1988-XX-XX", "XXXX-02-29", "XXXX-XX-XX", "showa XXXX-XX-XX"]
)
def test_a_birth_date_is_kept_as_far_as_it_is_known(any_store: Store, text: str) -> None:
    unsure = replace(PERSON, birth_date=BirthDate.read(text))
    with any_store.begin() as work:
        resident_id = add_resident(work)
        work.residents.update(resident_id, KIYOSE.code, unsure, ResidentState.PRESENT, NOW)
        work.residents.put_many([(digest_of("other"), b"sealed", KIYOSE.code, unsure)], NOW)
        work.commit()
    with any_store.begin() as work:
        other = work.residents.find(digest_of("other"))
        assert other is not None
        assert work.residents.get(resident_id).attributes == other.attributes == unsure
        work.residents.update(resident_id, KIYOSE.code, PERSON, ResidentState.PRESENT, NOW)
        assert work.residents.get(resident_id).attributes == PERSON


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


def test_a_record_is_found_by_its_new_code(any_store: Store) -> None:
    with any_store.begin() as work:
        resident_id = add_resident(work, "one")
        work.residents.rekey(resident_id, digest_of("new"), b"sealed anew", NOW)
        assert work.residents.find(digest_of("one")) is None
        assert work.residents.find(digest_of("new")) == work.residents.get(resident_id)
        assert list(work.residents.sealed()) == [(digest_of("new"), b"sealed anew")]
        with pytest.raises(LookupError):
            work.residents.rekey(resident_id + 1, digest_of("other"), b"sealed", NOW)


def test_a_notice_is_found_by_its_id_and_by_its_number(any_store: Store) -> None:
    with any_store.begin() as work:
        assert work.notices.find("register", "notice 3") is work.notices.at("register", 3) is None
        work.notices.put(HELD)
        work.commit()
    with any_store.begin(write=False) as work:
        assert work.notices.find("register", "notice 3") == work.notices.at("register", 3) == HELD
        assert work.notices.find("another register", "notice 3") is work.notices.at("another register", 3) is None


def test_a_notice_changes_its_state_and_forgets_what_it_said(any_store: Store) -> None:
    with any_store.begin() as work:
        work.notices.put(HELD)
        aside = replace(
            HELD, state=NoticeState.QUARANTINED, sealed=None, reason=Code.UNKNOWN_RESIDENT, detail="no record is stored"
        )
        work.notices.put(aside)
        assert work.notices.at("register", 3) == aside


def test_each_sender_has_a_turn_that_begins_with_one(any_store: Store) -> None:
    with any_store.begin() as work:
        assert (work.notices.expected("register"), list(work.notices.senders())) == (1, [])
        work.notices.expect("register", 1)
        work.notices.expect("municipality:kiyose", 7)
        work.notices.expect("register", 4)
        assert [work.notices.expected(sender) for sender in ("register", "municipality:kiyose", "x")] == [4, 7, 1]
        assert list(work.notices.senders()) == ["municipality:kiyose", "register"]


def test_notices_are_paged_by_number_and_those_without_come_first(any_store: Store) -> None:
    with any_store.begin() as work:
        for number in (9, 2, 5, 7):
            work.notices.put(replace(HELD, notice_id=f"n{number}", sequence=number))
        for name in ("unreadable a", "unreadable b"):
            work.notices.put(replace(HELD, notice_id=name, sequence=None))
        work.notices.put(replace(NOTICE, notice_id="applied", sequence=6))
        work.notices.put(replace(HELD, sender="another register", sequence=6))

        def page(after: int | str, limit: int) -> list[str]:
            return [row.notice_id for row in work.notices.page("register", NoticeState.HELD, after, limit)]

        assert page(0, 9) == ["unreadable a", "unreadable b", "n2", "n5", "n7", "n9"]
        assert page(0, 3) == ["unreadable a", "unreadable b", "n2"]
        assert page(2, 2) == ["n5", "n7"]
        assert page(9, 2) == []
        assert page("unreadable a", 3) == ["unreadable b", "n2", "n5"]
        assert page("unreadable b", 2) == ["n2", "n5"]


def test_all_notices_come_sender_by_sender(any_store: Store) -> None:
    with any_store.begin() as work:
        for sender, number in (("register", 2), ("municipality:kiyose", 5), ("register", 1)):
            work.notices.put(replace(HELD, sender=sender, notice_id=f"n{number}", sequence=number))
        assert [(row.sender, row.notice_id) for row in work.notices.all()] == [
            ("municipality:kiyose", "n5"),
            ("register", "n1"),
            ("register", "n2"),
        ]


def test_the_newest_notice_of_a_resident_is_the_one_in_effect_last(any_store: Store) -> None:
    with any_store.begin() as work:
        one, other = add_resident(work, "one"), add_resident(work, "other")
        assert work.notices.latest_effective(one) is None
        for number, days in ((1, 3), (2, 7), (3, 5)):
            effective_on = date(2027, 3, 30) + timedelta(days)
            work.notices.put(
                replace(NOTICE, notice_id=f"{number}", sequence=number, resident_id=one, effective_on=effective_on)
            )
        assert work.notices.latest_effective(one) == date(2027, 4, 6)
        assert work.notices.latest_effective(other) is None
