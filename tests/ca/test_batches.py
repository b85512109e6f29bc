"""Batches are taken whole, judged line by line, watched, cancelled, and told about to those who sent them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ca.batches import (
    LONGEST_LINE,
    Batching,
    Progress,
    cancel_batch,
    list_batches,
    progress_of,
    results_of,
    take_batch,
)
from domain.batches import ItemState
from domain.errors import Code, Refusal
from domain.parties import LOCAL_OPERATOR, Party, Role
from policies.batches import BatchPolicy
from tests.support.applications import as_document, as_line
from tests.support.authority import (
    CARD,
    ITEMS_ON_RECORD,
    KIYOSE_CITY,
    NOW,
    SAPPORO_CITY,
    add_resident,
    make_application,
    make_authority,
)
from tests.support.memory import MemoryStore
from tests.support.requests import make_pair
from tests.support.residents import resident_code
from web.batches import read_line

LINES = [
    as_line(make_application(resident_code=resident_code(number), requests=make_pair(number=number)))
    for number in (1, 2, 3)
]
FILE = b"".join(LINES)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def batching(store: MemoryStore) -> Batching:
    authority = make_authority(store)
    for number in (1, 2, 3):
        add_resident(authority, resident_code(number))
    return Batching(authority, BatchPolicy(longest=4, queue=5, chunk=2), read_line)


def take(batching: Batching, octets: bytes = FILE, key: str = "the batch", caller: Party = KIYOSE_CITY) -> Progress:
    return take_batch(batching, caller, key, octets)


def refused(batching: Batching, octets: bytes, **of: object) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        take(batching, octets, **of)  # type: ignore[arg-type]
    return refusal.value


def line_refusals(batching: Batching, octets: bytes) -> list[Code | None]:
    taken = take(batching, octets)
    found = results_of(batching, KIYOSE_CITY, taken.batch.id)
    return [result.item.refusal.code if result.item.refusal else None for result in found]


def test_a_batch_waits_whole_and_sealed(batching: Batching, store: MemoryStore) -> None:
    taken = take(batching)
    assert (taken.batch.items, taken.batch.open, taken.counts) == (3, 3, {ItemState.WAITING: 3})
    assert not taken.repeated
    for item in store.tables.items.values():
        assert item.sealed is not None
        assert ITEMS_ON_RECORD.name.encode() not in item.sealed
        assert b"resident_code" not in item.sealed
    assert [json.loads(row.body)["act"] for row in store.tables.audit.values()][-1] == "batch-taken"
    assert "line-of" not in str([row.body for row in store.tables.audit.values()])


def test_the_same_file_under_its_key_is_the_same_batch(batching: Batching, store: MemoryStore) -> None:
    first, again = take(batching), take(batching)
    assert again == replace(first, repeated=True)
    assert len(store.tables.items) == 3
    assert refused(batching, LINES[0]).code is Code.IDEMPOTENCY_MISMATCH
    assert take(batching, LINES[0], key="another").batch.id != first.batch.id


@pytest.mark.parametrize("fault", ["lost", "kept"])
def test_a_batch_of_which_the_outcome_was_not_heard_is_sent_again(
    batching: Batching, store: MemoryStore, fault: str
) -> None:
    store.faults[store.commits + 1] = fault  # type: ignore[assignment]
    if fault == "lost":
        assert refused(batching, FILE).code is Code.STORE_UNAVAILABLE
    assert take(batching).repeated is (fault == "kept")
    assert len(store.tables.batches) == 1


@pytest.mark.parametrize(
    ("line", "code"),
    [
        pytest.param(b"{\n", Code.MALFORMED, id="half-a-line"),
        pytest.param(b"[]\n", Code.MALFORMED, id="a-list"),
        pytest.param(LINES[1].replace("霧島".encode(), b"\xe9\x9c"), Code.MALFORMED, id="invalid-utf-8"),
        pytest.param(LINES[1].decode().encode("cp932"), Code.MALFORMED, id="another-encoding"),
        pytest.param(b"\xef\xbb\xbf" + LINES[1], Code.MALFORMED, id="a-byte-order-mark"),
        pytest.param(LINES[1].replace("霧島".encode(), "霧".encode() * 3_500_000), Code.TOO_LARGE, id="a-10-mb-name"),
        pytest.param(b" " * (LONGEST_LINE + 1) + b"\n", None, id="nothing-but-blanks"),
        pytest.param(LINES[1].replace(b'"line-of-', b'"of-'), Code.MALFORMED, id="the-resident-of-another-line"),
        pytest.param(LINES[0], Code.MALFORMED, id="a-line-that-was-there-before"),
        pytest.param(LINES[1].replace(b"idempotency_key", b"key"), Code.MALFORMED, id="no-key"),
        pytest.param(LINES[1].replace(b'"line-of-', b'"\\u3042'), Code.MALFORMED, id="a-key-in-kana"),
        pytest.param(LINES[1].replace(b"132217", b"132218"), Code.MALFORMED, id="a-code-with-a-bad-check-digit"),
        pytest.param(LINES[1].replace(b"132217", b"011002"), Code.WRONG_MUNICIPALITY, id="another-municipality"),
        pytest.param(LINES[1].replace(b'{"', b'{"a": 1.5, "', 1), Code.MALFORMED, id="a-fraction"),
    ],
)
def test_a_bad_line_is_refused_by_itself(batching: Batching, line: bytes, code: Code | None) -> None:
    if line.startswith(b'{"idempotency_key": "of-'):
        line = line.replace(resident_code(2).digits.encode(), resident_code(1).digits.encode())
    outcomes = line_refusals(batching, LINES[0] + line + LINES[2])
    assert outcomes == ([None, code, None] if code else [None, None])


def test_what_is_told_of_a_bad_line_repeats_nothing_of_it(batching: Batching) -> None:
    take(batching, LINES[0].replace(b'"sex"', b'"secret"'))
    (result,) = results_of(batching, KIYOSE_CITY, 1)
    assert result.item.refusal is not None
    assert "secret" not in result.item.refusal.detail
    assert result.item.sealed is None


@pytest.mark.parametrize(
    ("octets", "code", "word"),
    [
        pytest.param(b"", Code.MALFORMED, "no application", id="nothing"),
        pytest.param(b"\n\r\n \n", Code.MALFORMED, "no application", id="empty-lines"),
        pytest.param(FILE[: len(FILE) // 2], Code.MALFORMED, "cut off", id="half-a-file"),
        pytest.param(FILE[:-1], Code.MALFORMED, "cut off", id="a-file-without-its-last-line-feed"),
        pytest.param(LINES[0] * 5, Code.TOO_LARGE, "at most 4 lines", id="too-many-lines"),
    ],
)
def test_a_bad_file_is_refused_whole(
    batching: Batching, store: MemoryStore, octets: bytes, code: Code, word: str
) -> None:
    refusal = refused(batching, octets)
    assert refusal.code is code
    assert word in refusal.detail
    assert store.tables.batches == {}


def test_a_full_queue_refuses_the_whole_file_and_says_how_full_it_is(batching: Batching, store: MemoryStore) -> None:
    take(batching)
    other = b"".join(line.replace(b'"line-of-', b'"again-of-') for line in LINES)
    refusal = refused(batching, other, key="too much")
    assert refusal.code is Code.QUEUE_FULL
    assert refusal.facts == {"waiting": 3, "most": 5}
    assert len(store.tables.batches) == 1
    # What waits for one municipality is nobody else's loss.
    elsewhere = b"".join(line.replace(b"132217", b"011002") for line in LINES)
    assert take(batching, elsewhere, caller=SAPPORO_CITY).batch.open == 3


def test_batches_are_for_those_who_may_apply(batching: Batching) -> None:
    register = Party(9, Role.REGISTER, "juki")
    assert refused(batching, FILE, caller=register).code is Code.NOT_ADMITTED
    gone = replace(KIYOSE_CITY, suspended_at=NOW - timedelta(days=1))
    assert refused(batching, FILE, caller=gone).code is Code.NOT_ADMITTED


def test_a_batch_is_told_of_to_its_sender_and_to_operators(batching: Batching) -> None:
    number = take(batching).batch.id
    for caller in (KIYOSE_CITY, LOCAL_OPERATOR):
        assert progress_of(batching, caller, number).batch.id == number
        assert [one.batch.id for one in list_batches(batching, caller)] == [number]
    assert list_batches(batching, SAPPORO_CITY) == []
    for act in (progress_of, cancel_batch, results_of):
        with pytest.raises(Refusal) as refusal:
            act(batching, SAPPORO_CITY, number)
        assert refusal.value.code is Code.NOT_FOUND


def test_a_batch_is_cancelled_once(batching: Batching, store: MemoryStore) -> None:
    number = take(batching).batch.id
    cancelled = cancel_batch(batching, KIYOSE_CITY, number)
    assert (cancelled.counts, cancelled.batch.ended_at) == ({ItemState.CANCELLED: 3}, NOW)
    assert {item.sealed for item in store.tables.items.values()} == {None}
    commits = store.commits
    assert cancel_batch(batching, KIYOSE_CITY, number) == cancelled
    assert store.commits == commits


def test_a_file_of_bad_lines_has_ended_when_it_is_taken(batching: Batching) -> None:
    assert take(batching, b"{}\n{}\n").batch.ended_at == NOW


@given(st.binary(max_size=60), st.integers(0, len(LINES[1])))
def test_whatever_stands_in_a_line_stops_no_other(octets: bytes, place: int) -> None:
    store = MemoryStore()
    batching = Batching(make_authority(store), BatchPolicy(), read_line)
    spoilt = (LINES[1][:place] + octets + LINES[1][place:]).replace(b"\n", b" ") + b"\n"
    taken = take(batching, LINES[0] + spoilt + LINES[2])
    states = [result.item.state for result in results_of(batching, KIYOSE_CITY, taken.batch.id)]
    assert (states[0], states[-1]) == (ItemState.WAITING, ItemState.WAITING)


def test_a_line_is_what_the_api_takes_and_a_key() -> None:
    application = make_application(key="line-of-x", card=replace(CARD, id="card-1"))
    members = read_line(as_line(application, idempotency_key="line-of-x"))
    assert type(application)(caller=KIYOSE_CITY, **members) == application
    assert "idempotency_key" not in as_document(application)
