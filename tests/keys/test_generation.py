"""New keys: the kinds asked for, and never in clear."""

from __future__ import annotations

import pytest
from asn1crypto import pem
from asn1crypto.keys import EncryptedPrivateKeyInfo
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from domain.errors import Code, Refusal
from keys.generation import KINDS, new_key, to_encrypted_pem


def test_each_kind_is_what_it_says() -> None:
    keys = [new_key(kind) for kind in KINDS]
    match keys:
        case [rsa.RSAPrivateKey() as a, ec.EllipticCurvePrivateKey() as b, ec.EllipticCurvePrivateKey() as c, other]:
            assert (a.key_size, a.public_key().public_numbers().e) == (2048, 65537)
            assert (b.curve.name, c.curve.name) == ("secp256r1", "secp384r1")
            assert isinstance(other, ed25519.Ed25519PrivateKey)
        case _:
            pytest.fail("the kinds are not the expected ones")


def test_another_kind_is_refused() -> None:
    with pytest.raises(Refusal, match="choose one of rsa-2048, ec-p256") as refused:
        new_key("rsa-1024")
    assert refused.value.code is Code.BAD_CONFIGURATION


def test_the_file_is_encrypted_pkcs8_under_aes() -> None:
    label, _, octets = pem.unarmor(to_encrypted_pem(new_key("ec-p256"), b"0123456789abcdef"))
    algorithm = EncryptedPrivateKeyInfo.load(octets, strict=True)["encryption_algorithm"]
    assert label == "ENCRYPTED PRIVATE KEY"
    assert algorithm.encryption_cipher == "aes"
    assert algorithm.key_length == 32


def test_an_empty_passphrase_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        to_encrypted_pem(new_key("ec-p256"), b"")
    assert refused.value.code is Code.BAD_CONFIGURATION
