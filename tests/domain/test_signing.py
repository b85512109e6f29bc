"""Signing: linted octets are signed once, by the algorithm they name, and put together as X.509 wants it."""

from __future__ import annotations

import pytest
from asn1crypto import x509 as asn1

from domain import der
from domain.errors import Code, Refusal
from domain.signing import LintedTbs, assemble, sign_once, sign_tbs

RSA, ECDSA = der.sequence(der.oid("1.2.840.113549.1.1.11"), b"\x05\x00"), der.sequence(der.oid("1.2.840.10045.4.3.3"))


class Recorder:
    """A signer that remembers what it was given."""

    key_id = "00"

    def __init__(self, algorithm: bytes) -> None:
        self.algorithm = algorithm
        self.signed: list[bytes] = []

    def sign(self, message: bytes | memoryview) -> bytes:
        self.signed.append(bytes(message))
        return b"signature of " + message

    def sign_digest(self, digest: bytes) -> bytes:
        self.signed.append(digest)
        return b"signature of what has the digest " + digest


def tbs(algorithm: bytes) -> bytes:
    return der.sequence(der.integer(7), algorithm)


def test_what_is_signed_is_what_was_linted() -> None:
    signer = Recorder(RSA)
    signed = sign_once(LintedTbs(tbs(RSA)), signer)
    assert signer.signed == [tbs(RSA)]
    assert signed == der.sequence(tbs(RSA), RSA, der.bit_string(b"signature of " + tbs(RSA)))


def test_octets_are_good_for_one_signature() -> None:
    linted, signer = LintedTbs(tbs(RSA)), Recorder(RSA)
    sign_once(linted, signer)
    with pytest.raises(RuntimeError, match="signed already"):
        sign_once(linted, signer)
    assert len(signer.signed) == 1


def test_what_was_hashed_already_is_not_hashed_again() -> None:
    signer = Recorder(RSA)
    assert sign_tbs(tbs(RSA), signer, b"digest") == b"signature of what has the digest digest"
    assert signer.signed == [b"digest"]


def test_a_signer_of_another_algorithm_signs_nothing() -> None:
    signer = Recorder(ECDSA)
    with pytest.raises(Refusal) as refused:
        sign_once(LintedTbs(tbs(RSA)), signer)
    assert refused.value.code is Code.LINT
    assert signer.signed == []


def test_the_parts_are_found_again_by_asn1crypto() -> None:
    signed = asn1.Certificate.load(assemble(tbs(RSA), RSA, b"\x01\x02"))
    assert signed["signature_algorithm"]["algorithm"].native == "sha256_rsa"
    assert signed["signature_value"].native == b"\x01\x02"
