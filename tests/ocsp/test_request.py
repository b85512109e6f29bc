"""Requests: what is read, and what is refused."""

from __future__ import annotations

import hashlib

import pytest
from asn1crypto import algos, core
from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from domain import der, oids
from domain.errors import Code, Refusal
from ocsp.request import MAX_OCTETS, CertId, OcspQuery, plain_request, read_request
from tests.support.authority import make_issuer
from tests.support.people import serial_of
from tests.support.responder import (
    HASH_OIDS,
    NULL,
    make_cert_id,
    make_extension,
    make_ocsp_request,
    make_tbs_request,
    sign_ocsp_request,
)
from tests.support.signers import responder_signer

SERIAL = serial_of("asked about")
CERT_ID = make_cert_id(SERIAL)
NONCE = bytes(range(32))
DIRECTORY_NAME = der.explicit(4, make_issuer().subject)


def read(octets: bytes) -> OcspQuery:
    return read_request(octets, 4)


def single(octets: bytes) -> CertId:
    (cert_id,) = read(octets).cert_ids
    return cert_id


@pytest.mark.parametrize("algorithm", HASH_OIDS)
@pytest.mark.parametrize("parameters", [pytest.param(NULL, id="null"), pytest.param(b"", id="absent")])
def test_every_hash_algorithm_is_read_with_and_without_parameters(algorithm: str, parameters: bytes) -> None:
    octets = make_cert_id(SERIAL, make_issuer(), algorithm, parameters)
    assert single(make_ocsp_request(octets)) == CertId(
        octets,
        algorithm,
        hashlib.new(algorithm, make_issuer().subject).digest(),
        hashlib.new(algorithm, make_issuer().public_key).digest(),
        SERIAL.value,
    )


@pytest.mark.parametrize("algorithm", HASH_OIDS)
@pytest.mark.parametrize("nonce", [None, NONCE], ids=["without-nonce", "with-nonce"])
def test_requests_of_cryptography_are_read_and_are_the_plain_ones(algorithm: str, nonce: bytes | None) -> None:
    issuer = x509.load_der_x509_certificate(make_issuer().certificate)
    builder = ocsp.OCSPRequestBuilder().add_certificate(issuer, issuer, getattr(hashes, algorithm.upper())())
    if nonce:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    octets = builder.build().public_bytes(Encoding.DER)
    query = read(octets)
    assert query.nonce == nonce
    assert query.cert_ids[0].serial == issuer.serial_number
    assert octets == plain_request(query.cert_ids[0].octets, nonce)


def test_requests_of_asn1crypto_are_read() -> None:
    cert_ids = [
        asn1.CertId(
            {
                "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256", "parameters": core.Null()}),
                "issuer_name_hash": hashlib.sha256(b"%d" % number).digest(),
                "issuer_key_hash": b"k" * 32,
                "serial_number": number,
            }
        )
        for number in (1, 128, 2**127)
    ]
    tbs = asn1.TBSRequest(
        {
            "request_list": [{"req_cert": cert_id} for cert_id in cert_ids],
            "request_extensions": [{"extn_id": "nonce", "extn_value": core.OctetString(NONCE)}],
        }
    )
    query = read(asn1.OCSPRequest({"tbs_request": tbs}).dump())
    assert [(cert_id.octets, cert_id.serial, cert_id.name_hash) for cert_id in query.cert_ids] == [
        (cert_id.dump(), cert_id["serial_number"].native, cert_id["issuer_name_hash"].native) for cert_id in cert_ids
    ]
    assert (query.nonce, query.tbs, query.signature) == (NONCE, tbs.dump(), None)


@pytest.mark.parametrize("length", [1, 16, 23, 32, 128])
def test_nonces_of_1_to_128_octets_are_read(length: int) -> None:
    assert read(make_ocsp_request(CERT_ID, nonce=bytes(length))).nonce == bytes(length)


@pytest.mark.parametrize("serial", [0, 1, -1, 127, 128, -(2**70), 2**200])
def test_a_serial_is_whatever_integer_was_asked_about(serial: int) -> None:
    assert single(make_ocsp_request(make_cert_id(serial))).serial == serial


def test_an_unknown_hash_algorithm_is_read_as_unknown() -> None:
    algorithm = der.sequence(der.oid("2.999.1"), der.integer(5))
    octets = der.sequence(algorithm, der.octet_string(b"n"), der.octet_string(b"k"), der.integer(7))
    assert single(make_ocsp_request(octets)) == CertId(octets, None, b"n", b"k", 7)


def test_a_signature_is_read_with_what_it_covers_and_its_certificates() -> None:
    signer = responder_signer("signature", "g1")
    tbs = make_tbs_request(CERT_ID, nonce=NONCE, name=DIRECTORY_NAME)
    certificate = make_issuer().certificate
    query = read(sign_ocsp_request(tbs, signer.key, certificate, certificate))
    assert query.signature is not None
    assert (query.tbs, query.signature.algorithm) == (tbs, signer.algorithm)
    assert query.signature.certificates == (certificate, certificate)
    assert query.signature.octets.startswith(b"\x30")
    without = read(sign_ocsp_request(tbs, signer.key)).signature
    assert without is not None
    assert without.certificates == ()


def tolerated() -> dict[str, bytes]:
    """Requests that say more than is needed. RFC 9919 §3.1.2, RFC 6960 §4.4."""
    single_extension = der.explicit(0, der.sequence(make_extension("2.999.7", b"anything")))
    return {
        "a requestor name": der.sequence(make_tbs_request(CERT_ID, name=DIRECTORY_NAME)),
        "a requestor name of text": der.sequence(make_tbs_request(CERT_ID, name=der.implicit(1, b"a@b.example"))),
        "an unknown extension": der.sequence(make_tbs_request(CERT_ID, extensions=(make_extension("2.999.7", b""),))),
        "an unknown extension of one certificate": der.sequence(
            der.sequence(der.sequence(der.sequence(CERT_ID, single_extension)))
        ),
    }


@pytest.mark.parametrize("case", tolerated())
def test_what_need_not_be_understood_is_ignored(case: str) -> None:
    query = read(tolerated()[case])
    assert ([cert_id.octets for cert_id in query.cert_ids], query.nonce) == ([CERT_ID], None)


def test_a_critical_nonce_is_understood() -> None:
    nonce = make_extension(oids.OCSP_NONCE, der.octet_string(NONCE), critical=True)
    assert read(der.sequence(make_tbs_request(CERT_ID, extensions=(nonce,)))).nonce == NONCE


def refused() -> dict[str, bytes]:
    """One broken request a row; what is right in it is as in `make_ocsp_request`."""
    good = make_ocsp_request(CERT_ID, nonce=NONCE)
    requests = der.sequence(der.sequence(CERT_ID))
    nonce = make_extension(oids.OCSP_NONCE, der.octet_string(NONCE))
    hash_, name_hash = der.sequence(der.oid(oids.SHA1), NULL), der.octet_string(bytes(20))

    def with_extensions(*extensions: bytes) -> bytes:
        return der.sequence(make_tbs_request(CERT_ID, extensions=extensions))

    def with_cert_id(*parts: bytes) -> bytes:
        return make_ocsp_request(der.sequence(*parts))

    def with_signature(*parts: bytes) -> bytes:
        return der.sequence(make_tbs_request(CERT_ID), der.explicit(0, der.sequence(*parts)))

    algorithm, bits = der.sequence(der.oid(oids.ECDSA_WITH_SHA256)), der.bit_string(b"signature")
    return {
        "nothing": b"",
        "one octet": b"\x30",
        "an empty sequence": der.sequence(),
        "a megabyte of garbage": b"\x30\x83\x0f\xff\xfb" + b"\xa5" * 1_048_571,
        "more octets than any honest request": make_ocsp_request(*[make_cert_id(SERIAL, algorithm="sha512")] * 100),
        "trailing octets": good + b"\x00",
        "a second request behind": good + good,
        "a missing last octet": good[:-1],
        "an indefinite length": b"\x30\x80" + make_tbs_request(CERT_ID) + b"\x00\x00",
        "a length in long form": b"\x30\x81" + good[1:],
        "another tag": b"\x31" + good[1:],
        "no certificates": der.sequence(der.sequence(der.sequence())),
        "more certificates than the policy has": make_ocsp_request(*[CERT_ID] * 5),
        "version 1 written out": der.sequence(der.sequence(der.explicit(0, der.integer(0)), requests)),
        "version 2": der.sequence(der.sequence(der.explicit(0, der.integer(1)), requests)),
        "a requestor name without a name": der.sequence(der.sequence(der.explicit(1), requests)),
        "a requestor name of another kind": der.sequence(der.sequence(der.explicit(1, der.integer(1)), requests)),
        "two requestor names": der.sequence(der.sequence(der.explicit(1, DIRECTORY_NAME * 2), requests)),
        "an integer in the request list": der.sequence(der.sequence(der.sequence(der.integer(1)))),
        "something behind the extensions": der.sequence(
            der.sequence(requests, der.explicit(2, der.sequence(nonce)), der.integer(1))
        ),
        "something between requests and extensions": der.sequence(der.sequence(requests, der.integer(1))),
        "an empty list of extensions": der.sequence(der.sequence(requests, der.explicit(2, der.sequence()))),
        "an integer as extension": with_extensions(der.integer(1)),
        "an empty nonce": make_ocsp_request(CERT_ID, nonce=b""),
        "a nonce of 129 octets": make_ocsp_request(CERT_ID, nonce=bytes(129)),
        "a nonce that is not an octet string": with_extensions(make_extension(oids.OCSP_NONCE, NONCE)),
        "octets behind the nonce": with_extensions(make_extension(oids.OCSP_NONCE, der.octet_string(NONCE) + NULL)),
        "two nonces": with_extensions(nonce, nonce),
        "an unknown extension twice": with_extensions(*[make_extension("2.999.7", b"")] * 2),
        "an unknown critical extension": with_extensions(make_extension("2.999.7", b"", critical=True)),
        "an unknown critical extension of one certificate": der.sequence(
            der.sequence(
                der.sequence(
                    der.sequence(CERT_ID, der.explicit(0, der.sequence(make_extension("2.999.7", b"", critical=True))))
                )
            )
        ),
        "critical FALSE written out": with_extensions(
            der.sequence(der.oid(oids.OCSP_NONCE), der.boolean(False), der.octet_string(der.octet_string(NONCE)))
        ),
        "TRUE that is not FF": with_extensions(
            der.sequence(der.oid(oids.OCSP_NONCE), b"\x01\x01\x01", der.octet_string(der.octet_string(NONCE)))
        ),
        "an extension without value": with_extensions(der.sequence(der.oid("2.999.7"))),
        "something behind an extension's value": with_extensions(
            der.sequence(der.oid("2.999.7"), der.octet_string(b""), NULL)
        ),
        "a padded object identifier": with_extensions(der.sequence(b"\x06\x03\x80\x88\x37", der.octet_string(b""))),
        "an unfinished object identifier": with_extensions(der.sequence(b"\x06\x02\x88\xb7", der.octet_string(b""))),
        "an empty object identifier": with_extensions(der.sequence(b"\x06\x00", der.octet_string(b""))),
        "a certificate without serial": with_cert_id(hash_, name_hash, name_hash),
        "a serial without octets": with_cert_id(hash_, name_hash, name_hash, b"\x02\x00"),
        "a padded serial": with_cert_id(hash_, name_hash, name_hash, b"\x02\x02\x00\x7f"),
        "a padded negative serial": with_cert_id(hash_, name_hash, name_hash, b"\x02\x02\xff\x80"),
        "something behind the serial": with_cert_id(hash_, name_hash, name_hash, der.integer(1), NULL),
        "a hash of another type": with_cert_id(hash_, der.integer(1), name_hash, der.integer(1)),
        "a hash algorithm with other parameters": with_cert_id(
            der.sequence(der.oid(oids.SHA1), der.integer(1)), name_hash, name_hash, der.integer(1)
        ),
        "a hash algorithm with two parameters": with_cert_id(
            der.sequence(der.oid(oids.SHA1), NULL, NULL), name_hash, name_hash, der.integer(1)
        ),
        "a hash algorithm without name": with_cert_id(der.sequence(), name_hash, name_hash, der.integer(1)),
        "an empty signature": with_signature(),
        "a signature without bits": with_signature(algorithm),
        "a signature of unwhole octets": with_signature(algorithm, b"\x03\x02\x01\x80"),
        "a signature without the count of unused bits": with_signature(algorithm, b"\x03\x00"),
        "an integer as certificate": with_signature(algorithm, bits, der.explicit(0, der.sequence(der.integer(1)))),
        "something behind the certificates": with_signature(algorithm, bits, der.explicit(0, der.sequence()), NULL),
        "something behind the signature": der.sequence(
            make_tbs_request(CERT_ID), der.explicit(0, der.sequence(algorithm, bits)), NULL
        ),
    }


@pytest.mark.parametrize("case", refused())
def test_anything_else_is_malformed(case: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read(refused()[case])
    assert refusal.value.code is Code.MALFORMED
    assert str(SERIAL.value) not in refusal.value.detail


def test_the_longest_honest_request_fits() -> None:
    tbs = make_tbs_request(*[make_cert_id(SERIAL, algorithm="sha512")] * 64, nonce=bytes(128), name=DIRECTORY_NAME)
    signed = sign_ocsp_request(tbs, responder_signer("signature", "g1").key, make_issuer().certificate)
    assert len(signed) < MAX_OCTETS
    assert len(read_request(signed, 64).cert_ids) == 64


def test_no_text_form_shows_a_serial() -> None:
    query = read(make_ocsp_request(CERT_ID))
    for text in (repr(query), repr(query.cert_ids), str(query.cert_ids[0])):
        assert str(SERIAL.value) not in text
        assert SERIAL.octets.hex() not in text
