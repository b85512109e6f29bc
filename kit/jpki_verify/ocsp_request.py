"""Signed questions to the authority's OCSP responder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from asn1crypto import algos, core, ocsp
from asn1crypto import x509 as asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from jpki_verify.anchors import read_certificate, read_file
from jpki_verify.certificates import Holder
from jpki_verify.rejection import Code, Rejected
from jpki_verify.settings import Credential, Declared, Kind

# Extensions of the authority, not critical: what is asked for, and for whom behind a platform (UTF8String each).
# Demonstration OIDs, as all of this authority's.
_PURPOSE, _PROVIDER = "2.999.8.5.9.2", "2.999.8.5.9.3"


@dataclass(frozen=True, slots=True, repr=False)
class Question:
    """What is asked about (RFC 6960 §4.1.1), and of which kind it is, so that the answer can be held against it."""

    name_hash: bytes
    key_hash: bytes
    serial: int
    nonce: bytes
    kind: Kind


class RequestSigner:
    """The key and certificate that the authority knows this verifier by."""

    def __init__(self, credential: Credential) -> None:
        """Raises Rejected(BAD_CONFIGURATION) for files that are no certificate and its key."""
        try:
            self.certificate = read_certificate(read_file(credential.certificate))
        except Rejected as rejected:
            raise Rejected(Code.BAD_CONFIGURATION, f"{credential.certificate.name}: {rejected.detail}") from None
        try:
            key = load_pem_private_key(read_file(credential.key), None)
        except (ValueError, TypeError):
            raise Rejected(
                Code.BAD_CONFIGURATION, f"{credential.key.name} is no private key in PEM without a passphrase"
            ) from None
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise Rejected(Code.BAD_CONFIGURATION, f"{credential.key.name} is neither RSA nor on an elliptic curve")
        if key.public_key() != self.certificate.public_key():
            raise Rejected(Code.BAD_CONFIGURATION, f"{credential.key.name} is not the key of the certificate beside it")
        self._key = key

    def sign(self, octets: bytes) -> tuple[algos.SignedDigestAlgorithm, bytes]:
        """The algorithm and the signature, with SHA-256."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            name, signature = "sha256_rsa", self._key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        else:
            name, signature = "sha256_ecdsa", self._key.sign(octets, ec.ECDSA(hashes.SHA256()))
        return algos.SignedDigestAlgorithm({"algorithm": name}), signature


def question_about(holder: Holder, nonce: bytes) -> Question:
    """The question: the issuer by SHA-256 of its name and of its key, which tells generations of one name apart."""
    issuer = asn1.Certificate.load(holder.anchor.certificate.public_bytes(Encoding.DER))
    return Question(
        name_hash=hashlib.sha256(holder.certificate.issuer.public_bytes()).digest(),
        key_hash=hashlib.sha256(bytes(issuer.public_key["public_key"])).digest(),
        serial=holder.certificate.serial_number,
        nonce=nonce,
        kind=holder.kind,
    )


def encode_request(question: Question, signer: RequestSigner, declared: Declared) -> bytes:
    """The OCSPRequest (DER), signed, with the name of who signed it (RFC 6960 §4.1.2), and what it is for."""
    cert_id = {
        "hash_algorithm": {"algorithm": "sha256"},
        "issuer_name_hash": question.name_hash,
        "issuer_key_hash": question.key_hash,
        "serial_number": question.serial,
    }
    said = {_PURPOSE: declared.purposes[question.kind], _PROVIDER: declared.provider}
    extensions: list[dict[str, object]] = [
        {"extn_id": oid, "extn_value": core.ParsableOctetString(core.UTF8String(word).dump())}
        for oid, word in said.items()
        if word is not None
    ]
    extensions.append({"extn_id": "nonce", "extn_value": core.OctetString(question.nonce)})
    certificate = asn1.Certificate.load(signer.certificate.public_bytes(Encoding.DER))
    tbs = ocsp.TBSRequest(
        {
            "requestor_name": asn1.GeneralName("directory_name", certificate.subject),
            "request_list": [{"req_cert": cert_id}],
            "request_extensions": extensions,
        }
    )
    algorithm, octets = signer.sign(tbs.dump())
    signature = {"signature_algorithm": algorithm, "signature": octets, "certs": [certificate]}
    return bytes(ocsp.OCSPRequest({"tbs_request": tbs, "optional_signature": signature}).dump())
