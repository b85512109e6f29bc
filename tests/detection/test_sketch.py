"""Sketches: counts are exact, samples are the same people at every verifier, and nothing of a serial is in them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from detection.hearing import month_key
from detection.sketch import KEPT, Sketch, digest_of
from tests.support.people import serial_of
from tests.support.stores import NOW

KEY = month_key(b"master", NOW.date())


def sketch_of(names: list[str], purpose: str = "log-in") -> Sketch:
    sketch = Sketch()
    for name in names:
        sketch.add(digest_of(KEY, "signature-g1", serial_of(name).octets), purpose, True, True, 9)
    return sketch


def test_what_is_asked_is_counted() -> None:
    sketch = Sketch()
    sketch.add(1, "log-in", True, True, 9)
    sketch.add(1, "tax", False, False, 17, 3)
    assert (sketch.requests, sketch.bare, sketch.dead, sketch.distinct) == (4, 3, 3, 1)
    assert sketch.sample == {1: (4, 0b11)}
    assert (sketch.hours[9], sketch.hours[17]) == (1, 3)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 9)), max_size=60))
def test_a_sketch_is_what_it_was_when_it_comes_back(asked: list[tuple[int, int]]) -> None:
    sketch = Sketch()
    for digest, purpose in asked:
        sketch.add(digest, f"purpose {purpose}", digest % 2 == 0, digest % 3 == 0, digest % 24)
    sketch.ahead = sketch_of(["somebody"]) if len(asked) % 2 else None
    assert Sketch.read(sketch.write()) == sketch


def test_a_large_day_is_estimated_and_its_sample_is_shared_with_others() -> None:
    one = sketch_of([f"person {number}" for number in range(6000)])
    other = sketch_of([f"person {number}" for number in range(3000, 9000)])
    for sketch in (one, other):
        assert abs(sketch.distinct - 6000) < 600
        assert len(sketch.sample) == KEPT
    level = min(one.below, other.below)
    mine = {digest for digest in one.sample if digest <= level}
    assert abs(len(mine & other.sample.keys()) / len(mine) - 0.5) < 0.08


def test_counts_of_who_is_in_the_sample_are_exact_however_late_it_is_full() -> None:
    sketch = sketch_of([f"person {number}" for number in range(5000)] * 2)
    assert sketch.distinct > 4000
    assert {count for count, _ in sketch.sample.values()} == {2}


def test_a_sketch_holds_no_serial_and_months_have_nothing_in_common() -> None:
    octets = sketch_of(["somebody"]).write()
    serial = serial_of("somebody").octets
    assert serial not in octets
    assert serial[:8] not in octets
    other = month_key(b"master", NOW.date().replace(month=5))
    assert digest_of(other, "signature-g1", serial) != digest_of(KEY, "signature-g1", serial)


def test_a_day_that_was_written_by_the_version_before_is_read() -> None:
    sketch = sketch_of(["somebody", "somebody else"])
    octets = sketch.write()
    head = octets[4 : 4 + int.from_bytes(octets[:4])]
    older = head.replace(b',"entries":2', b"")
    assert older != head
    assert Sketch.read(len(older).to_bytes(4) + older + octets[4 + len(head) :]) == sketch
