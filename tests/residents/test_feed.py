"""Notices as JSON: what is read, and refusals that name fields and never values."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.municipalities import load_municipalities
from domain.birth import BirthDate
from domain.errors import Code, Refusal
from domain.events import EventType, ResidentEvent
from residents.feed import COLUMNS, MEMBERS, NEW_CODE, BadNotice, members_of, read_notice, read_notices, take_notice
from residents.records import ITEMS
from residents.rows import Format
from tests.support.notices import REGISTER, ending, notice
from tests.support.residents import attributes, csv_file, json_lines_file, resident_code

GOOD = members_of(notice())


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
        *(pytest.param(notice(type_), id=type_.value) for type_ in EventType if type_ is not EventType.CODE_CHANGE),
    ],
)
def test_a_notice_is_read_from_octets_and_from_an_object(event: ResidentEvent) -> None:
    members = members_of(event)
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
        pytest.param("version", "2", "must be 1; other versions", id="a version nobody knows"),
        pytest.param("sequence", "0", "a number from 1 on", id="a number below one"),
        pytest.param("sequence", "007", "without leading zeros", id="a number with zeros before it"),
        pytest.param("sequence", "1" * 19, "at most 18 digits", id="a number beyond counting"),
        pytest.param("sequence", 7, "must be a string", id="a number as a number"),
        pytest.param("resident_code", "12345678901", "eleven digits", id="a wrong check digit"),
        pytest.param(NEW_CODE, "12345678901", "eleven digits", id="a new code with a wrong check digit"),
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


@pytest.mark.parametrize("written", ["1988-11-XX", "showa XXXX-XX-XX", "XXXX-XX-XX"])
def test_a_birth_date_may_be_unknown_in_part(written: str) -> None:
    event = read({**GOOD, "birth_date": written})
    assert event.attributes is not None
    assert event.attributes.birth_date == BirthDate.read(written)
    assert members_of(event)["birth_date"] == written


def test_all_faults_come_at_once() -> None:
    refusal = refused({"name": "霧島", "resident_code": "1"})
    assert isinstance(refusal.facts["faults"], list)
    fields = [fault["field"] for fault in refusal.facts["faults"]]
    assert fields == [*MEMBERS, "address", "birth_date", "sex"]


def test_a_new_code_is_read_and_kept_out_of_the_notice_id() -> None:
    event = ending(EventType.CODE_CHANGE, new_code=resident_code(7))
    assert read(dict(members_of(event))) == event
    named = replace(event, notice_id=f"x-{resident_code(7).digits}")
    assert refused(dict(members_of(named))).pointer == "/notice_id"


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
    event = notice(EventType.NAME_CHANGE, effective_on=attributes().birth_date.latest)
    octets = json.dumps(members_of(event)).encode()
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


def taken(octets: bytes, form: Format = Format.JSON_LINES) -> list[ResidentEvent | BadNotice]:
    """What is read from a file, line after line."""
    found = list(read_notices(io.BytesIO(octets), form, REGISTER.label, load_municipalities()))
    first = 1 if form is Format.JSON_LINES else 2
    assert [line for line, _ in found] == list(range(first, first + len(found)))
    return [notice for _, notice in found]


def line_of(of: ResidentEvent, **changes: str) -> bytes:
    return json_lines_file([{**members_of(of), **changes}]).getvalue()


LAST = ending(notice_id="2027-000003", sequence=3, code=resident_code(3))
SECOND = notice(sequence=2)


@pytest.mark.parametrize(
    ("line", "sequence", "notice_id", "problem"),
    [
        pytest.param(b"{half\n", None, None, "the line is not JSON", id="no JSON"),
        pytest.param(b"\n", None, None, "the line is empty", id="an empty line"),
        pytest.param(line_of(SECOND)[:-3] + b"\n", 2, None, "the line is not JSON", id="half an object with a number"),
        pytest.param(
            line_of(SECOND, name="N").replace(b'"N"', b'"\xff"'), 2, None, "not UTF-8", id="octets of no UTF-8"
        ),
        pytest.param(line_of(SECOND, name="霧" * 4_000_000), 2, None, "longer than 65536 octets", id="a name of 12 MB"),
        pytest.param(line_of(SECOND, event="?"), 2, "2027-000001", "event must be one of", id="an event"),
        pytest.param(
            line_of(SECOND, resident_code="24727059607"),
            2,
            "2027-000001",
            "resident_code must be eleven digits",
            id="a wrong check digit",
        ),
        pytest.param(
            line_of(SECOND, notice_id=f"n{resident_code(1).digits}"),
            2,
            None,
            "holds the resident code",
            id="an id with the code in it",
        ),
        pytest.param(
            line_of(SECOND, resident_code=""),
            2,
            "2027-000001",
            "resident_code must be eleven digits",
            id="an empty code",
        ),
        pytest.param(line_of(SECOND, sequence="two"), None, "2027-000001", "sequence must be", id="no number"),
    ],
)
def test_a_bad_line_is_told_by_number_and_digest_and_stops_no_other(
    line: bytes, sequence: int | None, notice_id: str | None, problem: str
) -> None:
    first, bad, last = taken(line_of(notice()) + line + line_of(LAST))
    assert (first, last) == (notice(), LAST)
    assert isinstance(bad, BadNotice)
    assert (bad.sequence, bad.notice_id, bad.content) == (sequence, notice_id, hashlib.sha256(line).digest())
    assert bad.refusal.code is Code.MALFORMED
    assert problem in bad.refusal.detail
    told = f"{bad} {bad.refusal} {bad.refusal.facts}"
    assert not any(value in told for value in (attributes().name, resident_code(1).digits, "24727059607"))


def test_a_line_that_was_cut_off_leaves_its_number_free() -> None:
    """It comes again, whole."""
    _, bad = taken(line_of(notice()) + line_of(LAST)[:-1])
    assert isinstance(bad, BadNotice)
    assert (bad.sequence, bad.notice_id) == (None, None)
    assert "the file ends inside this line" in bad.refusal.detail


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(notice(), id="a move"),
        pytest.param(LAST, id="a death"),
        pytest.param(ending(EventType.CODE_CHANGE, new_code=resident_code(7)), id="a change of code"),
    ],
)
def test_csv_and_json_lines_say_the_same(event: ResidentEvent) -> None:
    row = dict.fromkeys(COLUMNS, "") | members_of(event)
    assert taken(csv_file([row], COLUMNS).getvalue(), Format.CSV) == taken(line_of(event)) == [event]


def test_a_bad_row_of_csv_stops_no_other() -> None:
    rows = [dict.fromkeys(COLUMNS, "") | members_of(event) for event in (notice(), LAST)]
    header, first, last = csv_file(rows, COLUMNS).getvalue().splitlines(keepends=True)
    found = taken(header + first + b"half,a,row\n" + first.replace(b"1988", b"\xff") + last, Format.CSV)
    assert [type(notice) for notice in found] == [ResidentEvent, BadNotice, BadNotice, ResidentEvent]


def test_octets_over_the_wire_become_a_notice_or_a_bad_one() -> None:
    def take(octets: bytes) -> ResidentEvent | BadNotice:
        return take_notice(octets, REGISTER.label, load_municipalities())

    assert take(line_of(notice())) == notice()
    bad = take(line_of(SECOND, sex="f"))
    assert isinstance(bad, BadNotice)
    assert (bad.sequence, bad.notice_id, bad.refusal.pointer) == (2, "2027-000001", "/sex")
    broken = take(line_of(SECOND)[:-4])
    assert isinstance(broken, BadNotice)
    assert (broken.sequence, broken.notice_id, broken.refusal.detail) == (2, None, "the notice is not JSON")


@given(st.binary(max_size=300))
def test_any_octets_over_the_wire_are_told_without_a_fault(octets: bytes) -> None:
    assert isinstance(take_notice(octets, REGISTER.label, load_municipalities()), BadNotice)


@given(st.dates(min_value=date(1988, 11, 3)))
def test_every_day_of_the_calendar_can_be_the_day(day: date) -> None:
    assert read({**GOOD, "effective_on": day.isoformat()}).effective_on == day
