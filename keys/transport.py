"""Certificates of the transport: of the API itself, and of those who call it or sign OCSP requests.

They come from an authority of their own, apart from the two that certify residents.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from domain import oids
from domain.serial import SerialNumber

TransportKey = EllipticCurvePublicKey | RSAPublicKey


def make_transport_authority(
    key: EllipticCurvePrivateKey, organization: str, serial: SerialNumber, now: datetime, life: timedelta
) -> x509.Certificate:
    """The self-signed certificate of the transport authority. RFC 5280 §4.2.1.9: CA, path length 0."""
    name = _name(organization, "Transport Authority")
    return (
        _builder(name, name, key.public_key(), serial, now, life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign=False, certify=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )


def certify_server(
    authority: x509.Certificate,
    authority_key: EllipticCurvePrivateKey,
    public_key: TransportKey,
    hosts: tuple[str, ...],
    serial: SerialNumber,
    now: datetime,
    life: timedelta,
) -> x509.Certificate:
    """A TLS server certificate for host names and addresses (RFC 9525: names in subjectAltName)."""
    return (
        _leaf(authority, public_key, hosts[0], serial, now, life, ExtendedKeyUsageOID.SERVER_AUTH)
        .add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
        .sign(authority_key, SHA256())
    )


def certify_client(
    authority: x509.Certificate,
    authority_key: EllipticCurvePrivateKey,
    public_key: TransportKey,
    common_name: str,
    serial: SerialNumber,
    now: datetime,
    life: timedelta,
) -> x509.Certificate:
    """A client certificate for a registered party: TLS, and signatures on OCSP requests."""
    return _leaf(authority, public_key, common_name, serial, now, life, ExtendedKeyUsageOID.CLIENT_AUTH).sign(
        authority_key, SHA256()
    )


def certify_receipts(
    authority: x509.Certificate,
    authority_key: EllipticCurvePrivateKey,
    public_key: EllipticCurvePublicKey,
    serial: SerialNumber,
    now: datetime,
    life: timedelta,
) -> x509.Certificate:
    """A certificate for the key that signs receipts of validations, and is good for nothing else."""
    use = x509.ObjectIdentifier(oids.RECEIPT_SIGNING)
    return _leaf(authority, public_key, "Receipts of validations", serial, now, life, use).sign(authority_key, SHA256())


def _leaf(
    authority: x509.Certificate,
    public_key: TransportKey,
    common_name: str,
    serial: SerialNumber,
    now: datetime,
    life: timedelta,
    use: x509.ObjectIdentifier,
) -> x509.CertificateBuilder:
    organization = authority.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value
    issuer_key = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    end = min(now + life, authority.not_valid_after_utc)
    return (
        _builder(_name(str(organization), common_name), authority.subject, public_key, serial, now, end - now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=True, certify=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key), critical=False)
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: TransportKey,
    serial: SerialNumber,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(serial.value)
        .not_valid_before(now)
        .not_valid_after(now + life)
    )


def _usage(*, sign: bool, certify: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certify,
        crl_sign=certify,
        encipher_only=False,
        decipher_only=False,
    )


def _name(organization: str, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
