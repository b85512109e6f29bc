"""Guessing finds what can be guessed: hashes without key, keys that lie around, orders that tell."""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import b64encode

import pytest

from residents.guessing import (
    HASHES,
    Guess,
    guess_keys,
    guess_salts,
    order_by_chance,
    order_told,
    shape_of,
    tokens,
    unkeyed,
)
from residents.sealing import INDEX_LABEL
from tests.support.residents import resident_code
from tests.support.sealers import code_keys, make_sealer

CODES = [resident_code(number).digits for number in (7, 2472705960, 9999999999)]


def test_hashes_that_anybody_can_make() -> None:
    made = dict(unkeyed(CODES[1]))
    assert len(made) == len(HASHES) * 7
    assert made["sha256 of digits"] == hashlib.sha256(CODES[1].encode()).digest()[:16]
    assert made["md5 of integer of 8 octets"] == hashlib.md5(int(CODES[1]).to_bytes(8)).digest()


def test_hashes_and_keys_are_seen_in_octets_hex_and_base64() -> None:
    digest = hashlib.sha256(b"x").digest()
    for octets in (digest, b'{"a":"%s"}' % digest.hex().encode(), b'"%s"' % b64encode(digest)):
        assert digest in [token[:32] for token in tokens(octets)]
    assert list(tokens(b"short")) == []


def test_our_index_is_not_found_by_weak_keys_and_is_by_its_own() -> None:
    sealer = make_sealer(1)
    indexes = frozenset(sealer.seal(resident_code(number))[0] for number in (7, 8))
    blind = guess_keys(CODES, indexes, [os.urandom(32)])
    assert (blind.right, blind.tried) == (0, 3 * 21)
    assert guess_keys(CODES, indexes, [code_keys(1).index]).right == 1


@pytest.mark.parametrize("key", [b"", b"password", bytes(32)], ids=["none", "a-word", "zeros"])
def test_a_weak_key_is_found(key: bytes) -> None:
    index = hmac.digest(key, INDEX_LABEL + CODES[0].encode(), "sha256")
    assert guess_keys(CODES, frozenset({index}), ()).right >= 1


def test_a_row_number_is_no_salt() -> None:
    index = hashlib.sha256(f"3:{CODES[0]}".encode()).digest()
    assert guess_salts(CODES, frozenset({index}), 5) == Guess("sha256 salted with the number of the row", 45, 1)
    assert guess_salts(CODES, frozenset({index}), 2).right == 0


def test_chance_has_the_shape_of_chance() -> None:
    shape = shape_of([os.urandom(32) for _ in range(2000)])
    assert (shape.count, shape.different, shape.lengths) == (2000, 2000, (32,))
    assert shape.faults("values") == []


def test_what_is_no_chance_is_told() -> None:
    values = [hashlib.sha256(b"%d" % (number % 900)).digest() for number in range(1000)]
    assert shape_of(values).faults("values")[0] == "100 of values stand more than once"
    lengths = [CODES[0].encode() + bytes(number % 3) for number in range(1000)]
    told = " ".join(shape_of(lengths).faults("values"))
    for part in ("stand more than once", "different lengths", "uneven", "can be packed"):
        assert part in told
    assert shape_of([]).faults("values") == []


def test_sealed_values_have_the_shape_of_chance_behind_their_generation() -> None:
    sealer = make_sealer(1)
    sealer._random = os.urandom
    shape = shape_of([sealer.seal(resident_code(number))[1] for number in range(2000)], skip=1)
    assert shape.faults("values") == []


def test_the_order_of_rows_may_tell_the_order_of_codes() -> None:
    ordered = [resident_code(number * 10**6).digits for number in range(500)]
    assert order_told(ordered) == order_told(ordered[::-1]) == 1.0
    mixed = sorted(ordered, key=lambda code: hashlib.sha256(code.encode()).digest())
    assert order_told(mixed) < order_by_chance(500) < 0.2
    assert order_told(ordered[:1]) == 0.0
