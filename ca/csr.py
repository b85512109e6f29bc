"""PKCS#10 requests: read strictly, and believed only when their signature proves possession of the key."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ca.extensions import EXTENSIONS
from ca.octets import PARSING_FAULTS, key_bits
from domain import der
from domain.errors import Code, Refusal
from policies.keys import SubjectKey

LARGEST = 16 * 1024
"""Octets; a request for an RSA-2048 key takes less than 1,000."""

SIGNATURES = {
    "1.2.840.113549.1.1.11": rsa.RSAPublicKey,
    "1.2.840.113549.1.1.12": rsa.RSAPublicKey,
    "1.2.840.113549.1.1.13": rsa.RSAPublicKey,
    "1.2.840.10045.4.3.2": ec.EllipticCurvePublicKey,
    "1.2.840.10045.4.3.3": ec.EllipticCurvePublicKey,
    "1.2.840.10045.4.3.4": ec.EllipticCurvePublicKey,
}
"""Signatures a request may bear and the keys that make them: SHA-256, -384, -512 with RSA PKCS#1 v1.5 and ECDSA."""

_LARGEST_RSA_BITS = 4096
_CURVES = {"secp256r1": "ec-p256", "secp384r1": "ec-p384", "secp521r1": "ec-p521"}
_EXTENSION_REQUESTS = {"1.2.840.113549.1.9.14", "1.3.6.1.4.1.311.2.1.14"}
_NO_ATTRIBUTES = b"\xa0\x00"
_PKCS1 = padding.PKCS1v15()
_KNOWN_EXTENSIONS = {dotted for dotted, _ in EXTENSIONS.values()}


def read_csr(octets: bytes) -> SubjectKey:
    """The key that a PKCS#10 request (DER, RFC 2986) asks to have certified, its possession proved.

    Nothing else is taken from the request: subject and extensions of a certificate come from its profile. Raises
    Refusal(TOO_LARGE), Refusal(MALFORMED) for anything but strict DER with nothing after it, for repeated attributes
    and for critical extensions nobody knows, Refusal(BAD_KEY) for keys that are neither RSA nor on a named curve, and
    Refusal(BAD_REQUEST_SIGNATURE).
    """
    if len(octets) > LARGEST:
        raise Refusal(Code.TOO_LARGE, f"the PKCS#10 request is larger than {LARGEST} octets")
    try:
        request = x509.load_der_x509_csr(octets)
    except PARSING_FAULTS:
        raise _malformed("the octets are not a PKCS#10 request in DER (version 1, nothing after it)") from None
    _refuse_odd_attributes(request)
    key, public = _subject_key(request)
    if SIGNATURES.get(request.signature_algorithm_oid.dotted_string) is not _type_of(public):
        raise _bad_signature("it must be SHA-256, SHA-384 or SHA-512 with RSA (PKCS#1 v1.5) or ECDSA, as the key is")
    try:
        _verify(request, public)
    except (InvalidSignature, *PARSING_FAULTS):
        raise _bad_signature("it was not made with the private key of the public key in the request") from None
    return key


def _verify(request: x509.CertificateSigningRequest, public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> None:
    """As `is_signature_valid`, which reads the key again. Raises InvalidSignature."""
    signed, algorithm = request.tbs_certrequest_bytes, request.signature_hash_algorithm
    if algorithm is None:
        raise InvalidSignature
    if isinstance(public, rsa.RSAPublicKey):
        public.verify(request.signature, signed, _PKCS1, algorithm)
    else:
        public.verify(request.signature, signed, ec.ECDSA(algorithm))


def _refuse_odd_attributes(request: x509.CertificateSigningRequest) -> None:
    tbs = request.tbs_certrequest_bytes
    try:
        start, end = der.only(tbs, der.SEQUENCE)
        for _ in range(3):  # version, subject, key
            *_, start = der.read(tbs, start, end)
        if tbs[start:end] == _NO_ATTRIBUTES:
            return  # as in nearly all requests
        attributes = [attribute.oid.dotted_string for attribute in request.attributes]
        extensions = list(request.extensions)
    except PARSING_FAULTS:
        raise _malformed("the attributes of the PKCS#10 request cannot be read; leave them out") from None
    if len(set(attributes)) != len(attributes) or len(_EXTENSION_REQUESTS.intersection(attributes)) > 1:
        raise _malformed("an attribute of the PKCS#10 request stands twice")
    if any(extension.critical and extension.oid.dotted_string not in _KNOWN_EXTENSIONS for extension in extensions):
        raise _malformed(
            "the PKCS#10 request asks for a critical extension that is not known here; leave it out, the certificate "
            "profile decides"
        )


def _subject_key(
    request: x509.CertificateSigningRequest,
) -> tuple[SubjectKey, rsa.RSAPublicKey | ec.EllipticCurvePublicKey]:
    try:
        public = request.public_key()
        spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except PARSING_FAULTS:
        raise Refusal(Code.BAD_KEY, "the public key in the PKCS#10 request cannot be used") from None
    match public:
        case rsa.RSAPublicKey():
            if public.key_size > _LARGEST_RSA_BITS:
                # Before its signature is tried: a huge modulus makes that slow.
                raise Refusal(Code.BAD_KEY, f"the RSA modulus has more than {_LARGEST_RSA_BITS} bits")
            numbers = public.public_numbers()
            name = f"rsa-{public.key_size}"
            key = SubjectKey("rsa", name, spki, key_bits(spki), numbers.n, numbers.e)
        case ec.EllipticCurvePublicKey():
            name = _CURVES.get(public.curve.name, f"ec-{public.curve.name}")
            key = SubjectKey("ec", name, spki, key_bits(spki))
        case _:
            raise Refusal(Code.BAD_KEY, "the public key is neither RSA nor on a named elliptic curve")
    if spki not in request.tbs_certrequest_bytes:
        # RFC 3279 §2.3.1 (NULL), RFC 5480 §2.2; one key must have one digest, or it could be certified twice.
        raise _malformed("the public key must be encoded with NULL parameters (RSA) or as an uncompressed point (EC)")
    return key, public


def _type_of(public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> type:
    return rsa.RSAPublicKey if isinstance(public, rsa.RSAPublicKey) else ec.EllipticCurvePublicKey


def _malformed(detail: str) -> Refusal:
    return Refusal(Code.MALFORMED, detail)


def _bad_signature(detail: str) -> Refusal:
    return Refusal(Code.BAD_REQUEST_SIGNATURE, f"the signature of the PKCS#10 request is not accepted: {detail}")
