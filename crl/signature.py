"""From linted octets to a list whose signature was verified before anybody else sees it."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from crl.octets import ListOctets
from domain import der
from domain.certificates import Issuer
from domain.errors import Code, Refusal
from domain.ports import Signer
from domain.signing import LintedTbs, sign_tbs


def sign_list(octets: ListOctets, linted: LintedTbs, signer: Signer, issuer: Issuer) -> memoryview:
    """The finished CertificateList (DER), proved to be signed by `issuer`; the `linted` ones are these `octets`, which
    grow to it.

    The proof keeps a faulty or mistaken key store from publishing a list that every client refuses, or from giving away
    an RSA key by one bad signature. Raises Refusal(SIGNER_UNAVAILABLE).
    """
    tbs = memoryview(linted.redeem())
    signature = sign_tbs(tbs, signer)
    if not _fits(issuer.certificate, tbs, signature):
        raise Refusal(
            Code.SIGNER_UNAVAILABLE,
            f"the key store gave a signature that does not fit the public key of {issuer.id}; check which key it uses",
        )
    tbs.release()
    octets.put_behind(signer.algorithm + der.bit_string(signature))
    octets.enclose()
    return octets.view()


def _fits(certificate: bytes, tbs: memoryview, signature: bytes) -> bool:
    key = _public_key(certificate)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            # The library takes every buffer; what it says of its types is narrower for RSA.
            key.verify(signature, cast(bytes, tbs), padding.PKCS1v15(), hashes.SHA256())
        else:
            key.verify(signature, tbs, ec.ECDSA(hashes.SHA384() if key.key_size == 384 else hashes.SHA256()))
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
