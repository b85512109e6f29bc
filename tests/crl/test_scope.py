"""Scopes on the wire: the same octets in certificates and in the lists they point to."""

from __future__ import annotations

import pytest

from crl.scope import distribution_point, issuing_distribution_point
from domain import der
from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.lists import Scope
from tests.support.authority import KIYOSE, LOCATIONS, NAMES, authority_plan, leaf_plan
from tests.support.lists import AUTHORITY_SCOPE, SCOPE, make_list

SUBJECT = NAMES[Kind.SIGNATURE].subject


@pytest.mark.parametrize(
    ("scope", "point"),
    [
        pytest.param(SCOPE, leaf_plan().distribution_point, id="a-holder-and-the-municipalitys-list"),
        pytest.param(AUTHORITY_SCOPE, authority_plan().distribution_point, id="an-authority-and-its-own-list"),
    ],
)
def test_certificates_and_their_list_share_the_distribution_point(scope: Scope, point: bytes) -> None:
    assert distribution_point(scope, SUBJECT, {KIYOSE.code: KIYOSE}, LOCATIONS) == point
    assert point in make_list(scope=scope)


def test_a_municipality_that_is_not_in_the_table_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        distribution_point(SCOPE, SUBJECT, {}, LOCATIONS)
    assert caught.value.code is Code.BAD_CONFIGURATION
    assert KIYOSE.code.value in caught.value.detail


@pytest.mark.parametrize(
    ("scope", "flag"), [(SCOPE, b"\x81\x01\xff"), (AUTHORITY_SCOPE, b"\x82\x01\xff")], ids=["users", "authorities"]
)
def test_one_flag_says_what_a_list_is_about(scope: Scope, flag: bytes) -> None:
    assert issuing_distribution_point(scope, b"\xa0\x00") == der.sequence(b"\xa0\x00", flag)
