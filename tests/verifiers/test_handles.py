"""Handles: one for each recipient and line, the same for as long as the key, and nothing to anybody else."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given
from hypothesis import strategies as st

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.handles import HandleKeyRecord, Line, Recipient
from verifiers.handles import FORM, LONGEST, HandleKey, HandleKeys, HandleRing, handle_of

AT = datetime(2027, 4, 1, tzinfo=UTC)
SECRETS = {1: b"1" * 32, 2: b"2" * 32}
BANK, SHOP = Recipient(3), Recipient(3, 6)
LINE = Line(7, Kind.SIGNATURE)

lines = st.builds(Line, st.integers(1, 2**63 - 1), st.sampled_from(Kind), whole=st.booleans())
recipients = st.builds(Recipient, st.integers(1, 2**63 - 1), st.integers(0, 2**63 - 1))


def make_keys(*used: int, retired: tuple[int, ...] = ()) -> HandleKeys:
    records = {
        number: HandleKeyRecord(
            number,
            HandleKey(secret).check,
            AT,
            AT if number in used else None,
            AT if number in retired else None,
        )
        for number, secret in SECRETS.items()
    }
    return HandleKeys(HandleRing(lambda: SECRETS), records)


def refused(keys: HandleKeys, handle: str, recipient: Recipient = BANK) -> Code | None:
    try:
        keys.read(handle, recipient)
    except Refusal as refusal:
        return refusal.code
    return None


@given(line=lines, recipient=recipients)
def test_the_authority_reads_back_what_it_made(line: Line, recipient: Recipient) -> None:
    keys = make_keys(1)
    handle = handle_of(keys, recipient, line)
    assert handle == handle_of(keys, recipient, line)
    assert re.fullmatch(FORM, handle)
    assert len(handle) <= LONGEST
    assert keys.read(handle, recipient) == line


@given(one=st.tuples(lines, recipients), other=st.tuples(lines, recipients))
def test_no_two_recipients_or_lines_share_a_handle(one: tuple[Line, Recipient], other: tuple[Line, Recipient]) -> None:
    keys = make_keys(1)
    first, second = (keys.make(line, recipient) for line, recipient in (one, other))
    assert (first == second) == (one == other)


def test_a_handle_means_nothing_to_another_recipient() -> None:
    keys = make_keys(1)
    handle = keys.make(LINE, BANK)
    assert refused(keys, handle) is None
    assert refused(keys, handle, SHOP) is Code.NOT_FOUND
    assert refused(keys, handle, Recipient(4)) is Code.NOT_FOUND
    assert refused(keys, handle, Recipient(6)) is Code.NOT_FOUND


@pytest.mark.parametrize(
    "handle",
    [
        pytest.param("", id="nothing"),
        pytest.param("1-", id="no-characters"),
        pytest.param("1-" + "a" * 40, id="characters-nobody-made"),
        pytest.param("1-" + "a" * 39, id="too-few-characters"),
        pytest.param("1-" + "A" * 40, id="capital-letters"),
        pytest.param("9-" + "a" * 40, id="a-generation-there-never-was"),
        pytest.param("0-" + "a" * 40, id="generation-nought"),
        pytest.param("1-" + "a" * 40 + "\n", id="a-line-break-behind"),
    ],
)
def test_what_is_no_handle_is_refused_in_the_words_for_anothers(handle: str) -> None:
    assert refused(make_keys(1), handle) is Code.NOT_FOUND


@given(line=lines, place=st.integers(2, 41), letter=st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_handle_with_one_other_letter_is_none(line: Line, place: int, letter: str) -> None:
    keys = make_keys(1)
    handle = keys.make(line, BANK)
    forged = handle[:place] + letter + handle[place + 1 :]
    assert refused(keys, forged) is (None if forged == handle else Code.NOT_FOUND)


def test_handles_are_made_with_the_newest_key_in_use_and_read_with_all_that_were() -> None:
    first = make_keys(1).make(LINE, BANK)
    both = make_keys(1, 2)
    assert both.current == 2
    second = both.make(LINE, BANK)
    assert first.startswith("1-")
    assert second.startswith("2-")
    assert both.read(first, BANK) == both.read(second, BANK) == LINE
    assert both.make(LINE, BANK, 1) == first


def test_a_key_that_waits_or_was_retired_reads_nothing() -> None:
    second = make_keys(1, 2).make(LINE, BANK)
    assert refused(make_keys(1), second) is Code.NOT_FOUND
    first = make_keys(1).make(LINE, BANK)
    assert refused(make_keys(1, 2, retired=(1,)), first) is Code.NOT_FOUND


def test_before_there_is_a_key_it_says_how_to_make_one() -> None:
    with pytest.raises(Refusal, match="jpki handles add-key") as refusal:
        make_keys().make(LINE, BANK)
    assert refusal.value.code is Code.BAD_CONFIGURATION


@pytest.mark.parametrize("there", [{}, {1: b"3" * 32}], ids=["no-key", "the-key-of-another-database"])
def test_a_key_that_is_not_that_of_the_record_makes_nothing(there: dict[int, bytes]) -> None:
    record = HandleKeyRecord(1, HandleKey(SECRETS[1]).check, AT, AT)
    keys = HandleKeys(HandleRing(lambda: there), {1: record})
    with pytest.raises(Refusal, match=r"secrets/handles\.key"):
        keys.make(LINE, BANK)


def test_a_key_that_arrives_later_is_found_without_a_restart() -> None:
    there: dict[int, bytes] = {}
    ring = HandleRing(lambda: there)
    keys = HandleKeys(ring, {1: HandleKeyRecord(1, HandleKey(SECRETS[1]).check, AT, AT)})
    with pytest.raises(Refusal):
        keys.make(LINE, BANK)
    there |= SECRETS
    assert keys.make(LINE, BANK) == make_keys(1).make(LINE, BANK)


def test_neither_lines_nor_keys_are_printed() -> None:
    assert "987654321" not in repr(Line(987654321, Kind.SIGNATURE))
    assert SECRETS[1].hex() not in repr(HandleKey(SECRETS[1]))


def test_the_cipher_gives_the_vector_of_rfc_5297() -> None:
    """Appendix A.1: deterministic authenticated encryption with associated data."""
    key = bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    header = bytes.fromhex("101112131415161718191a1b1c1d1e1f2021222324252627")
    sealed = AESSIV(key).encrypt(bytes.fromhex("112233445566778899aabbccddee"), [header])
    assert sealed.hex() == "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c"
