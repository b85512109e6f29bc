from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import oids
from domain.certificates import IssuerId
from domain.people import MunicipalityCode
from policies.characters import Substituted
from policies.subject import (
    FourItems,
    certificate_identifier,
    four_items,
    holder_subject,
    responder_subject,
)
from tests.support.people import KIYOSE, PERSON
from tests.support.variants import make_substitution


def test_a_signing_certificate_says_where_and_not_who() -> None:
    assert holder_subject("signature-holder", KIYOSE, "1321") == (
        (oids.COUNTRY, "JP"),
        (oids.LOCALITY, "Tokyo-to"),
        (oids.LOCALITY, "Kiyose-shi"),
        (oids.COMMON_NAME, "1321"),
    )


def test_an_authentication_certificate_says_neither() -> None:
    assert holder_subject("authentication-holder", KIYOSE, "1321") == ((oids.COUNTRY, "JP"), (oids.COMMON_NAME, "1321"))


@pytest.mark.parametrize("scheme", ["authority", "ocsp-responder", "nobody"])
def test_no_holder_is_named_by_the_scheme_of_an_authority(scheme: str) -> None:
    with pytest.raises(ValueError, match=scheme):
        holder_subject(scheme, KIYOSE, "1321")


def test_a_responder_belongs_to_its_authority_and_names_its_generation() -> None:
    authority = (
        (oids.COUNTRY, "JP"),
        (oids.ORGANIZATION, "JPKI-DEMO"),
        (oids.ORGANIZATIONAL_UNIT, "JPKI for digital signature"),
        (oids.ORGANIZATIONAL_UNIT, "JPKI Demonstration Organization"),
    )
    assert responder_subject(authority, IssuerId("signature-g1")) == (
        *authority[:3],
        (oids.COMMON_NAME, "OCSP responder of signature-g1"),
    )


def test_an_identifier_has_the_form_of_the_test_card() -> None:
    assert certificate_identifier(bytes(range(12)), KIYOSE.code) == "000G40O40K30E2132210918"
    assert len(certificate_identifier(bytes(12), KIYOSE.code)) == len("997794E9AGCIEG13221003A")


@given(st.binary(min_size=12, max_size=12), st.binary(min_size=12, max_size=12))
def test_identifiers_differ_as_their_random_octets_do(one: bytes, other: bytes) -> None:
    first, second = (certificate_identifier(random, KIYOSE.code) for random in (one, other))
    assert (first == second) == (int.from_bytes(one) >> 6 == int.from_bytes(other) >> 6)
    assert first[14:19] == "13221"
    assert first.isascii()
    assert first.isalnum()


def test_an_identifier_takes_exactly_twelve_random_octets() -> None:
    with pytest.raises(ValueError, match="12"):
        certificate_identifier(bytes(11), MunicipalityCode("132217"))


def test_the_four_items_of_a_person() -> None:
    address = "東京都清瀬市霞野２－１４－３０５"
    items = four_items(PERSON, Substituted("霧島　透子", (make_substitution(position=3),)), Substituted(address, ()))
    assert items == FourItems("霧島　透子", "00010", "2", "319800217", address, "0" * len(address))
    assert "霧島" not in repr(items)
