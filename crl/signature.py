"""From linted octets to a list whose signature was verified before anybody else sees it."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from crl.octets import ListOctets
from domain import der, oids
from domain.certificates import Issuer
from domain.errors import Code, Refusal
from domain.ports import Signer
from domain.signing import LintedTbs, sign_tbs

_HASHES = {
    oids.SHA256_WITH_RSA: hashes.SHA256(),
    oids.ECDSA_WITH_SHA256: hashes.SHA256(),
    oids.ECDSA_WITH_SHA384: hashes.SHA384(),
}
"""By the signature algorithm. A list is hashed once, for its signature and for the proof of it."""


def sign_list(octets: ListOctets, linted: LintedTbs, signer: Signer, issuer: Issuer) -> memoryview:
    """The finished CertificateList (DER), proved to be signed by `issuer`; the `linted` ones are these `octets`, which
    grow to it.

    The proof keeps a faulty or mistaken key store from publishing a list that every client refuses, or from giving away
    an RSA key by one bad signature. Raises Refusal(SIGNER_UNAVAILABLE).
    """
    tbs = memoryview(linted.redeem())
    hash_ = next((found for oid, found in _HASHES.items() if der.oid(oid) in signer.algorithm), hashes.SHA256())
    digest = hashlib.new(hash_.name, tbs).digest()
    signature = sign_tbs(tbs, signer, digest)
    if not _fits(issuer.certificate, digest, Prehashed(hash_), signature):
        raise Refusal(
            Code.SIGNER_UNAVAILABLE,
            f"the key store gave a signature that does not fit the public key of {issuer.id}; check which key it uses",
        )
    tbs.release()
    octets.put_behind(signer.algorithm + der.bit_string(signature))
    octets.enclose()
    return octets.view()


def _fits(certificate: bytes, digest: bytes, hashed: Prehashed, signature: bytes) -> bool:
    key = _public_key(certificate)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, digest, padding.PKCS1v15(), hashed)
        else:
            key.verify(signature, digest, ec.ECDSA(hashed))
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=16)
def _public_key(certificate: bytes) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    """The issuers are few, and loading an elliptic curve key is slow."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise TypeError("lists are signed with RSA or on elliptic curves")
    return key
