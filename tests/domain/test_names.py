"""Names: the octets of cryptography and asn1crypto, and one distribution point name for certificates and lists."""

from __future__ import annotations

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from domain import der, oids
from domain.names import (
    SHORT_NAMES,
    Name,
    directory_name,
    distribution_point_name,
    encode_name,
    municipal_directory,
    uri,
)

AUTHORITY: Name = (
    (oids.COUNTRY, "JP"),
    (oids.ORGANIZATION, "JPKI-DEMO"),
    (oids.ORGANIZATIONAL_UNIT, "JPKI for digital signature"),
    (oids.ORGANIZATIONAL_UNIT, "JPKI Demonstration Organization"),
)
PYCA = {
    oids.LOCALITY: NameOID.LOCALITY_NAME,
    oids.ORGANIZATION: NameOID.ORGANIZATION_NAME,
    oids.ORGANIZATIONAL_UNIT: NameOID.ORGANIZATIONAL_UNIT_NAME,
    oids.COMMON_NAME: NameOID.COMMON_NAME,
}
names = st.lists(
    st.tuples(st.sampled_from(sorted(PYCA)), st.text(st.characters(codec="utf-8"), min_size=1, max_size=16)), max_size=5
).map(lambda rest: ((oids.COUNTRY, "JP"), *rest))


@given(names)
def test_names_are_the_octets_of_cryptography(name: Name) -> None:
    other = x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, "JP")] + [x509.NameAttribute(PYCA[k], v) for k, v in name[1:]]
    )
    assert encode_name(name) == other.public_bytes()


@given(names)
def test_names_are_read_by_asn1crypto_as_they_were_given(name: Name) -> None:
    read = asn1.Name.load(encode_name(name), strict=True)
    assert [(pair["type"].dotted, pair["value"].native) for part in read.chosen for pair in part] == list(name)


def test_the_country_is_printable_and_all_else_utf8() -> None:
    read = asn1.Name.load(encode_name(AUTHORITY))
    kinds = [pair["value"].name for part in read.chosen for pair in part]
    assert kinds == ["printable_string", "utf8_string", "utf8_string", "utf8_string"]


def test_short_names_are_those_everybody_uses() -> None:
    known = {x509.ObjectIdentifier(oid)._name for oid in SHORT_NAMES.values()}
    assert known == {"countryName", "localityName", "organizationName", "organizationalUnitName", "commonName"}


def test_general_names_are_asn1cryptos() -> None:
    directory = asn1.GeneralName(name="directory_name", value=asn1.Name.load(encode_name(AUTHORITY)))
    assert directory_name(AUTHORITY) == directory.dump()
    assert (
        uri("http://pki.example/crl")
        == asn1.GeneralName(name="uniform_resource_identifier", value="http://pki.example/crl").dump()
    )


def test_a_uri_outside_ascii_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        uri("http://公的.example/")


@pytest.mark.parametrize(
    "location", [None, "http://pki.example/crl/signature-g1/13221.crl"], ids=["alone", "with a URI"]
)
def test_a_distribution_point_name_is_what_cryptography_reads_in_certificate_and_list(location: str | None) -> None:
    directory = municipal_directory(AUTHORITY, "Tokyo-to", "Kiyose-shi")
    name = distribution_point_name(directory, location)
    points = der.sequence(der.sequence(name))
    point = next(iter(asn1.CRLDistributionPoints.load(points, strict=True)))
    full = point["distribution_point"].chosen
    assert full[0].chosen.untag().dump() == encode_name(directory)
    assert [general.native for general in list(full)[1:]] == ([location] if location else [])
    wanted = [x509.DirectoryName(_pyca(directory)), *([x509.UniformResourceIdentifier(location)] if location else [])]
    theirs = x509.CRLDistributionPoints([x509.DistributionPoint(wanted, None, None, None)])
    assert theirs.public_bytes() == points


def test_a_municipalitys_list_stands_below_the_first_three_of_its_authority() -> None:
    directory = municipal_directory(AUTHORITY, "Tokyo-to", "Kiyose-shi")
    assert directory[:3] == AUTHORITY[:3]
    assert [value for _, value in directory[3:]] == ["CRL Distribution Points", "Tokyo-to", "Kiyose-shi CRLDP"]
    assert directory[-1][0] == oids.COMMON_NAME


def _pyca(name: Name) -> x509.Name:
    kinds = {**PYCA, oids.COUNTRY: NameOID.COUNTRY_NAME}
    return x509.Name([x509.NameAttribute(kinds[kind], value) for kind, value in name])
