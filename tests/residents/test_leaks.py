"""A search for known codes finds each, however it is written, and tells chance from a leak."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from residents.leaks import ENCODINGS, Search, chunks, controls, written
from tests.support.residents import resident_code

CODE = resident_code(9293929727).digits
codes = st.integers(1, 10**10 - 1).map(lambda number: resident_code(number).digits)


@given(codes)
def test_every_way_of_writing_is_found(code: str) -> None:
    assert controls(code) == dict.fromkeys(ENCODINGS, True)


@given(codes, st.binary(max_size=40), st.binary(max_size=40), st.sampled_from(sorted(ENCODINGS)))
def test_a_code_is_found_whatever_stands_around_it(code: str, before: bytes, after: bytes, encoding: str) -> None:
    search = Search({code})
    search.look(before + b"\xfe\xff" + written(code)[encoding] + b"\xfe\xff" + after, "here")
    assert search.found[encoding, "here"] >= 1


def test_digits_within_more_digits_and_in_reverse_are_found() -> None:
    search = Search({CODE})
    search.look(b"123" + CODE.encode() + b"456 " + CODE[::-1].encode(), "here")
    assert search.found["decimal digits", "here"] == 2


def test_a_number_is_found() -> None:
    search = Search({CODE, "00000000019"})
    for number in (int(CODE), 19, -19, 10**12, 20):
        search.look_at_number(number, "here")
    assert (search.found["number", "here"], search.tried["number"]) == (2, 3)


def test_other_codes_are_no_find() -> None:
    search = Search({resident_code(5).digits})
    for octets in written(CODE).values():
        search.look(octets, "here")
    assert not search.found
    assert search.suspicious() == []


def test_nothing_is_missed_between_two_pieces() -> None:
    octets = bytes(1000) + b"\xff" * 24 + CODE.encode() + b"\xff" * 24 + bytes(1000)
    for size in (7, 30, 1000, 1024, 1030):
        search = Search({CODE})
        for piece in chunks(octets[start : start + size] for start in range(0, len(octets), size)):
            search.look(piece, "file")
        assert search.found["decimal digits", "file"] >= 1, size


def test_chance_is_no_leak() -> None:
    known = {resident_code(number).digits for number in range(0, 10**10, 10**6)}
    search = Search(known)
    # The same noise every time: true chance is suspicious once in some thousand runs, which by_chance promises.
    search.look(random.Random(2027).randbytes(1_000_000), "noise")
    assert search.suspicious() == []
    assert 0 < search.expected("packed, two digits an octet") < 0.1
    search.look(next(iter(known)).encode(), "leak")
    assert [(encoding, place) for encoding, place, _ in search.suspicious()] == [("decimal digits", "leak")]


def test_unused_pages_take_no_time_and_hide_nothing() -> None:
    search = Search({CODE})
    search.look(bytes(5_000_000) + int(CODE).to_bytes(8) + bytes(5_000_000), "file")
    assert search.found["integer, high octet first", "file"] == 1
