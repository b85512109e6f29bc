"""Signatures over octets: which keys and hashes are good enough, and whether a signature is the key's."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

STRONG = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


def key_of(certificate: x509.Certificate) -> PublicKey | None:
    """Its key, or None for one that is too weak, too large to be checked in good time, or of another type."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    match key:
        case rsa.RSAPublicKey() if 2048 <= key.key_size <= 4096 and 65537 <= key.public_numbers().e < 1 << 32:
            return key
        case ec.EllipticCurvePublicKey() if isinstance(key.curve, _CURVES):
            return key
        case _:
            return None


def verify(key: PublicKey, hasher: hashes.HashAlgorithm | None, octets: bytes, signature: bytes) -> bool:
    """Whether the key made that signature: PKCS #1 v1.5 with RSA, ECDSA (DER) on a curve."""
    if not isinstance(hasher, STRONG):
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, octets, padding.PKCS1v15(), hasher)
        else:
            key.verify(signature, octets, ec.ECDSA(hasher))
    except InvalidSignature:
        return False
    return True


def verify_raw(key: PublicKey, octets: bytes, signature: bytes) -> bool:
    """Whether the key of a card made that signature over octets: SHA-256 with RSA, SHA-384 on P-384, as its profile
    says."""
    hasher = hashes.SHA256() if isinstance(key, rsa.RSAPublicKey) or key.key_size == 256 else hashes.SHA384()
    return verify(key, hasher, octets, signature)


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's key signed it, under the issuer's name, with a hash that is good enough."""
    try:
        strong = isinstance(certificate.signature_hash_algorithm, STRONG)
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, TypeError, ValueError):
        return False
    return strong
