"""Sealed resident codes: found by index, read only with the key and in their own row, in each generation of keys."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.code_keys import CodeKeys
from domain.errors import Code, Refusal
from domain.people import ResidentCode
from residents.sealing import Sealer, path_of
from tests.support.residents import resident_code
from tests.support.sealers import code_keys, counting, key_ring, make_sealer

INDEX_KEY = bytes(range(32))
SEAL_KEY = bytes(range(32, 64))
CODE = resident_code(2472705960)
SAID = b"what a request said"

codes = st.integers(0, 10**10 - 1).map(resident_code)


def sealer(index_key: bytes = INDEX_KEY, seal_key: bytes = SEAL_KEY) -> Sealer:
    return Sealer({1: CodeKeys(index_key, seal_key)}, os.urandom)


@given(codes)
def test_a_sealed_code_is_read_back_under_its_own_index(code: ResidentCode) -> None:
    box = sealer()
    assert box.unseal(*box.seal(code)) == code
    assert box.indexes(code) == (box.seal(code)[0],)


@given(codes, codes)
def test_equal_codes_have_equal_indexes_and_different_codes_different_ones(
    one: ResidentCode, other: ResidentCode
) -> None:
    assert (sealer().indexes(one) == sealer().indexes(other)) == (one == other)


def test_the_forms_have_their_sizes_and_hold_no_digit_string() -> None:
    box = sealer()
    index, sealed = box.seal(CODE)
    assert (len(index), len(box.digest(b"")), len(sealed)) == (32, 32, 40)
    assert CODE.digits.encode() not in sealed + index


def test_sealing_twice_gives_two_values() -> None:
    box = sealer()
    assert box.seal(CODE)[1] != box.seal(CODE)[1]


def test_the_nonce_comes_from_the_random_source() -> None:
    box = Sealer(key_ring(), counting())
    assert box.seal(CODE)[1][1:13] == (1).to_bytes(12)
    assert box.seal(CODE)[1][1:13] == (2).to_bytes(12)


def test_the_index_depends_on_its_key_alone() -> None:
    assert sealer().indexes(CODE) == sealer(seal_key=b"s" * 32).indexes(CODE)
    assert sealer().indexes(CODE) != sealer(index_key=b"i" * 32).indexes(CODE)


def test_values_of_the_first_generation_are_what_they_always_were() -> None:
    expected = hmac.digest(INDEX_KEY, b"jpki resident code index\x00" + CODE.digits.encode(), "sha256")
    assert sealer().indexes(CODE) == (expected,)
    assert sealer().digest(SAID) == hmac.digest(INDEX_KEY, b"jpki content digest\x00" + SAID, "sha256")


@given(codes)
def test_a_digest_of_the_digits_is_not_the_index(code: ResidentCode) -> None:
    assert sealer().digest(code.digits.encode()) not in sealer().indexes(code)


def test_a_value_does_not_open_in_another_residents_row() -> None:
    box, other = sealer(), resident_code(5)
    with pytest.raises(ValueError, match="not sealed under these keys for this index"):
        box.unseal(box.seal(other)[0], box.seal(CODE)[1])


def test_a_value_does_not_open_under_another_key() -> None:
    box = sealer()
    with pytest.raises(ValueError, match="not sealed under these keys for this index"):
        sealer(seal_key=b"s" * 32).unseal(*box.seal(CODE))


@given(st.integers(0, 40 * 8 - 1))
def test_no_bit_of_a_sealed_value_can_change(bit: int) -> None:
    box = sealer()
    index, sealed = box.seal(CODE)
    changed = (int.from_bytes(sealed) ^ (1 << bit)).to_bytes(40)
    with pytest.raises(ValueError, match="the value was"):
        box.unseal(index, changed)


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda octets: b"\x01" + octets))
def test_other_octets_do_not_open(octets: bytes) -> None:
    box = sealer()
    with pytest.raises(ValueError, match="the value was"):
        box.unseal(box.seal(CODE)[0], octets)


@given(st.binary(max_size=300), st.binary(max_size=20))
def test_content_opens_under_its_name_and_no_other(octets: bytes, name: bytes) -> None:
    box = sealer()
    concealed = box.conceal(octets, name)
    assert len(concealed) == len(octets) + 29
    assert box.reveal(name, concealed) == octets
    for wrong_name, wrong in ((name + b"x", concealed), (name, concealed[:-1]), (name, b"\x02" + concealed[1:])):
        with pytest.raises(ValueError, match="the content was"):
            box.reveal(wrong_name, wrong)


def test_concealed_content_is_no_sealed_code() -> None:
    box = sealer()
    (index,) = box.indexes(CODE)
    with pytest.raises(ValueError, match="not sealed under these keys"):
        box.unseal(index, box.conceal(CODE.digits.encode(), index))


@pytest.mark.parametrize(
    ("index_key", "seal_key", "problem"),
    [
        pytest.param(b"i" * 31, SEAL_KEY, "32 octets", id="the index key is short"),
        pytest.param(INDEX_KEY, b"s" * 16, "32 octets", id="the seal key is short"),
        pytest.param(INDEX_KEY, b"", "32 octets", id="the seal key is empty"),
        pytest.param(INDEX_KEY, INDEX_KEY, "must differ", id="both keys are one"),
    ],
)
def test_wrong_keys_are_refused(index_key: bytes, seal_key: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        sealer(index_key, seal_key)


def test_there_is_no_sealer_without_keys() -> None:
    with pytest.raises(ValueError, match="no generation"):
        Sealer({}, os.urandom)


def test_the_repr_tells_nothing() -> None:
    assert repr(sealer()) == str(sealer()) == "Sealer(…)"
    assert "\\x01" not in repr(code_keys())


def test_one_generation_is_written_with_and_all_in_use_are_read() -> None:
    old, both, new = make_sealer(1), make_sealer(1, 2), make_sealer(2)
    both.attend((2, 1))
    assert both.indexes(CODE) == (*new.indexes(CODE), *old.indexes(CODE))
    assert both.unseal(*old.seal(CODE)) == both.unseal(*new.seal(CODE)) == CODE
    assert new.unseal(*both.seal(CODE)) == CODE
    assert both.reveal(b"n", old.conceal(SAID, b"n")) == new.reveal(b"n", both.conceal(SAID, b"n")) == SAID
    both.attend((1,))
    assert both.indexes(CODE) == old.indexes(CODE)
    assert old.unseal(*both.seal(CODE)) == CODE


def test_values_of_a_generation_that_is_not_at_hand_do_not_open() -> None:
    old, new = make_sealer(1), make_sealer(2)
    with pytest.raises(ValueError, match="not at hand"):
        old.unseal(*new.seal(CODE))
    with pytest.raises(ValueError, match="not at hand"):
        old.reveal(b"n", new.conceal(SAID, b"n"))


def test_keys_that_come_into_use_are_read_when_they_are_heard_of() -> None:
    ring = dict(key_ring(1))
    box = Sealer(ring, counting(), reread=lambda: ring)
    assert not box.attend((1,))
    ring |= key_ring(2)
    assert box.attend((2, 1)), "there was news"
    assert not box.attend((2, 1))
    assert (box.generations, len(box.indexes(CODE))) == ((1, 2), 2)
    assert not box.require((2, 1))


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda box: box.indexes(CODE), id="look for a code"),
        pytest.param(lambda box: box.seal(CODE), id="seal a code"),
        pytest.param(lambda box: box.conceal(b"", b""), id="conceal content"),
        pytest.param(lambda box: box.digest(b""), id="make a digest"),
        pytest.param(lambda box: box.require((2, 1)), id="promise to have it"),
        pytest.param(lambda box: box.check(2), id="tell it from others"),
    ],
)
def test_without_a_generation_that_is_in_use_nothing_is_done(act: Callable[[Sealer], object]) -> None:
    box = make_sealer(1)
    assert box.attend((2, 1))
    with pytest.raises(Refusal, match="generation 2 of the keys") as refused:
        act(box)
    assert refused.value.code is Code.BAD_CONFIGURATION


def test_a_digest_is_compared_in_every_generation() -> None:
    old, both, new = make_sealer(1), make_sealer(1, 2), make_sealer(2)
    both.attend((2, 1))
    for digest in (old.digest(SAID), new.digest(SAID), both.moved_digest(old.digest(SAID))):
        assert both.says(SAID, digest)
        assert not both.says(b"something else", digest)
    assert list(both.digests(SAID)) == [new.digest(SAID), old.digest(SAID)]


def test_a_moved_digest_cannot_be_tried_with_the_old_keys_alone() -> None:
    old, both = make_sealer(1), make_sealer(1, 2)
    both.attend((2, 1))
    moved = both.moved_digest(old.digest(SAID))
    assert (path_of(old.digest(SAID)), path_of(both.digest(SAID)), path_of(moved)) == ((1,), (2,), (2, 1))
    assert both.moved_digest(moved) == moved, "once is enough"
    assert old.digest(SAID) not in moved
    with pytest.raises(Refusal, match="generation 2"):
        old.says(SAID, moved)


def test_digests_of_retired_generations_are_compared_with_the_keys_that_were_kept() -> None:
    first, second = make_sealer(1), make_sealer(1, 2)
    second.attend((2, 1))
    said = [first.digest(SAID), second.moved_digest(first.digest(SAID)), second.digest(SAID)]
    kept = {1: second.keep(1)}
    third = Sealer(key_ring(2, 3), counting(), kept=lambda: kept)
    third.attend((3, 2))
    kept = {generation: third.keep(generation) for generation in (1, 2)}
    said += [third.moved_digest(digest) for digest in said]
    last = Sealer(key_ring(3), counting(), kept=lambda: kept)
    assert [last.says(SAID, digest) for digest in said] == [True] * 6
    assert not any(last.says(b"something else", digest) for digest in said)
    assert list(last.digests(SAID)) == [last.digest(SAID), second.digest(SAID), first.digest(SAID)]


def test_a_kept_key_opens_for_its_own_generation_alone() -> None:
    box = make_sealer(1, 2)
    box.attend((2, 1))
    swapped = Sealer(key_ring(2), counting(), kept=lambda: {1: box.keep(2)})
    with pytest.raises(ValueError, match="not sealed"):
        swapped.says(SAID, make_sealer(1).digest(SAID))


def test_keys_are_told_from_others_by_both_halves() -> None:
    checks = {
        sealer().check(1),
        sealer(index_key=b"i" * 32).check(1),
        sealer(seal_key=b"s" * 32).check(1),
    }
    assert len(checks) == 3
    assert sealer().check(1) == sealer().check(1)
