"""Transport certificates: what TLS stacks want to see, and one chain from the transport authority."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from keys.transport import certify_client, certify_server, make_transport_authority
from tests.support.people import serial_of
from tests.support.signers import stored_keys

T = TypeVar("T", bound=x509.ExtensionType)

NOW = datetime(2027, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOSTS = ("pki.example", "127.0.0.1", "::1")


def p256(number: int) -> ec.EllipticCurvePrivateKey:
    key = stored_keys("responders-p256")[number]
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


AUTHORITY = make_transport_authority(p256(0), "JPKI-DEMO", serial_of("authority"), NOW, 10 * DAY)
SERVER = certify_server(AUTHORITY, p256(0), p256(1).public_key(), HOSTS, serial_of("server"), NOW, DAY)
CLIENT = certify_client(AUTHORITY, p256(0), p256(1).public_key(), "verifier:bank", serial_of("client"), NOW, DAY)


def extension(certificate: x509.Certificate, kind: type[T]) -> T:
    return certificate.extensions.get_extension_for_class(kind).value


def policy(moment: datetime = NOW) -> PolicyBuilder:
    return PolicyBuilder().store(Store([AUTHORITY])).time(moment)


@pytest.mark.parametrize("host", HOSTS)
def test_a_strict_verifier_takes_the_server_by_each_of_its_names(host: str) -> None:
    try:
        subject: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        subject = x509.DNSName(host)
    assert isinstance(subject, x509.DNSName | x509.IPAddress)
    assert policy().build_server_verifier(subject).verify(SERVER, []) == [SERVER, AUTHORITY]


def test_a_strict_verifier_refuses_the_server_under_another_name() -> None:
    with pytest.raises(x509.verification.VerificationError):
        policy().build_server_verifier(x509.DNSName("other.example")).verify(SERVER, [])


def test_a_client_is_no_server_and_a_server_no_client() -> None:
    assert list(extension(CLIENT, x509.ExtendedKeyUsage)) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert list(extension(SERVER, x509.ExtendedKeyUsage)) == [ExtendedKeyUsageOID.SERVER_AUTH]


@pytest.mark.parametrize("leaf", [SERVER, CLIENT], ids=["server", "client"])
def test_leaves_sign_and_certify_nobody(leaf: x509.Certificate) -> None:
    leaf.verify_directly_issued_by(AUTHORITY)
    usage = extension(leaf, x509.KeyUsage)
    assert (usage.digital_signature, usage.key_cert_sign, usage.crl_sign) == (True, False, False)
    assert not extension(leaf, x509.BasicConstraints).ca
    authority_key = extension(AUTHORITY, x509.SubjectKeyIdentifier).digest
    assert extension(leaf, x509.AuthorityKeyIdentifier).key_identifier == authority_key


def test_the_authority_certifies_leaves_alone_and_is_none_of_ours() -> None:
    constraints = extension(AUTHORITY, x509.BasicConstraints)
    assert (constraints.ca, constraints.path_length) == (True, 0)
    usage = extension(AUTHORITY, x509.KeyUsage)
    assert (usage.digital_signature, usage.key_cert_sign, usage.crl_sign) == (False, True, True)
    assert AUTHORITY.subject.rfc4514_string() == "CN=Transport Authority,O=JPKI-DEMO,C=JP"


def test_a_client_bears_the_label_of_its_party_and_the_authoritys_organisation() -> None:
    values = [attribute.value for attribute in CLIENT.subject]
    assert values == ["JP", "JPKI-DEMO", "verifier:bank"]
    assert CLIENT.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "verifier:bank"


def test_a_party_may_bring_an_rsa_key() -> None:
    key = stored_keys("holders-rsa2048")[0].public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    made = certify_client(AUTHORITY, p256(0), key, "verifier:bank", serial_of("rsa"), NOW, DAY)
    assert made.public_key() == key


def test_no_leaf_outlives_the_authority() -> None:
    made = certify_client(AUTHORITY, p256(0), p256(1).public_key(), "x", serial_of("long"), NOW + DAY, 100 * DAY)
    assert made.not_valid_before_utc == NOW + DAY
    assert made.not_valid_after_utc == AUTHORITY.not_valid_after_utc == NOW + 10 * DAY


def test_serials_are_those_given() -> None:
    assert SERVER.serial_number == serial_of("server").value
    assert AUTHORITY.public_bytes(Encoding.DER) != SERVER.public_bytes(Encoding.DER)
