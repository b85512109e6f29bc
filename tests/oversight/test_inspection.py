"""The signature check that certificates and lists share."""

from __future__ import annotations

import pytest

from domain import der
from domain.certificates import Kind
from tests.support.authority import make_issuer
from tests.support.forgery import damaged
from tests.support.house import House
from tests.support.lists import SCOPE, SIGNERS, make_list

ISSUER, SIGNER = make_issuer(), SIGNERS[SCOPE.issuer]
LIST = make_list()
TBS = LIST[der.only(LIST, der.SEQUENCE)[0] :][: -len(SIGNER.algorithm) - 261]


def test_the_issuers_signature_is_known(house: House) -> None:
    assert house.inspection().signed_by(ISSUER, LIST, SIGNER.algorithm)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(damaged(LIST), id="a-bit-is-turned"),
        pytest.param(der.sequence(TBS), id="there-is-no-signature"),
        pytest.param(der.sequence(TBS, SIGNER.algorithm, der.bit_string(b"")), id="the-signature-is-empty"),
        pytest.param(der.sequence(TBS, SIGNER.algorithm, der.bit_string(bytes(256)), b"\x05\x00"), id="there-is-more"),
        pytest.param(LIST + b"\x00", id="something-trails"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_anything_else_is_not(house: House, octets: bytes) -> None:
    assert not house.inspection().signed_by(ISSUER, octets, SIGNER.algorithm)


def test_the_key_of_another_authority_and_another_algorithm_are_not(house: House) -> None:
    inspection = house.inspection()
    assert not inspection.signed_by(make_issuer(Kind.AUTHENTICATION), LIST, SIGNER.algorithm)
    assert not inspection.signed_by(ISSUER, LIST, SIGNERS[make_issuer(generation="g2").id].algorithm)
