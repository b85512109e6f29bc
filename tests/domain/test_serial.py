"""Serial numbers: one width, 126 bits of chance, and nothing of them in any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import der
from domain.serial import OCTETS, SerialNumber

LOW, HIGH = 1 << 126, (1 << 127) - 1

serials = st.builds(SerialNumber, st.integers(LOW, HIGH))


@given(st.binary(min_size=OCTETS, max_size=OCTETS))
def test_a_drawn_serial_keeps_126_bits_and_fixes_the_other_two(random: bytes) -> None:
    serial = SerialNumber.drawn_from(random)
    drawn = int.from_bytes(random)
    assert serial.value % LOW == drawn % LOW
    assert serial.value >> 126 == 1


def test_every_bit_that_is_left_to_chance_reaches_the_serial() -> None:
    seen = {SerialNumber.drawn_from((1 << bit).to_bytes(OCTETS)).value ^ LOW for bit in range(126)}
    assert seen == {1 << bit for bit in range(126)}


@given(serials)
def test_as_der_every_serial_has_sixteen_octets_and_no_sign(serial: SerialNumber) -> None:
    encoded = der.integer(serial.value)
    assert encoded == b"\x02\x10" + serial.octets
    assert serial.octets[0] < 0x80


@given(serials)
def test_octets_lead_back_to_the_serial(serial: SerialNumber) -> None:
    assert SerialNumber.of(serial.octets) == serial == SerialNumber.known(serial.value)


@given(serials, serials)
def test_octets_sort_as_the_numbers_do(first: SerialNumber, second: SerialNumber) -> None:
    assert (first < second) == (first.octets < second.octets) == (first.value < second.value)


@pytest.mark.parametrize("value", [-1, 0, 1, LOW - 1, HIGH + 1, 1 << 159], ids=str)
def test_what_was_never_issued_here_is_no_serial(value: int) -> None:
    assert SerialNumber.known(value) is None
    with pytest.raises(ValueError, match="out of range"):
        SerialNumber(value)


@pytest.mark.parametrize("size", [0, 15, 17, 20])
def test_octets_of_another_width_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        SerialNumber.of(b"\x55" * size)
    with pytest.raises(ValueError, match=f"want 16 random octets, got {size}"):
        SerialNumber.drawn_from(bytes(size))


@given(serials)
def test_no_text_shows_the_serial(serial: SerialNumber) -> None:
    assert {str(serial), repr(serial), f"{serial}", repr([serial])[1:-1]} == {"SerialNumber(…)"}
