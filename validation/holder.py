"""Whose key signed: the person's certificate as the authority has it on record, and what it says of the person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from domain import der, oids
from domain.birth import BirthDate
from domain.certificates import CertificateRecord, Issuer, IssuerId
from domain.errors import Refusal
from domain.ports import Begin
from domain.revocation import CrlReason
from domain.status import CertificateStatus
from domain.validations import Item, Reason
from verifiers.handle_office import find_shown

CERTIFICATE = "/consent/certificate"
_CERTIFIED = {
    Item.NAME: oids.JPKI_COMMON_NAME,
    Item.ADDRESS: oids.JPKI_ADDRESS,
    Item.BIRTH_DATE: oids.JPKI_DATE_OF_BIRTH,
    Item.SEX: oids.JPKI_GENDER,
}


HolderKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def holder_key(certificate: bytes) -> HolderKey:
    """The key of a certificate (DER) that is on record."""
    return cast(HolderKey, x509.load_der_x509_certificate(certificate).public_key())


def is_signed(key: HolderKey, octets: bytes, signature: bytes) -> bool:
    """Whether that is this key's signature, as cards make them: RSA PKCS#1 v1.5 with SHA-256, or ECDSA P-384 with
    SHA-384."""
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, octets, padding.PKCS1v15(), hashes.SHA256())
        else:
            key.verify(signature, octets, ec.ECDSA(hashes.SHA384()))
    except InvalidSignature:
        return False
    return True


def find_person(begin: Begin, issuers: Mapping[IssuerId, Issuer], certificate: bytes) -> CertificateRecord:
    """Whose certificate (DER) this is: the authority looks it up in its own issuance records, octet for octet, so that
    no chain has to be built. Raises Refusal(MALFORMED), Refusal(FOREIGN_ISSUER)."""
    try:
        with begin(write=False) as work:
            return find_shown(work, issuers, certificate)
    except Refusal as refusal:
        raise Refusal(refusal.code, refusal.detail, pointer=CERTIFICATE) from None


def standing(record: CertificateRecord, status: CertificateStatus, now: datetime) -> Reason | None:
    """Why the certificate does not count now, or None: judged at the moment of the validation, as a verifier is bound
    to confirm on receipt that a certificate is not revoked (公的個人認証法 §19)."""
    if record.validity.ended(now):
        return Reason.CERTIFICATE_EXPIRED
    if status.word == "revoked":
        held = status.reason is CrlReason.CERTIFICATE_HOLD
        return Reason.CERTIFICATE_HELD if held else Reason.CERTIFICATE_REVOKED
    return None if status.word == "good" and record.validity.covers(now) else Reason.CERTIFICATE_UNKNOWN


def items_of(record: CertificateRecord, items: Iterable[Item]) -> Mapping[str, str]:
    """These items as the signing certificate has them. They are read from there and nowhere else: what the register
    says today is another matter. The birth date is written as `BirthDate.text`, the sex as the value of `Sex`."""
    wanted = [item for item in Item if item in set(items)]
    if not wanted:
        return {}  # an authentication certificate has none
    extensions = x509.load_der_x509_certificate(record.der).extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.OtherName)
    texts = {name.type_id.dotted_string: _text(name.value) for name in names}
    return {item.value: _plain(item, texts[_CERTIFIED[item]]) for item in wanted}


def _text(octets: bytes) -> str:
    start, end = der.only(octets, der.UTF8_STRING)
    return octets[start:end].decode()


def _plain(item: Item, text: str) -> str:
    return BirthDate.read_certificate(text).text if item is Item.BIRTH_DATE else text
