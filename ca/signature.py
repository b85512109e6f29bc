"""From linted octets to a certificate whose signature was read back before anybody else sees it."""

from __future__ import annotations

from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from ca.octets import PARSING_FAULTS
from domain.certificates import Issuer
from domain.errors import Code, Refusal
from domain.ports import Signer
from domain.signing import LintedTbs, sign_once


def sign_certificate(linted: LintedTbs, signer: Signer, issuer: Issuer | None) -> bytes:
    """The finished certificate (DER), proved to be signed by `issuer` (None: by the certified key itself).

    The proof keeps a faulty or mistaken key store from giving out certificates that nobody can use, or from giving away
    an RSA key by one bad signature. Raises Refusal(SIGNER_UNAVAILABLE).
    """
    octets = sign_once(linted, signer)
    try:
        certificate = x509.load_der_x509_certificate(octets)
        certificate.verify_directly_issued_by(_loaded(issuer.certificate) if issuer else certificate)
    except (InvalidSignature, *PARSING_FAULTS):
        raise Refusal(
            Code.SIGNER_UNAVAILABLE,
            "the key store gave a signature that does not fit the issuer's public key; nothing was issued with it",
        ) from None
    return octets


@lru_cache(maxsize=16)
def _loaded(certificate: bytes) -> x509.Certificate:
    """The issuers are few, and loading an elliptic curve key is slow."""
    return x509.load_der_x509_certificate(certificate)
