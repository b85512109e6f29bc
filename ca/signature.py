"""From linted octets to a certificate whose signature was verified before anybody else sees it."""

from __future__ import annotations

from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from ca.octets import PARSING_FAULTS
from domain.certificates import Issuer
from domain.errors import Code, Refusal
from domain.ports import Signer
from domain.signing import LintedTbs, assemble, sign_tbs

_PKCS1, _SHA256, _SHA384 = padding.PKCS1v15(), hashes.SHA256(), hashes.SHA384()


def sign_certificate(linted: LintedTbs, signer: Signer, issuer: Issuer | None) -> bytes:
    """The finished certificate (DER), proved to be signed by `issuer` (None: by the certified key itself).

    The proof keeps a faulty or mistaken key store from giving out certificates that nobody can use, or from giving away
    an RSA key by one bad signature. Raises Refusal(SIGNER_UNAVAILABLE).
    """
    tbs = bytes(linted.redeem())
    signature = sign_tbs(tbs, signer)
    octets = assemble(tbs, signer.algorithm, signature)
    try:
        if issuer is None:
            certificate = x509.load_der_x509_certificate(octets)
            certificate.verify_directly_issued_by(certificate)
        else:
            _verify(tbs, signature, issuer)
    except (InvalidSignature, *PARSING_FAULTS):
        raise Refusal(
            Code.SIGNER_UNAVAILABLE,
            "the key store gave a signature that does not fit the issuer's public key; nothing was issued with it",
        ) from None
    return octets


def _verify(tbs: bytes, signature: bytes, issuer: Issuer) -> None:
    """What `verify_directly_issued_by` does with the signature; names and algorithms were judged before. Raises
    InvalidSignature."""
    public = _public_key(issuer.certificate)
    if isinstance(public, rsa.RSAPublicKey):
        public.verify(signature, tbs, _PKCS1, _SHA256)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(signature, tbs, ec.ECDSA(_SHA384 if public.key_size == 384 else _SHA256))
    else:
        raise InvalidSignature


@lru_cache(maxsize=16)
def _public_key(certificate: bytes) -> object:
    """The issuers are few; what loading a key and its first use cost is not paid for every certificate."""
    return x509.load_der_x509_certificate(certificate).public_key()
