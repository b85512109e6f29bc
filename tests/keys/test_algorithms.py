"""Signature algorithms: AlgorithmIdentifiers, key identifiers, and a verification that only says yes when it may."""

from __future__ import annotations

import pytest
from asn1crypto.algos import SignedDigestAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import SubjectKeyIdentifier

from keys.algorithms import (
    ECDSA_SHA256,
    ECDSA_SHA384,
    ED25519,
    RSA_SHA256,
    algorithm_of,
    key_id_of,
    public_octets,
    verify,
)
from keys.generation import KINDS, new_key
from keys.software import SoftwareSigner


@pytest.mark.parametrize(
    ("algorithm", "name"),
    [
        (RSA_SHA256, "sha256_rsa"),
        (ECDSA_SHA256, "sha256_ecdsa"),
        (ECDSA_SHA384, "sha384_ecdsa"),
        (ED25519, "ed25519"),
    ],
)
def test_another_encoder_writes_the_same_algorithm_identifier(algorithm: bytes, name: str) -> None:
    read = SignedDigestAlgorithm.load(algorithm, strict=True)
    assert read["algorithm"].native == name
    assert SignedDigestAlgorithm({"algorithm": name}).dump() == algorithm


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(rsa.generate_private_key(65537, 1024).public_key(), id="a-short-rsa-key"),  # noqa: S505
        pytest.param(ec.generate_private_key(ec.SECP521R1()).public_key(), id="another-curve"),
        pytest.param(x25519.X25519PrivateKey.generate().public_key(), id="a-key-that-cannot-sign"),
        pytest.param(None, id="no-key"),
    ],
)
def test_other_keys_have_no_algorithm_here(key: object) -> None:
    with pytest.raises(ValueError, match="not used here"):
        algorithm_of(key)


@pytest.mark.parametrize("kind", KINDS)
def test_the_key_id_is_the_subject_key_identifier_of_rfc_5280(kind: str) -> None:
    public = new_key(kind).public_key()
    assert key_id_of(public_octets(public)) == SubjectKeyIdentifier.from_public_key(public).digest.hex()


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_right_key_algorithm_message_and_signature_verify(kind: str) -> None:
    signer, other = SoftwareSigner(new_key(kind)), SoftwareSigner(new_key(kind))
    signature = signer.sign(b"message")
    wrong_algorithm = ED25519 if signer.algorithm != ED25519 else RSA_SHA256
    assert verify(signer.public, signer.algorithm, b"message", signature)
    assert not verify(other.public, signer.algorithm, b"message", signature)
    assert not verify(signer.public, wrong_algorithm, b"message", signature)
    assert not verify(signer.public, signer.algorithm, b"Message", signature)
    assert not verify(signer.public, signer.algorithm, b"message", signature[:-1] + bytes([signature[-1] ^ 1]))
    assert not verify(signer.public, signer.algorithm, b"message", b"")


@pytest.mark.parametrize(
    "spki",
    [
        pytest.param(b"", id="no-octets"),
        pytest.param(b"\x30\x03\x02\x01\x00", id="no-key"),
        pytest.param(
            ec.generate_private_key(ec.SECP521R1())
            .public_key()
            .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            id="a-key-not-used-here",
        ),
    ],
)
def test_a_key_that_cannot_be_used_verifies_nothing(spki: bytes) -> None:
    assert not verify(spki, RSA_SHA256, b"message", b"signature")
