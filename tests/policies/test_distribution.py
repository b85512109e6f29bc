"""Distribution points: what certificates and lists share."""

from __future__ import annotations

import pytest
from asn1crypto import x509 as asn1_x509

from domain import der, oids
from domain.certificates import IssuerId
from domain.names import encode_name
from domain.people import Municipality, MunicipalityCode
from policies.distribution import Locations, authority_point, municipal_point

AUTHORITY = (
    (oids.COUNTRY, "JP"),
    (oids.ORGANIZATION, "JPKI-DEMO"),
    (oids.ORGANIZATIONAL_UNIT, "JPKI for digital signature"),
    (oids.ORGANIZATIONAL_UNIT, "JPKI Demonstration Organization"),
)
KIYOSE = Municipality(MunicipalityCode("132217"), "東京都", "清瀬市", "Tokyo-to", "Kiyose-shi")
G1, G2 = IssuerId("signature-g1"), IssuerId("signature-g2")


def names_in(point: bytes) -> list[tuple[str, object]]:
    """The general names of a DistributionPointName as asn1crypto reads them."""
    found = asn1_x509.DistributionPoint.load(der.sequence(point), strict=True)["distribution_point"]
    assert found.name == "full_name"
    return [(name.name, name.native) for name in found.chosen]


def test_a_municipality_is_named_by_directory_entry_and_then_by_url() -> None:
    directory, url = names_in(municipal_point(AUTHORITY, KIYOSE, G1, Locations(crl="http://pki.example/crl")))
    assert directory == (
        "directory_name",
        {
            "country_name": "JP",
            "organization_name": "JPKI-DEMO",
            "organizational_unit_name": ["JPKI for digital signature", "CRL Distribution Points", "Tokyo-to"],
            "common_name": "Kiyose-shi CRLDP",
        },
    )
    assert url == ("uniform_resource_identifier", "http://pki.example/crl/signature-g1/13221.crl")


def test_without_locations_there_is_only_the_directory_entry_as_in_the_real_service() -> None:
    assert [kind for kind, _ in names_in(municipal_point(AUTHORITY, KIYOSE, G1, Locations()))] == ["directory_name"]


def test_the_authority_is_named_by_its_own_name_octet_for_octet() -> None:
    point = authority_point(AUTHORITY, G1, Locations(crl="http://pki.example/crl/"))
    assert encode_name(AUTHORITY) in point
    assert names_in(point)[1] == ("uniform_resource_identifier", "http://pki.example/crl/signature-g1/ca.crl")


@pytest.mark.parametrize("locations", [Locations(), Locations(crl="http://pki.example/crl")], ids=["bare", "with-urls"])
def test_only_urls_tell_the_generations_of_an_authority_apart(locations: Locations) -> None:
    same = municipal_point(AUTHORITY, KIYOSE, G1, locations) == municipal_point(AUTHORITY, KIYOSE, G2, locations)
    assert same is (locations.crl is None)
