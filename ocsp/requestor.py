"""Signed requests: whose key made the signature."""

from __future__ import annotations

import hashlib
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from domain import der, oids
from domain.errors import Code, Refusal
from ocsp.request import OcspQuery, RequestSignature

_NULL = der.tlv(der.NULL)
# RSA parameters are NULL (RFC 4055 §5), ECDSA has none (RFC 5758 §3.2). SHA-1 is not among them on purpose.
_RSA: Final[dict[bytes, hashes.HashAlgorithm]] = {
    der.sequence(der.oid(oids.SHA256_WITH_RSA), _NULL): hashes.SHA256(),
    der.sequence(der.oid(oids.SHA384_WITH_RSA), _NULL): hashes.SHA384(),
    der.sequence(der.oid(oids.SHA512_WITH_RSA), _NULL): hashes.SHA512(),
}
_ECDSA: Final[dict[bytes, hashes.HashAlgorithm]] = {
    der.sequence(der.oid(oids.ECDSA_WITH_SHA256)): hashes.SHA256(),
    der.sequence(der.oid(oids.ECDSA_WITH_SHA384)): hashes.SHA384(),
    der.sequence(der.oid(oids.ECDSA_WITH_SHA512)): hashes.SHA512(),
}
_LARGEST_RSA = 4096  # bits: checking a signature must stay cheap, whatever key a stranger sends


def signer_fingerprint(query: OcspQuery) -> bytes | None:
    """SHA-256 of the certificate whose key signed the request, or None for an unsigned one.

    The first certificate sent is the signer's (RFC 6960 §4.1.2 leaves the order open; all known clients put it first).
    Whether it is registered is not asked here. Raises Refusal(BAD_REQUEST_SIGNATURE).
    """
    signature = query.signature
    if signature is None:
        return None
    if not signature.certificates:
        raise Refusal(Code.BAD_REQUEST_SIGNATURE, "a signed request must carry its signer's certificate")
    certificate = signature.certificates[0]
    try:
        _verify(certificate, signature, query.tbs)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise Refusal(Code.BAD_REQUEST_SIGNATURE, "the signature on the request is not valid") from None
    return hashlib.sha256(certificate).digest()


def _verify(certificate: bytes, signature: RequestSignature, tbs: bytes) -> None:
    key = load_der_public_key(_public_key(certificate))
    match key:
        case rsa.RSAPublicKey() if signature.algorithm in _RSA and 2048 <= key.key_size <= _LARGEST_RSA:
            key.verify(signature.octets, tbs, padding.PKCS1v15(), _RSA[signature.algorithm])
        case ec.EllipticCurvePublicKey() if signature.algorithm in _ECDSA:
            key.verify(signature.octets, tbs, ec.ECDSA(_ECDSA[signature.algorithm]))
        case _:
            raise ValueError("no accepted algorithm goes with the key")


def _public_key(certificate: bytes) -> bytes:
    """SubjectPublicKeyInfo (DER) of a certificate that is not read otherwise: a stranger's certificate proves nothing,
    and a registered one was read when it was registered."""
    start, end = der.only(certificate, der.SEQUENCE)
    start, end = der.expect(certificate, der.SEQUENCE, start, end)
    # RFC 5280 §4.1: [0] version, serial, signature, issuer, validity, subject, subjectPublicKeyInfo.
    parts = [certificate[at:after] for tag, at, _, after in der.elements(certificate, start, end) if tag != 0xA0]
    if len(parts) < 6:
        raise der.DerError("a certificate lacks its public key")
    return parts[5]
