"""What may well be chance, and what may not."""

from __future__ import annotations

import pytest

from domain.chance import by_chance


@pytest.mark.parametrize(
    ("count", "expected", "chance"),
    [
        pytest.param(0, 0.0, True, id="nothing"),
        pytest.param(1, 0.0, False, id="one-that-nothing-explains"),
        pytest.param(1, 0.0009, False, id="one-in-a-thousand"),
        pytest.param(1, 0.5, True, id="one-of-half-a-one"),
        pytest.param(12, 5.0, True, id="more-than-expected"),
        pytest.param(20, 5.0, False, id="far-more-than-expected"),
        pytest.param(2050, 2000.0, True, id="as-many-as-expected-of-very-many"),
        pytest.param(4000, 2000.0, False, id="twice-as-many-as-expected-of-very-many"),
    ],
)
def test_what_chance_explains(count: int, expected: float, chance: bool) -> None:
    assert by_chance(count, expected) == chance


def test_how_rarely_is_for_the_caller_to_say() -> None:
    assert by_chance(1, 0.0009, rarely=1e-4)
    assert not by_chance(1, 0.00009, rarely=1e-4)
