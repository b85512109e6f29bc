"""Signature algorithms: what goes beside a signature for each kind of key, and the check of a signature."""

from __future__ import annotations

import hashlib
from typing import cast

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from domain import der, oids

# RSA carries NULL parameters (RFC 4055 §5); ECDSA and Ed25519 carry none (RFC 5758 §3.2, RFC 8410 §3).
RSA_SHA256 = der.sequence(der.oid(oids.SHA256_WITH_RSA), der.tlv(der.NULL))
ECDSA_SHA256 = der.sequence(der.oid(oids.ECDSA_WITH_SHA256))
ECDSA_SHA384 = der.sequence(der.oid(oids.ECDSA_WITH_SHA384))
ED25519 = der.sequence(der.oid(oids.ED25519))

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


def algorithm_of(key: object) -> bytes:
    """DER AlgorithmIdentifier of the signatures that go with a public key.

    RSA of 2048 bits or more, P-256 with SHA-256, P-384 with SHA-384, Ed25519; raises ValueError for anything else.
    """
    match key:
        case rsa.RSAPublicKey() if key.key_size >= 2048:
            return RSA_SHA256
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            return ECDSA_SHA256
        case ec.EllipticCurvePublicKey(curve=ec.SECP384R1()):
            return ECDSA_SHA384
        case ed25519.Ed25519PublicKey():
            return ED25519
        case _:
            raise ValueError("this kind of key is not used here: take RSA 2048 or more, P-256, P-384 or Ed25519")


def public_octets(key: PublicKey) -> bytes:
    """SubjectPublicKeyInfo, DER."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_id_of(spki: bytes) -> str:
    """Hex of the SHA-1 of the public key bits in a SubjectPublicKeyInfo (RFC 5280 §4.2.1.2 method 1)."""
    start, end = der.only(spki, der.SEQUENCE)
    _, _, algorithm_end = der.read(spki, start, end)
    start, end = der.expect(spki, der.BIT_STRING, algorithm_end, end)
    return hashlib.sha1(spki[start + 1 : end], usedforsecurity=False).hexdigest()


def ecdsa_of(curve: ec.EllipticCurve) -> ec.ECDSA:
    """ECDSA with the curve's hash and the nonce of RFC 6979, so that equal octets get equal signatures."""
    return ec.ECDSA(hash_of(curve), deterministic_signing=True)


def hash_of(curve: ec.EllipticCurve) -> hashes.SHA256 | hashes.SHA384:
    """The hash that goes with the curve."""
    return hashes.SHA384() if curve.key_size == 384 else hashes.SHA256()


def verify(
    spki: bytes, algorithm: bytes, message: bytes | memoryview, signature: bytes, *, digest: bool = False
) -> bool:
    """Whether `signature` over `message`, or over what has this `digest`, was made by the key in `spki` with exactly
    that AlgorithmIdentifier (DER).

    A key that cannot be read, or an algorithm that is not the one of this key, is False too, and so is one of Ed25519
    with a digest.
    """
    try:
        key = load_der_public_key(spki)
        if not isinstance(key, PublicKey) or algorithm_of(key) != algorithm:
            return False
        if isinstance(key, rsa.RSAPublicKey):
            sha256 = hashes.SHA256()
            key.verify(signature, cast(bytes, message), padding.PKCS1v15(), Prehashed(sha256) if digest else sha256)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            hash_ = hash_of(key.curve)
            key.verify(signature, message, ec.ECDSA(Prehashed(hash_) if digest else hash_))
        elif digest:
            return False
        else:
            key.verify(signature, message)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True
