"""A search finds serials however they are written, and nothing else."""

from __future__ import annotations

from bisect import bisect_left
from random import Random

import pytest

from scan.container import ScanFilter
from scan.search import Search, Trace
from tests.support.operator_files import HELD_OUT, KNOWN, LINES, Write, each, serials_of, text_of
from tests.support.scans import KEY, make_scan_filter

SERIALS = serials_of(1, 400)
STRANGERS = serials_of(2, 100)


@pytest.fixture(scope="module")
def made() -> ScanFilter:
    return make_scan_filter(SERIALS)


@pytest.fixture(scope="module")
def search(made: ScanFilter) -> Search:
    return Search(made, KEY)


@pytest.mark.parametrize("write", [pytest.param(write, id=name) for name, write in {**KNOWN, **HELD_OUT}.items()])
def test_serials_are_found_in_every_way_of_writing(search: Search, write: Write) -> None:
    chance = Random(3)
    octets, begins, ends = b"", [], []
    for serial in each(SERIALS):
        octets += chance.choice(LINES)(chance) + b'"id": '
        begins.append(len(octets))
        octets += write(serial, chance)
        ends.append(len(octets))
        octets += b";\n"
    hits = search.look(octets).hits
    places = sorted(place for each in hits for place in each.at.tolist())
    whole = [place for each in hits if each.trace is Trace.WHOLE for place in each.at.tolist()]
    found = sum(bisect_left(places, end) > bisect_left(places, begin) for begin, end in zip(begins, ends, strict=True))
    assert found >= 0.99 * len(begins)
    assert all(bisect_left(ends, place) == bisect_left(begins, place + 1) - 1 for place in whole)


@pytest.mark.parametrize("write", [pytest.param(write, id=name) for name, write in {**KNOWN, **HELD_OUT}.items()])
def test_serials_of_others_are_no_find(search: Search, write: Write) -> None:
    chance = Random(4)
    octets = b"".join(b"id=" + write(serial, chance) + b"\n" for serial in each(STRANGERS))
    assert search.look(octets).hits == []


def test_nothing_is_found_in_ordinary_files(search: Search) -> None:
    found = search.look(b"".join(text_of(5, 1_000_000)))
    assert found.hits == []
    assert found.tried[Trace.FIRST] > 100_000


def test_random_octets_are_looked_at_one_by_one_and_are_nothing(search: Search) -> None:
    noise = Random(6).randbytes(400_000)
    found = search.look(noise)
    assert found.hits == []
    assert found.tried[Trace.FIRST] > len(noise) // 3


@pytest.mark.parametrize("place", range(0, 60, 7))
def test_where_a_serial_stands_is_told(search: Search, place: int) -> None:
    octets = b"." * place + each(SERIALS)[0].hex().encode() + b".."
    (hits,) = search.look(octets).hits
    assert (hits.trace, hits.form, hits.at.tolist()) == (Trace.WHOLE, "hex", [place])


def test_octets_in_der_are_told_apart(search: Search) -> None:
    (hits,) = search.look(b"\x30\x12\x02\x10" + each(SERIALS)[7]).hits
    assert hits.form == "DER integer"


def test_one_serial_in_several_forms_has_one_identity(search: Search) -> None:
    serial = each(SERIALS)[9]
    octets = serial.hex().encode() + b" " + str(int.from_bytes(serial)).encode()
    first, second = search.look(octets).hits
    assert (first.form, second.form) == ("hex", "decimal")
    assert first.who.tolist() == second.who.tolist()
    other = search.look(each(SERIALS)[10].hex().encode()).hits[0]
    assert other.who.tolist() != first.who.tolist()


_SCRAPS = [b"", b"4", b"\xff", b"\\", b"%", b"&#", b"\xef\xbc", b"=4", b"\\u00", b"0x", b"A" * 23]


@pytest.mark.parametrize("octets", _SCRAPS)
def test_scraps_are_nothing(search: Search, octets: bytes) -> None:
    assert search.look(octets).hits == []
