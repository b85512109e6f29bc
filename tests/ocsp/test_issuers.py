"""From a CertID to one of our issuers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain import der
from domain.certificates import Issuer, IssuerId, Kind
from domain.errors import Code, Refusal
from ocsp.issuers import IssuerTable
from ocsp.request import CertId, read_request
from tests.support.authority import make_issuer
from tests.support.people import serial_of
from tests.support.responder import GENERATIONS, HASH_OIDS, NULL, make_cert_id, make_ocsp_request

ISSUERS = [make_issuer(kind, generation) for kind, generation in GENERATIONS]
TABLE = IssuerTable(ISSUERS)
SERIAL = serial_of("asked about")


def cert_id(octets: bytes) -> CertId:
    return read_request(make_ocsp_request(octets), 1).cert_ids[0]


@pytest.mark.parametrize("algorithm", HASH_OIDS)
@pytest.mark.parametrize("parameters", [pytest.param(NULL, id="null"), pytest.param(b"", id="absent")])
@pytest.mark.parametrize("issuer", ISSUERS, ids=lambda issuer: issuer.id)
def test_each_issuer_is_found_by_every_hash(issuer: Issuer, algorithm: str, parameters: bytes) -> None:
    assert TABLE.issuer_for(cert_id(make_cert_id(SERIAL, issuer, algorithm, parameters))) == issuer.id


def test_generations_share_the_name_and_are_told_apart_by_key() -> None:
    first, second = make_issuer(Kind.SIGNATURE, "g1"), make_issuer(Kind.SIGNATURE, "g2")
    assert first.subject == second.subject
    old, new = cert_id(make_cert_id(SERIAL, first)), cert_id(make_cert_id(SERIAL, second))
    assert old.name_hash == new.name_hash
    assert (TABLE.issuer_for(old), TABLE.issuer_for(new)) == (first.id, second.id)


def foreign() -> dict[str, CertId]:
    ours = cert_id(make_cert_id(SERIAL))
    other = cert_id(make_cert_id(SERIAL, make_issuer(Kind.AUTHENTICATION)))
    unknown = der.sequence(
        der.sequence(der.oid("2.999.1")),
        der.octet_string(ours.name_hash),
        der.octet_string(ours.key_hash),
        der.integer(SERIAL.value),
    )
    return {
        "another name": CertId(ours.octets, ours.algorithm, bytes(20), ours.key_hash, ours.serial),
        "our name with another key": CertId(ours.octets, ours.algorithm, ours.name_hash, bytes(20), ours.serial),
        "our key with another name": CertId(ours.octets, ours.algorithm, bytes(20), ours.key_hash, ours.serial),
        "the name of one of ours and the key of another": CertId(
            ours.octets, ours.algorithm, ours.name_hash, other.key_hash, ours.serial
        ),
        "hashes called by another algorithm": CertId(ours.octets, "sha256", ours.name_hash, ours.key_hash, ours.serial),
        "an unknown hash algorithm": cert_id(unknown),
    }


@pytest.mark.parametrize("case", foreign())
def test_anything_else_is_foreign(case: str) -> None:
    with pytest.raises(Refusal) as refusal:
        TABLE.issuer_for(foreign()[case])
    assert refusal.value.code is Code.FOREIGN_ISSUER


def test_certificates_of_one_issuer_may_be_asked_about_together() -> None:
    cert_ids = [cert_id(make_cert_id(number, algorithm=name)) for number, name in enumerate(HASH_OIDS)]
    assert TABLE.issuer_for_all(cert_ids) == make_issuer().id


def test_certificates_of_two_issuers_may_not() -> None:
    cert_ids = [cert_id(make_cert_id(SERIAL, issuer)) for issuer in ISSUERS[:2]]
    with pytest.raises(Refusal, match="one request for each") as refusal:
        TABLE.issuer_for_all(cert_ids)
    assert refusal.value.code is Code.FOREIGN_ISSUER


def test_two_issuers_with_one_name_and_key_are_a_fault_of_the_configuration() -> None:
    with pytest.raises(Refusal, match="signature-g1 and copy") as refusal:
        IssuerTable([make_issuer(), replace(make_issuer(), id=IssuerId("copy"))])
    assert refusal.value.code is Code.BAD_CONFIGURATION
