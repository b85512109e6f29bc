"""Sealed resident codes: found by index, read only with the key and in their own row."""

from __future__ import annotations

import os
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.people import ResidentCode
from residents.sealing import Sealer
from tests.support.residents import resident_code

INDEX_KEY = bytes(range(32))
SEAL_KEY = bytes(range(32, 64))
CODE = resident_code(2472705960)

codes = st.integers(0, 10**10 - 1).map(resident_code)


def sealer(index_key: bytes = INDEX_KEY, seal_key: bytes = SEAL_KEY) -> Sealer:
    return Sealer(index_key, seal_key, os.urandom)


@given(codes)
def test_a_sealed_code_is_read_back_under_its_own_index(code: ResidentCode) -> None:
    box = sealer()
    assert box.unseal(box.index(code), box.seal(code)) == code


@given(codes, codes)
def test_equal_codes_have_equal_indexes_and_different_codes_different_ones(
    one: ResidentCode, other: ResidentCode
) -> None:
    assert (sealer().index(one) == sealer().index(other)) == (one == other)


def test_the_forms_have_their_sizes_and_hold_no_digit_string() -> None:
    box = sealer()
    assert (len(box.index(CODE)), len(box.digest(b"")), len(box.seal(CODE))) == (32, 32, 40)
    assert CODE.digits.encode() not in box.seal(CODE) + box.index(CODE)


def test_sealing_twice_gives_two_values() -> None:
    box = sealer()
    assert box.seal(CODE) != box.seal(CODE)


def test_the_nonce_comes_from_the_random_source() -> None:
    numbers = count(1)
    box = Sealer(INDEX_KEY, SEAL_KEY, lambda size: next(numbers).to_bytes(size))
    assert box.seal(CODE)[1:13] == (1).to_bytes(12)
    assert box.seal(CODE)[1:13] == (2).to_bytes(12)


def test_the_index_depends_on_its_key_alone() -> None:
    assert sealer().index(CODE) == sealer(seal_key=b"s" * 32).index(CODE)
    assert sealer().index(CODE) != sealer(index_key=b"i" * 32).index(CODE)


@given(codes)
def test_a_digest_of_the_digits_is_not_the_index(code: ResidentCode) -> None:
    assert sealer().digest(code.digits.encode()) != sealer().index(code)


def test_a_value_does_not_open_in_another_residents_row() -> None:
    box, other = sealer(), resident_code(5)
    with pytest.raises(ValueError, match="not sealed under this key for this index"):
        box.unseal(box.index(other), box.seal(CODE))


def test_a_value_does_not_open_under_another_key() -> None:
    box = sealer()
    with pytest.raises(ValueError, match="not sealed under this key for this index"):
        sealer(seal_key=b"s" * 32).unseal(box.index(CODE), box.seal(CODE))


@given(st.integers(0, 40 * 8 - 1))
def test_no_bit_of_a_sealed_value_can_change(bit: int) -> None:
    box = sealer()
    changed = (int.from_bytes(box.seal(CODE)) ^ (1 << bit)).to_bytes(40)
    with pytest.raises(ValueError, match="the value was"):
        box.unseal(box.index(CODE), changed)


@given(st.binary(max_size=60) | st.binary(max_size=60).map(lambda octets: b"\x01" + octets))
def test_other_octets_do_not_open(octets: bytes) -> None:
    box = sealer()
    with pytest.raises(ValueError, match="the value was"):
        box.unseal(box.index(CODE), octets)


@given(st.binary(max_size=300), st.binary(max_size=20))
def test_content_opens_under_its_name_and_no_other(octets: bytes, name: bytes) -> None:
    box = sealer()
    concealed = box.conceal(octets, name)
    assert len(concealed) == len(octets) + 29
    assert box.reveal(name, concealed) == octets
    for wrong_name, wrong in ((name + b"x", concealed), (name, concealed[:-1]), (name, b"\x02" + concealed[1:])):
        with pytest.raises(ValueError, match=r"was not concealed|was concealed under another key"):
            box.reveal(wrong_name, wrong)


def test_concealed_content_is_no_sealed_code() -> None:
    box = sealer()
    with pytest.raises(ValueError, match="not sealed under this key"):
        box.unseal(box.index(CODE), box.conceal(CODE.digits.encode(), box.index(CODE)))


def test_a_value_of_a_later_key_is_named_as_such() -> None:
    box = sealer()
    with pytest.raises(ValueError, match="another key"):
        box.unseal(box.index(CODE), b"\x02" + box.seal(CODE)[1:])


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


def test_the_repr_tells_nothing() -> None:
    assert repr(sealer()) == str(sealer()) == "Sealer(…)"
