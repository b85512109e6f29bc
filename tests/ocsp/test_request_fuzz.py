"""Requests against another reader and against chance."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import ocsp
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain import der
from domain.errors import Code, Refusal
from ocsp.request import OcspQuery, plain_request, read_request
from tests.support.authority import make_issuer
from tests.support.people import serial_of
from tests.support.responder import (
    HASH_OIDS,
    make_cert_id,
    make_extension,
    make_ocsp_request,
    make_tbs_request,
    sign_ocsp_request,
)
from tests.support.signers import responder_signer

SERIAL = serial_of("asked about")
CERT_ID = make_cert_id(SERIAL)

SEEDS = (
    *(make_ocsp_request(make_cert_id(SERIAL, algorithm=name)) for name in HASH_OIDS),
    make_ocsp_request(CERT_ID, nonce=bytes(range(1, 33))),
    make_ocsp_request(make_cert_id(SERIAL, parameters=b""), nonce=b"n"),
    make_ocsp_request(CERT_ID, make_cert_id(1)),
    der.sequence(make_tbs_request(CERT_ID, nonce=b"n" * 16, extensions=(make_extension("2.999.7", b"value"),))),
    der.sequence(make_tbs_request(CERT_ID, name=der.implicit(1, b"verifier@example.jp"))),
    sign_ocsp_request(
        make_tbs_request(CERT_ID), responder_signer("signature", "g1").key, make_issuer(generation="g2").certificate
    ),
)

# What cryptography takes and we refuse: the part that has to be left out for us to take it too.
REFUSED_ON_PURPOSE = {
    "signature": "it does not look into the signature",
    "extensions": "it leaves them to its caller, also critical ones, and takes nonces of any form and size",
}

# What we take and cryptography refuses.
TAKEN_ON_PURPOSE = {
    "several certificates": "it reads requests about one certificate only",
    "requestor name": "it decodes the name, which we skip",
    "an extension does not decode": "it decodes extensions that are none of our business",
    "unknown hash algorithm": "it checks the parameters of any algorithm it knows, hash or not",
}


@dataclass(frozen=True)
class Fields:
    name_hash: bytes
    key_hash: bytes
    serial: int
    algorithm: str | None
    nonce: bytes | None


def read_by_us(octets: bytes) -> OcspQuery | str:
    """The query, or what the refusal says; any other exception is a failure."""
    try:
        return read_request(octets, 4)
    except Refusal as refusal:
        return f"{refusal.code}: {refusal.detail}"


def read_by_cryptography(octets: bytes) -> Fields | str:
    try:
        request = ocsp.load_der_ocsp_request(octets)
    except (ValueError, NotImplementedError) as error:
        return type(error).__name__
    try:
        nonce = [
            extension.value.nonce for extension in request.extensions if isinstance(extension.value, x509.OCSPNonce)
        ]
    except x509.DuplicateExtension:
        return "an extension stands twice"
    except ValueError:
        return "an extension does not decode"
    try:
        algorithm = request.hash_algorithm.name if request.hash_algorithm.name in HASH_OIDS else None
    except UnsupportedAlgorithm:
        algorithm = None
    return Fields(
        request.issuer_name_hash,
        request.issuer_key_hash,
        request.serial_number,
        algorithm,
        nonce[0] if nonce else None,
    )


def compare(octets: bytes) -> str:
    """What the two readers make of it; fails where they differ for no listed reason."""
    ours, theirs = read_by_us(octets), read_by_cryptography(octets)
    if isinstance(ours, str) and isinstance(theirs, str):
        assert ours.startswith(str(Code.MALFORMED))
        return "both refuse"
    if isinstance(ours, str):
        assert ours.startswith(str(Code.MALFORMED))
        return reason_of_refusal(octets)
    (first, *others) = ours.cert_ids
    if isinstance(theirs, str):
        reason = theirs
        if others:
            reason = "several certificates"
        elif b"\xa1" in octets[:8]:
            reason = "requestor name"
        elif first.algorithm is None:
            reason = "unknown hash algorithm"
        assert reason in TAKEN_ON_PURPOSE, f"only we take {octets.hex()}: {theirs}"
        return reason
    assert theirs == Fields(first.name_hash, first.key_hash, first.serial, first.algorithm, ours.nonce), octets.hex()
    return "both take"


def reason_of_refusal(octets: bytes) -> str:
    """What has to be left out of a request that only cryptography takes until we take it too."""
    start, end = der.only(octets, der.SEQUENCE)
    content, stop = der.expect(octets, der.SEQUENCE, start, end)
    parts = {tag: octets[at:after] for tag, at, _, after in der.elements(octets, content, stop)}
    # The signature, behind these parts, is left out by not being put together again.
    for reason, tag in (("signature", None), ("extensions", 0xA2)):
        parts = {other: part for other, part in parts.items() if other != tag}
        if isinstance(read_by_us(der.sequence(der.sequence(*parts.values()))), OcspQuery):
            return reason
    raise AssertionError(f"only we refuse {octets.hex()}")


def mutants(seed: bytes, count: int, chance: random.Random) -> list[bytes]:
    found = []
    for _ in range(count):
        octets = bytearray(seed)
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            at = chance.randrange(len(octets))
            match chance.randrange(5):
                case 0:
                    octets[at] ^= 1 << chance.randrange(8)
                case 1:
                    octets[at] = chance.choice((0x00, 0x01, 0x04, 0x05, 0x30, 0x7F, 0x80, 0x81, 0xA0, 0xA1, 0xA2, 0xFF))
                case 2:
                    del octets[at : at + chance.randrange(1, 4)]
                case 3:
                    octets[at:at] = chance.randbytes(chance.randrange(1, 4))
                case 4:
                    del octets[at:]
            octets = octets or bytearray(b"\x30")
        found.append(bytes(octets))
    return found


def test_mutants_are_read_as_cryptography_reads_them() -> None:
    verdicts = Counter(
        compare(octets) for number, seed in enumerate(SEEDS) for octets in mutants(seed, 4000, random.Random(number))
    )
    assert verdicts["both refuse"] > 20_000
    assert verdicts["both take"] > 5_000
    # No reason is listed without need.
    assert set(verdicts) == {"both refuse", "both take", *REFUSED_ON_PURPOSE, *TAKEN_ON_PURPOSE}


def test_seeds_are_read_by_both_but_for_several_certificates() -> None:
    assert Counter(map(compare, SEEDS)) == {"both take": len(SEEDS) - 1, "several certificates": 1}


def test_every_octet_of_a_request_matters_or_is_content() -> None:
    """Each single-octet change of a plain request is refused or read as both readers agree."""
    seed = make_ocsp_request(CERT_ID, nonce=b"n" * 16)
    for at in range(len(seed)):
        for value in range(256):
            compare(seed[:at] + bytes((value,)) + seed[at + 1 :])


@settings(deadline=None)
@given(st.binary(max_size=300))
@example(b"")
@example(b"\x30\x84\xff\xff\xff\xff")
def test_any_octets_are_refused_or_read(octets: bytes) -> None:
    compare(octets)


@settings(max_examples=200, deadline=None)
@given(
    serial=st.integers(-(2**200), 2**200),
    algorithm=st.sampled_from(sorted(HASH_OIDS)),
    nonce=st.none() | st.binary(min_size=1, max_size=128),
)
def test_whatever_is_asked_is_read_back(serial: int, algorithm: str, nonce: bytes | None) -> None:
    cert_id = make_cert_id(serial, algorithm=algorithm)
    octets = plain_request(cert_id, nonce)
    query = read_request(octets, 1)
    assert (query.cert_ids[0].octets, query.cert_ids[0].serial, query.nonce) == (cert_id, serial, nonce)
    assert compare(octets) == "both take"
