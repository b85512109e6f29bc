"""The audit chain: what its digests cover, and which changes its check finds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.chain import GENESIS, Break, body_of, chain, head_octets, link, verify
from domain.events import Act, AuditEvent, AuditHead, AuditRow

NOON = datetime(2027, 4, 1, 12, tzinfo=UTC)


def event(number: int = 0, **changes: Any) -> AuditEvent:
    return replace(AuditEvent(Act.ISSUED, "municipality:清瀬市", NOON, {"application": number}), **changes)


def mark(key_id: str, octets: bytes) -> bytes:
    """A stand-in for a signature: who knows the word can make it."""
    return hashlib.sha256(b"word" + key_id.encode() + octets).digest()


def check(key_id: str, octets: bytes, signature: bytes) -> bool:
    return key_id == "audit" and signature == mark(key_id, octets)


def head_of(rows: list[AuditRow]) -> AuditHead:
    last = rows[-1]
    return AuditHead(last.sequence, last.digest, mark("audit", head_octets(last.sequence, last.digest)), "audit")


def rows_of(count: int) -> list[AuditRow]:
    return chain((0, GENESIS), (body_of(event(number)) for number in range(count)))


def test_the_body_is_sorted_compact_json_with_text_as_it_is_and_utc_time() -> None:
    jst = timezone(timedelta(hours=9))
    body = body_of(
        AuditEvent(Act.REVOKED, "municipality:清瀬市", datetime(2027, 4, 1, 9, tzinfo=jst), {"b": 1, "a": [True]})
    )
    assert body == (
        '{"act":"certificate-revoked","actor":"municipality:清瀬市","at":"2027-04-01T00:00:00Z","facts":{"a":[true],"b":1}}'
    )


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(datetime(2027, 4, 1), id="a-naive-time-is-refused"),  # noqa: DTZ001
        pytest.param(NOON.replace(microsecond=1), id="a-fraction-is-refused"),
    ],
)
def test_a_time_that_would_have_to_be_guessed(at: datetime) -> None:
    with pytest.raises(ValueError, match="aware time in whole seconds"):
        body_of(event(at=at))


def test_facts_that_json_cannot_say_exactly_are_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        body_of(event(facts={"share": float("nan")}))
    with pytest.raises(TypeError):
        body_of(event(facts={"certificate": b"octets"}))


def test_a_link_is_the_hash_of_tag_previous_sequence_and_body() -> None:
    expected = hashlib.sha256(b"jpki audit link v1\x00" + bytes(32) + b"\0\0\0\0\0\0\0\1" + "本文".encode()).digest()
    assert link(GENESIS, 1, "本文") == expected


@given(st.integers(1, 2**63 - 1), st.integers(1, 2**63 - 1), st.text(), st.text(), st.binary(min_size=32, max_size=32))
def test_links_differ_when_anything_differs(a: int, b: int, one: str, other: str, previous: bytes) -> None:
    assert (link(previous, a, one) == link(previous, b, other)) == ((a, one) == (b, other))
    assert link(previous, a, one) != link(bytes(31) + b"\x01" if previous == GENESIS else GENESIS, a, one)
    assert link(previous, a, one) != hashlib.sha256(head_octets(a, previous)).digest()


def test_an_honest_chain_has_no_break() -> None:
    rows = rows_of(4)
    assert verify(rows, head_of(rows), check) is None
    assert verify(rows, head_of(rows), check, anchor=head_of(rows[:2])) is None
    assert verify(rows, head_of(rows), check, anchor=head_of(rows)) is None


def test_an_empty_chain_has_no_head() -> None:
    assert verify([], None, check) is None


def edited(rows: list[AuditRow]) -> list[AuditRow]:
    return [replace(row, body=row.body.replace(":1}", ":9}")) for row in rows]


def edited_with_its_digest(rows: list[AuditRow]) -> list[AuditRow]:
    forged = body_of(event(9))
    return [rows[0], AuditRow(2, forged, link(rows[0].digest, 2, forged)), *rows[2:]]


def inserted(rows: list[AuditRow]) -> list[AuditRow]:
    return [*rows[:1], *chain((1, rows[0].digest), [body_of(event(9))]), *rows[1:]]


def inserted_and_renumbered(rows: list[AuditRow]) -> list[AuditRow]:
    moved = [replace(row, sequence=row.sequence + 1) for row in rows[1:]]
    return [*rows[:1], *chain((1, rows[0].digest), [body_of(event(9))]), *moved]


def grown(rows: list[AuditRow]) -> list[AuditRow]:
    return [*rows, *chain((4, rows[-1].digest), [body_of(event(9))])]


@pytest.mark.parametrize(
    ("change", "first"),
    [
        pytest.param(edited, 2, id="an-edited-row-is-found-there"),
        pytest.param(edited_with_its_digest, 3, id="an-edited-row-with-a-fresh-digest-is-found-at-the-next-row"),
        pytest.param(lambda rows: rows[1:], 1, id="a-missing-first-row-is-found"),
        pytest.param(lambda rows: [rows[0], *rows[2:]], 2, id="a-missing-row-is-found"),
        pytest.param(inserted, 3, id="an-added-row-is-found"),
        pytest.param(inserted_and_renumbered, 3, id="an-added-row-is-found-though-the-rest-was-renumbered"),
        pytest.param(lambda rows: [rows[0], rows[2], rows[1], rows[3]], 2, id="swapped-rows-are-found"),
        pytest.param(lambda rows: rows[:3], 4, id="a-missing-tail-is-found"),
        pytest.param(grown, 5, id="a-row-behind-the-head-is-found"),
        pytest.param(lambda rows: [], 1, id="a-missing-chain-is-found"),
    ],
)
def test_a_changed_chain_breaks(change: Callable[[list[AuditRow]], list[AuditRow]], first: int) -> None:
    rows = rows_of(4)
    found = verify(change(rows), head_of(rows), check)
    assert found is not None
    assert found.sequence == first


@given(st.integers(1, 6), st.data())
def test_no_single_row_can_change_unseen(count: int, data: st.DataObject) -> None:
    rows = rows_of(count)
    at = data.draw(st.integers(0, count - 1))
    row = rows[at]
    rows[at] = data.draw(
        st.one_of(
            st.text(max_size=20).map(lambda text: replace(row, body=text)),
            st.binary(min_size=32, max_size=32)
            .filter(lambda octets: octets != row.digest)
            .map(lambda o: replace(row, digest=o)),
            st.integers(1, 99).filter(lambda n: n != row.sequence).map(lambda n: replace(row, sequence=n)),
        )
    )
    found = verify(rows, head_of(rows_of(count)), check)
    assert found is not None
    assert found.sequence == at + 1


@pytest.mark.parametrize(
    ("head", "why"),
    [
        pytest.param(None, "no head", id="rows-without-a-head"),
        pytest.param(replace(head_of(rows_of(3)), signature=b"?"), "signature", id="a-head-with-a-wrong-signature"),
        pytest.param(replace(head_of(rows_of(3)), key_id="other"), "signature", id="a-head-under-an-unknown-key"),
        pytest.param(replace(head_of(rows_of(3)), digest=bytes(32)), "another last row", id="a-head-over-another-row"),
    ],
)
def test_a_wrong_head_breaks_the_chain(head: AuditHead | None, why: str) -> None:
    found = verify(rows_of(3), head, check)
    assert found is not None
    assert why in found.why


def test_a_rewritten_chain_with_a_new_valid_head_contradicts_the_earlier_head() -> None:
    kept = head_of(rows_of(2))
    rewritten = chain((0, GENESIS), [body_of(event(7)), body_of(event(8)), body_of(event(9))])
    assert verify(rewritten, head_of(rewritten), check) is None
    assert verify(rewritten, head_of(rewritten), check, anchor=kept) == Break(
        2, "the row is not the one that the earlier head vouched for"
    )


def test_a_shortened_chain_with_a_valid_head_contradicts_the_earlier_head() -> None:
    rows = rows_of(5)
    found = verify(rows[:3], head_of(rows[:3]), check, anchor=head_of(rows))
    assert found == Break(4, "the earlier head vouched for 5 rows, there are 3")
    assert verify([], None, check, anchor=head_of(rows)) == Break(1, "the earlier head vouched for 5 rows, there are 0")


def test_an_earlier_head_that_nobody_signed_is_worth_nothing() -> None:
    rows = rows_of(3)
    found = verify(rows, head_of(rows), check, anchor=replace(head_of(rows[:2]), signature=b"?"))
    assert found is not None
    assert found.sequence == 2
