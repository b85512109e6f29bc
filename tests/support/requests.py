"""PKCS#10 requests for tests, over keys on file."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from domain.certificates import Kind
from tests.support.signers import PrivateKey, stored_keys

RequestHash = hashes.SHA224 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512

SHA256 = hashes.SHA256()

POOLS = {"rsa": "holders-rsa2048", "ec": "holders-p384"}


def holder_key(kind: str = "rsa", number: int = 0) -> PrivateKey:
    """One of the twelve holder keys of a kind (`rsa`, `ec`)."""
    return stored_keys(POOLS[kind])[number]


def make_request(
    kind: str = "rsa",
    number: int = 0,
    *,
    key: PrivateKey | None = None,
    hash_: RequestHash = SHA256,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
    attributes: Sequence[tuple[str, bytes]] = (),
) -> bytes:
    """A PKCS#10 request (DER) signed with the numbered holder key, or with `key`; the same one in every process."""
    key = key or holder_key(kind, number)
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    for oid, value in attributes:
        builder = builder.add_attribute(x509.ObjectIdentifier(oid), value)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hash_
    deterministic = True if isinstance(key, ec.EllipticCurvePrivateKey) else None
    return builder.sign(key, algorithm, ecdsa_deterministic=deterministic).public_bytes(Encoding.DER)


def make_pair(kind: str = "rsa", number: int = 0) -> dict[Kind, bytes]:
    """Requests for both kinds over two holder keys; the numbers 0 to 5 name pairs that share no key."""
    return {
        Kind.SIGNATURE: make_request(kind, 2 * number),
        Kind.AUTHENTICATION: make_request(kind, 2 * number + 1),
    }
