"""Notices as JSON: what is read, and refusals that name fields and never values."""

from __future__ import annotations

import io
import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.municipalities import load_municipalities
from domain.errors import Code, Refusal
from domain.events import EventType, ResidentEvent
from residents.feed import MEMBERS, read_notice, read_notices
from residents.records import ITEMS
from tests.support.notices import REGISTER, as_members, ending, notice
from tests.support.residents import attributes, json_lines_file, resident_code

GOOD = as_members(notice())


def read(content: bytes | dict[str, object]) -> ResidentEvent:
    return read_notice(content, REGISTER.label, load_municipalities())


def refused(content: bytes | dict[str, object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(content)
    return caught.value


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(notice(), id="a move"),
        pytest.param(ending(), id="a death"),
        *(pytest.param(notice(type_), id=type_.value) for type_ in EventType),
    ],
)
def test_a_notice_is_read_from_octets_and_from_an_object(event: ResidentEvent) -> None:
    members = as_members(event)
    assert read(json.dumps(members).encode()) == read(dict(members)) == event


@pytest.mark.parametrize(
    ("member", "value", "problem"),
    [
        pytest.param("notice_id", "", "1 to 128", id="an empty id"),
        pytest.param("notice_id", "a" * 129, "1 to 128", id="a long id"),
        pytest.param("notice_id", "a b", "without spaces", id="an id with a space"),
        pytest.param("notice_id", "a\n", "without spaces", id="an id with a line feed"),
        pytest.param("notice_id", "号１", "ASCII", id="an id in Japanese"),
        pytest.param("notice_id", 17, "must be a string", id="an id as a number"),
        pytest.param(
            "notice_id", f"x-{GOOD['resident_code']}", "holds the resident code", id="an id with the code in it"
        ),
        pytest.param("resident_code", "12345678901", "eleven digits", id="a wrong check digit"),
        pytest.param("event", "MOVE-IN", "must be one of move-in", id="an event in capitals"),
        pytest.param("event", "birth", "must be one of move-in", id="an event nobody knows"),
        pytest.param("effective_on", "2027-02-29", "not a day", id="a day that is not in the calendar"),
        pytest.param("effective_on", "2027-04-01T00:00:00", "YYYY-MM-DD", id="a moment instead of a day"),
        pytest.param("effective_on", "1988-11-02", "birth_date lies after", id="a day before the birth"),
        pytest.param("municipality_code", "130001", "not the code of a municipality", id="a prefecture"),
        pytest.param("name", "", "is empty", id="an empty name"),
        pytest.param("address", None, "must be a string", id="an address that is null"),
        pytest.param("birth_date", "1988-13-01", "not a day", id="a thirteenth month"),
        pytest.param("sex", "f", "must be one of 1", id="a sex as a letter"),
    ],
)
def test_a_faulty_member_is_named(member: str, value: object, problem: str) -> None:
    refusal = refused({**GOOD, member: value})
    assert refusal.code is Code.MALFORMED
    assert problem in refusal.detail
    assert refusal.pointer == f"/{'birth_date' if problem.startswith('birth_date') else member}"


@pytest.mark.parametrize("member", MEMBERS)
def test_a_missing_member_is_named(member: str) -> None:
    refusal = refused({name: value for name, value in GOOD.items() if name != member})
    assert refusal.detail == f"{member} is missing"


@pytest.mark.parametrize("item", ITEMS)
def test_the_four_items_come_all_or_not_at_all(item: str) -> None:
    refusal = refused({name: value for name, value in GOOD.items() if name != item})
    assert refusal.detail == f"{item} is missing"


def test_all_faults_come_at_once() -> None:
    refusal = refused({"name": "霧島", "resident_code": "1"})
    assert isinstance(refusal.facts["faults"], list)
    fields = [fault["field"] for fault in refusal.facts["faults"]]
    assert fields == [*MEMBERS, "address", "birth_date", "sex"]


@pytest.mark.parametrize(
    ("octets", "code", "detail"),
    [
        pytest.param(b"", Code.MALFORMED, "the notice is not JSON", id="nothing"),
        pytest.param(b"\xff", Code.MALFORMED, "the notice is not UTF-8", id="no UTF-8"),
        pytest.param("{}".encode("utf-16"), Code.MALFORMED, "the notice is not UTF-8", id="UTF-16"),
        pytest.param(b"[]", Code.MALFORMED, "the notice is not a JSON object", id="a list"),
        pytest.param(b"null", Code.MALFORMED, "the notice is not a JSON object", id="null"),
        pytest.param(b'{"event":"x","event":"x"}', Code.MALFORMED, "the notice names a member twice", id="twice"),
        pytest.param(b" " * 65_537, Code.TOO_LARGE, "a notice has at most 65536 octets", id="too much"),
    ],
)
def test_octets_that_are_no_notice_are_refused(octets: bytes, code: Code, detail: str) -> None:
    refusal = refused(octets)
    assert (refusal.code, refusal.detail) == (code, detail)


def test_a_notice_may_fill_its_limit_and_be_of_the_day_of_birth() -> None:
    event = notice(EventType.NAME_CHANGE, effective_on=attributes().birth_date)
    octets = json.dumps(as_members(event)).encode()
    assert read(octets.ljust(65_536)) == event


@given(st.binary(max_size=200) | st.dictionaries(st.sampled_from([*MEMBERS, *ITEMS, "x"]), st.text(), max_size=9))
def test_anything_is_an_event_or_malformed(content: bytes | dict[str, object]) -> None:
    assert refused(content).code is Code.MALFORMED


@given(
    st.dictionaries(
        st.sampled_from([*MEMBERS, *ITEMS]), st.none() | st.integers() | st.lists(st.text()) | st.booleans(), min_size=1
    )
)
def test_members_that_are_no_strings_are_refused(content: dict[str, object]) -> None:
    assert refused({**GOOD, **content}).code is Code.MALFORMED


def test_a_refusal_tells_no_value() -> None:
    wrong: dict[str, object] = {**GOOD, "name": attributes().name + "\n", "resident_code": "24727059607", "x": "y" * 9}
    refusal = refused(wrong)
    told = f"{refusal} {refusal.facts} {refusal.pointer}"
    assert not any(str(value) in told for value in (attributes().name, "24727059607", "y" * 9))


def test_the_event_hides_its_values() -> None:
    assert GOOD["name"] not in repr(read(dict(GOOD)))


def test_a_file_of_notices_is_read_line_by_line() -> None:
    first, last = as_members(notice()), as_members(ending(notice_id="2027-000003", code=resident_code(3)))
    file = io.BytesIO(
        json_lines_file([first]).getvalue() + b"{half\n" + json_lines_file([{**first, "event": "?"}, last]).getvalue()
    )
    found = list(read_notices(file, REGISTER.label, load_municipalities()))
    assert [line for line, _ in found] == [1, 2, 3, 4]
    events = [event for _, event in found if isinstance(event, ResidentEvent)]
    assert [event.notice_id for event in events] == ["2027-000001", "2027-000003"]
    refusals = [refusal for _, refusal in found if isinstance(refusal, Refusal)]
    assert [refusal.code for refusal in refusals] == [Code.MALFORMED, Code.MALFORMED]
    assert refusals[0].detail == "the line is not JSON"


@given(st.dates(min_value=date(1988, 11, 3)))
def test_every_day_of_the_calendar_can_be_the_day(day: date) -> None:
    assert read({**GOOD, "effective_on": day.isoformat()}).effective_on == day
