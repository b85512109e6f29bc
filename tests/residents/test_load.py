"""Loading residents: all rows or none, with every fault told by line, and never behind the back of a certificate."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.municipalities import load_municipalities
from domain.certificates import CertificateState, Kind
from domain.errors import Code, Refusal
from domain.parties import LOCAL_OPERATOR, Party
from domain.people import ResidentState
from domain.ports import Begin
from policies.repertoire import REPERTOIRE
from policies.validity import age_on
from residents.load import FAULTS_TOLD, LoadReport, load_residents
from residents.parts import Intake
from residents.records import COLUMNS, ResidentRecord, read_record
from residents.rows import Format, read_rows
from tests.support.memory import MemoryStore
from tests.support.notices import (
    KIYOSE_CITY,
    NOW,
    REGISTER,
    TODAY,
    VERIFIER,
    audit_bodies,
    certify,
    make_intake,
    store_resident,
)
from tests.support.residents import (
    HINO,
    as_fields,
    csv_file,
    json_lines_file,
    record,
    resident_code,
    sample_records,
)


@pytest.fixture
def intake(begin: Begin) -> Intake:
    return make_intake(begin)


def load(intake: Intake, rows: Iterable[ResidentRecord], form: Format = Format.CSV) -> LoadReport:
    write = csv_file if form is Format.CSV else json_lines_file
    return load_residents(intake, LOCAL_OPERATOR, write(map(as_fields, rows)), form)


def load_octets(intake: Intake, octets: bytes, form: Format = Format.CSV) -> LoadReport:
    return load_residents(intake, LOCAL_OPERATOR, io.BytesIO(octets), form)


def faults(report: LoadReport) -> list[str]:
    return [str(fault) for fault in report.faults]


def stored(intake: Intake, resident: ResidentRecord) -> bool:
    """Whether the stored copy holds exactly this record, as a present resident."""
    with intake.begin(write=False) as work:
        found = work.residents.find(*intake.sealer.indexes(resident.code))
    if found is None:
        return False
    return (found.municipality, found.attributes, found.state) == (
        resident.municipality,
        resident.attributes,
        ResidentState.PRESENT,
    )


def audited(intake: Intake) -> list[dict[str, object]]:
    return [json.loads(body) for body in audit_bodies(intake)]


def count(intake: Intake) -> int:
    with intake.begin(write=False) as work:
        return work.residents.count()


@pytest.mark.parametrize("form", list(Format), ids=lambda form: form.value)
def test_a_file_is_loaded_and_loading_it_again_changes_nothing(intake: Intake, form: Format) -> None:
    residents = list(sample_records(2345))
    assert load(intake, residents, form) == LoadReport(new=2345)
    assert all(stored(intake, resident) for resident in residents[::97])
    assert load(intake, residents, form) == LoadReport(unchanged=2345)
    assert count(intake) == 2345


def test_codes_are_stored_sealed_and_open_for_their_own_row(intake: Intake) -> None:
    load(intake, [record(1), record(2)])
    with intake.begin(write=False) as work:
        sealed = list(work.residents.sealed())
    assert {intake.sealer.unseal(*pair) for pair in sealed} == {resident_code(1), resident_code(2)}
    assert not any(resident_code(n).digits.encode() in octets for n in (1, 2) for pair in sealed for octets in pair)


def test_new_changed_and_unchanged_rows_are_counted(intake: Intake) -> None:
    load(intake, [record(1), record(2)])
    moved = record(2, HINO, address="東京都日野市柳通１－１")
    assert load(intake, [record(1), moved, record(3)]) == LoadReport(new=1, replaced=1, unchanged=1)
    assert stored(intake, moved)


def test_the_load_leaves_one_audit_row_with_counts_and_a_keyed_digest(intake: Intake) -> None:
    load(intake, [record(1), record(2)])
    (row,) = audited(intake)
    facts = row["facts"]
    assert isinstance(facts, dict)
    assert row["act"] == "residents-loaded"
    assert row["actor"] == "operator:terminal"
    assert (facts["new"], facts["replaced"], facts["unchanged"]) == (2, 0, 0)
    assert len(str(facts["file"])) == 64
    assert not any(value in json.dumps(row, ensure_ascii=False) for value in (record(1).code.digits, "霧島", "清瀬"))


def test_one_bad_row_keeps_all_others_out(intake: Intake) -> None:
    good, bad = as_fields(record(1)), {**as_fields(record(2)), "sex": "7"}
    report = load_residents(intake, LOCAL_OPERATOR, csv_file([good, bad]), Format.CSV)
    assert faults(report) == ["line 3: sex must be one of 1, 2, 3, 9"]
    assert (report.new, count(intake), audited(intake)) == (0, 0, [])


def test_every_fault_is_told_with_its_line(intake: Intake) -> None:
    good = csv_file([as_fields(record(1))]).getvalue()
    bad = ",".join(as_fields(record(2)).values()).replace("1988-11-03", "1988-11-31").replace("霧島", "\t")
    octets = good + b"1,2\n" + bad.encode() + b"\n\xff\n\n" + b"x" * 70_000 + b"\n" + b"cut"
    assert faults(load_octets(intake, octets)) == [
        "line 3: there are 2 fields instead of 6",
        "line 4: name has space around it",
        "line 4: birth_date is not a day of the calendar",
        "line 5: the line is not UTF-8",
        "line 6: the line is empty",
        "line 7: the line is longer than 65536 octets",
        "line 8: the file ends inside this line; every line must end in a line feed",
    ]


def test_the_first_hundred_faults_are_told_and_the_others_counted(intake: Intake) -> None:
    report = load_octets(intake, b"{}\n" * 250, Format.JSON_LINES)
    assert len(report.faults) == FAULTS_TOLD
    assert report.more_faults == 250 * len(COLUMNS) - FAULTS_TOLD


@pytest.mark.parametrize("form", list(Format), ids=lambda form: form.value)
def test_a_code_may_stand_in_a_file_once(intake: Intake, form: Format) -> None:
    report = load(intake, [record(1), record(2), record(1)], form)
    line = 4 if form is Format.CSV else 3
    assert faults(report) == [f"line {line}: resident_code stands on an earlier line already"]


def test_a_code_is_known_again_a_thousand_rows_later(intake: Intake) -> None:
    residents = list(sample_records(2500))
    assert [fault.line for fault in load(intake, [*residents, residents[3]]).faults] == [2502]


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        pytest.param(b"", "the file is empty", id="an empty file"),
        pytest.param(",".join(COLUMNS).encode() + b"\n", "holds no record", id="column names alone"),
        pytest.param(b"a,b\n1,2\n", "must name the columns resident_code", id="other column names"),
    ],
)
def test_a_file_without_records_is_refused(intake: Intake, octets: bytes, problem: str) -> None:
    (fault,) = faults(load_octets(intake, octets))
    assert problem in fault


def test_an_empty_json_lines_file_is_refused(intake: Intake) -> None:
    assert faults(load_octets(intake, b"", Format.JSON_LINES)) == ["the file holds no record"]


@pytest.mark.parametrize(
    ("kinds", "days_left", "state", "refused"),
    [
        pytest.param(tuple(Kind), 100, CertificateState.ISSUED, True, id="a live pair"),
        pytest.param((Kind.SIGNATURE,), 100, CertificateState.ISSUED, True, id="a live signing certificate"),
        pytest.param((Kind.SIGNATURE,), 100, CertificateState.RESERVED, True, id="a signing certificate being made"),
        pytest.param((Kind.AUTHENTICATION,), 100, CertificateState.ISSUED, False, id="an authentication certificate"),
        pytest.param(tuple(Kind), -1, CertificateState.ISSUED, False, id="an expired pair"),
        pytest.param((), 0, CertificateState.ISSUED, False, id="nothing"),
    ],
)
@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(record(1, address="東京都清瀬市柳通１－１"), id="a new address"),
        pytest.param(record(1, HINO), id="a new municipality"),
    ],
)
def test_a_load_never_changes_what_a_live_signing_certificate_says(
    intake: Intake,
    kinds: tuple[Kind, ...],
    days_left: int,
    state: CertificateState,
    refused: bool,
    changed: ResidentRecord,
) -> None:
    resident_id = store_resident(intake, record(1))
    certify(intake, resident_id, kinds, not_after=NOW + timedelta(days=days_left), state=state)
    report = load(intake, [changed])
    assert stored(intake, record(1)) is refused
    assert stored(intake, changed) is not refused
    assert any("live signing certificate; send a notice" in fault for fault in faults(report)) is refused


def test_the_fault_names_the_changed_fields_and_not_their_values(intake: Intake) -> None:
    certify(intake, store_resident(intake, record(1)))
    (fault,) = faults(load(intake, [record(1, HINO, name="榎戸　透子")]))
    assert "line 2: the record changes municipality_code, name of" in fault
    assert "榎戸" not in fault


def test_an_unchanged_row_of_a_certificate_holder_is_harmless(intake: Intake) -> None:
    certify(intake, store_resident(intake, record(1)))
    assert load(intake, [record(1)]) == LoadReport(unchanged=1)


@pytest.mark.parametrize(
    "state", [state for state in ResidentState if state is not ResidentState.PRESENT], ids=lambda state: state.value
)
def test_a_load_brings_nobody_back(intake: Intake, state: ResidentState) -> None:
    store_resident(intake, record(1), state)
    assert faults(load(intake, [record(1)])) == [
        "line 2: the resident moved out, or the stored record has ended; send a notice instead"
    ]


@pytest.mark.parametrize("actor", [KIYOSE_CITY, VERIFIER], ids=lambda actor: actor.role.value)
def test_municipalities_and_verifiers_may_not_load(intake: Intake, actor: Party) -> None:
    with pytest.raises(Refusal) as caught:
        load_residents(intake, actor, csv_file([as_fields(record(1))]), Format.CSV)
    assert caught.value.code is Code.NOT_ADMITTED


def test_the_register_may_load(intake: Intake) -> None:
    assert load_residents(intake, REGISTER, csv_file([as_fields(record(1))]), Format.CSV).new == 1


def test_progress_covers_both_readings(intake: Intake) -> None:
    file = csv_file(map(as_fields, sample_records(2500)))
    size = len(file.getvalue())
    seen: list[tuple[int, int]] = []
    load_residents(intake, LOCAL_OPERATOR, file, Format.CSV, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (2 * size, 2 * size)
    assert len(seen) >= 6
    assert all(earlier <= later for earlier, later in pairwise(seen))


def test_a_file_that_changes_between_the_readings_is_refused(intake: Intake) -> None:
    rows = csv_file(map(as_fields, [record(1), record(2)])).getvalue()

    class Changing(io.BytesIO):
        def seek(self, offset: int, whence: int = 0, /) -> int:
            position = super().seek(offset, whence)
            if whence == 0 and self.getvalue() == rows and self.readings:
                self.getbuffer()[-2:-1] = b"1"  # another sex digit
            self.readings += whence == 0
            return position

        readings = 0

    with pytest.raises(Refusal, match="changed while it was read"):
        load_residents(intake, LOCAL_OPERATOR, Changing(rows), Format.CSV)
    assert count(intake) == 0


def test_a_stream_is_refused(intake: Intake) -> None:
    class Stream(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with pytest.raises(Refusal, match="save the stream"):
        load_residents(intake, LOCAL_OPERATOR, Stream(), Format.CSV)


def test_a_certificate_issued_between_the_readings_is_not_overlooked() -> None:
    store = MemoryStore()
    intake = make_intake(store.begin)
    resident_id = store_resident(intake, record(1))

    def issue_meanwhile(write: bool) -> None:
        if write:
            store.on_begin = None
            certify(intake, resident_id)

    store.on_begin = issue_meanwhile
    report = load(intake, [record(1, name="榎戸　透子"), record(2)])
    assert len(report.faults) == 1
    assert stored(intake, record(1))
    assert (count(intake), audited(intake)) == (1, [])


def test_a_commit_that_fails_leaves_nothing() -> None:
    store = MemoryStore()
    store.faults = {1: "lost"}
    intake = make_intake(store.begin)
    with pytest.raises(Refusal) as caught:
        load(intake, [record(1)])
    assert caught.value.code is Code.STORE_UNAVAILABLE
    assert count(intake) == 0
    assert load(intake, [record(1)]) == LoadReport(new=1)


@given(st.integers(1, 4), st.integers(0, 4), st.integers(0, 4))
def test_counts_always_add_up_to_the_rows(unchanged: int, replaced: int, new: int) -> None:
    intake = make_intake(MemoryStore().begin)
    first = list(sample_records(unchanged + replaced))
    load(intake, first)
    later = [
        *first[:unchanged],
        *(replace(old, attributes=replace(old.attributes, name="改　名")) for old in first[unchanged:]),
        *sample_records(new, seed=2),
    ]
    assert load(intake, later) == LoadReport(new, replaced, unchanged)
    assert count(intake) == len(later)


def test_the_sample_residents_are_valid_and_show_the_hard_cases() -> None:
    file = io.BytesIO((files("config") / "data" / "sample_residents.csv").read_bytes())
    residents = [
        read_record(row, load_municipalities(), TODAY)
        for _, row in read_rows(file, Format.CSV, COLUMNS)
        if isinstance(row, dict)
    ]
    assert load(make_intake(MemoryStore().begin), residents) == LoadReport(new=20)
    births = [resident.attributes.birth_date for resident in residents]
    assert any((born.month, born.day) == (2, 29) for born in births)
    assert any(age_on(born, TODAY) < 15 for born in births)
    texts = [resident.attributes.name + resident.attributes.address for resident in residents]
    assert sum(not REPERTOIRE.issuperset(text) for text in texts) == 2
    for resident in residents:
        home = load_municipalities()[resident.municipality]
        assert resident.attributes.address.startswith(home.prefecture)
        assert home.name in resident.attributes.address
