"""From linted octets to a certificate whose signature was read back before anybody else sees it."""

from __future__ import annotations

from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from ca.octets import PARSING_FAULTS
from domain.certificates import Issuer
from domain.errors import Code, Refusal
from domain.ports import Signer
from domain.signing import LintedTbs, sign_once

_PKCS1 = padding.PKCS1v15()


def sign_certificate(linted: LintedTbs, signer: Signer, issuer: Issuer | None) -> bytes:
    """The finished certificate (DER), proved to be signed by `issuer` (None: by the certified key itself).

    The proof keeps a faulty or mistaken key store from giving out certificates that nobody can use, or from giving away
    an RSA key by one bad signature. Raises Refusal(SIGNER_UNAVAILABLE).
    """
    octets = sign_once(linted, signer)
    try:
        certificate = x509.load_der_x509_certificate(octets)
        if issuer is None:
            certificate.verify_directly_issued_by(certificate)
        else:
            _verify(certificate, issuer)
    except (InvalidSignature, *PARSING_FAULTS):
        raise Refusal(
            Code.SIGNER_UNAVAILABLE,
            "the key store gave a signature that does not fit the issuer's public key; nothing was issued with it",
        ) from None
    return octets


def _verify(certificate: x509.Certificate, issuer: Issuer) -> None:
    """What `verify_directly_issued_by` does with the signature; names were judged before. Raises InvalidSignature."""
    public, hash_ = _public_key(issuer.certificate), certificate.signature_hash_algorithm
    signature, tbs = certificate.signature, certificate.tbs_certificate_bytes
    if isinstance(public, rsa.RSAPublicKey) and hash_:
        public.verify(signature, tbs, _PKCS1, hash_)
    elif isinstance(public, ec.EllipticCurvePublicKey) and hash_:
        public.verify(signature, tbs, ec.ECDSA(hash_))
    else:
        raise InvalidSignature


@lru_cache(maxsize=16)
def _public_key(certificate: bytes) -> object:
    """The issuers are few; what loading a key and its first use cost is not paid for every certificate."""
    return x509.load_der_x509_certificate(certificate).public_key()
