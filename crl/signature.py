"""From linted octets to a list whose signature was read back before anybody else sees it."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes

from domain.certificates import Issuer
from domain.errors import Code, Refusal
from domain.ports import Signer
from domain.signing import LintedTbs, sign_once


def sign_list(linted: LintedTbs, signer: Signer, issuer: Issuer) -> bytes:
    """The finished CertificateList (DER), proved to be signed by `issuer`.

    The proof keeps a faulty or mistaken key store from publishing a list that every client refuses, or from giving away
    an RSA key by one bad signature. Raises Refusal(SIGNER_UNAVAILABLE).
    """
    octets = sign_once(linted, signer)
    if not x509.load_der_x509_crl(octets).is_signature_valid(_public_key(issuer.certificate)):
        raise Refusal(
            Code.SIGNER_UNAVAILABLE,
            f"the key store gave a signature that does not fit the public key of {issuer.id}; check which key it uses",
        )
    return octets


@lru_cache(maxsize=16)
def _public_key(certificate: bytes) -> CertificateIssuerPublicKeyTypes:
    """The issuers are few, and loading an elliptic curve key is slow."""
    return cast(CertificateIssuerPublicKeyTypes, x509.load_der_x509_certificate(certificate).public_key())
