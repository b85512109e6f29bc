"""Software keys: they sign what openssl accepts, alike every time, and show nothing of themselves."""

from __future__ import annotations

import hashlib
import pickle
import subprocess
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)

from domain.errors import Code, Refusal
from keys.algorithms import ECDSA_SHA256, ECDSA_SHA384, ED25519, RSA_SHA256, verify
from keys.generation import KINDS, new_key, to_encrypted_pem
from keys.software import SoftwareSigner
from tests.support.certificates import certificate_over

PASSPHRASE = b"0123456789abcdef"


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [("rsa-2048", RSA_SHA256), ("ec-p256", ECDSA_SHA256), ("ec-p384", ECDSA_SHA384), ("ed25519", ED25519)],
)
def test_a_key_comes_back_from_its_file_and_signs(kind: str, algorithm: bytes) -> None:
    key = new_key(kind)
    signer = SoftwareSigner.from_pem(to_encrypted_pem(key, PASSPHRASE), PASSPHRASE, certificate_over(key))
    assert signer.algorithm == algorithm
    assert load_der_public_key(signer.public) == key.public_key()
    assert verify(signer.public, algorithm, b"message", signer.sign(b"message"))


@pytest.mark.interop
@pytest.mark.parametrize(("kind", "digest"), [("rsa-2048", "sha256"), ("ec-p256", "sha256"), ("ec-p384", "sha384")])
def test_openssl_accepts_the_signatures(kind: str, digest: str, tmp_path: Path) -> None:
    signer = SoftwareSigner(new_key(kind))
    for name, octets in {"key": signer.public, "message": b"message", "signature": signer.sign(b"message")}.items():
        (tmp_path / name).write_bytes(octets)
    said = subprocess.run(
        ["openssl", "dgst", f"-{digest}", "-keyform", "DER", "-verify", "key", "-signature", "signature", "message"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )
    assert said.stdout.strip() == b"Verified OK"


@pytest.mark.parametrize("kind", KINDS)
def test_equal_octets_get_equal_signatures(kind: str) -> None:
    signer = SoftwareSigner(new_key(kind))
    assert signer.sign(b"message") == signer.sign(b"message") != signer.sign(b"other message")


@pytest.mark.parametrize(("kind", "digest"), [("rsa-2048", "sha256"), ("ec-p256", "sha256"), ("ec-p384", "sha384")])
def test_a_digest_gets_the_signature_of_what_it_is_of(kind: str, digest: str) -> None:
    signer = SoftwareSigner(new_key(kind), repeatable=False)
    octets = hashlib.new(digest, b"message").digest()
    signature = signer.sign_digest(octets)
    assert signature == signer.sign_digest(octets)
    assert verify(signer.public, signer.algorithm, b"message", signature)
    assert verify(signer.public, signer.algorithm, octets, signature, digest=True)
    assert not verify(signer.public, signer.algorithm, octets[::-1], signature, digest=True)


def test_a_key_that_signs_no_digests_says_so() -> None:
    signer = SoftwareSigner(new_key("ed25519"))
    with pytest.raises(TypeError, match="no digests"):
        signer.sign_digest(bytes(32))
    assert not verify(signer.public, signer.algorithm, bytes(32), bytes(64), digest=True)


@pytest.mark.parametrize("kind", KINDS)
def test_signatures_that_need_not_be_repeatable_are_as_valid(kind: str) -> None:
    key = new_key(kind)
    signer = SoftwareSigner(key, repeatable=False)
    made = {signer.sign(memoryview(b"message")) for _ in range(3)}
    assert all(verify(signer.public, signer.algorithm, b"message", signature) for signature in made)
    assert len(made) == (3 if kind == "ec-p256" else 1)


def test_threads_may_share_a_signer() -> None:
    signer = SoftwareSigner(new_key("ec-p256"))
    expected = signer.sign(b"message")
    made: list[bytes] = []
    threads = [threading.Thread(target=lambda: made.append(signer.sign(b"message"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [expected] * 8


def test_nothing_of_the_key_is_shown_or_leaves() -> None:
    signer = SoftwareSigner(new_key("ec-p256"))
    assert repr(signer) == f"SoftwareSigner(key_id={signer.key_id})"
    with pytest.raises(TypeError, match="does not leave"):
        pickle.dumps(signer)


def refused(pem: bytes, passphrase: bytes, certificate: bytes | None = None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        SoftwareSigner.from_pem(pem, passphrase, certificate)
    assert caught.value.code is Code.BAD_CONFIGURATION
    return caught.value


P256 = ec.generate_private_key(ec.SECP256R1())
IN_CLEAR = P256.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("pem", "passphrase"),
    [
        pytest.param(to_encrypted_pem(P256, PASSPHRASE), b"another", id="a-wrong-passphrase"),
        pytest.param(to_encrypted_pem(P256, PASSPHRASE), b"", id="no-passphrase"),
        pytest.param(IN_CLEAR, PASSPHRASE, id="a-key-in-clear"),
        pytest.param(b"", PASSPHRASE, id="an-empty-file"),
        pytest.param(
            b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            PASSPHRASE,
            id="no-key",
        ),
    ],
)
def test_a_file_that_does_not_open_is_refused(pem: bytes, passphrase: bytes) -> None:
    said = refused(pem, passphrase)
    assert "does not open" in said.detail
    assert said.__suppress_context__


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(rsa.generate_private_key(65537, 1024), id="a-short-rsa-key"),  # noqa: S505
        pytest.param(ec.generate_private_key(ec.SECP521R1()), id="another-curve"),
        pytest.param(x25519.X25519PrivateKey.generate(), id="a-key-that-cannot-sign"),
    ],
)
def test_a_kind_of_key_not_used_here_is_refused(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey,
) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE))
    assert "kind of key" in refused(pem, PASSPHRASE).detail


def test_a_key_that_does_not_match_its_certificate_is_refused() -> None:
    pem = to_encrypted_pem(P256, PASSPHRASE)
    assert "does not belong" in refused(pem, PASSPHRASE, certificate_over(new_key("ec-p256"))).detail
    assert "cannot be read" in refused(pem, PASSPHRASE, b"no certificate").detail
