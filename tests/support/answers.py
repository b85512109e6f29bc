"""OCSP answers of every kind, right and wrong, to questions that `jpki-verify` asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asn1crypto import ocsp as asn1

from domain import der
from domain.certificates import Kind, Validity
from domain.status import GOOD, CertificateStatus
from ocsp import response
from tests.support.authority import NOW, make_issuer, make_responder_certificate
from tests.support.responder import make_cert_id
from tests.support.signers import KeySigner, authority_signer, responder_signer

HOUR = timedelta(hours=1)
SIGNER = responder_signer("signature", "g1")
CERTIFICATE = make_responder_certificate(Kind.SIGNATURE, "g1")


@dataclass(frozen=True)
class Script:
    """An answer, part by part; what stands here is right for signature-g1."""

    status: CertificateStatus = GOOD
    nonce: Callable[[bytes], bytes | None] = lambda asked: asked
    serial: Callable[[int], int] = lambda asked: asked
    about: tuple[Kind, str] = (Kind.SIGNATURE, "g1")
    hash_: str = "sha256"
    singles: int = 1
    produced: datetime = NOW
    this_update: datetime = NOW
    next_update: datetime = NOW + HOUR
    signer: KeySigner = SIGNER
    key_id: str | None = None
    certificate: bytes = CERTIFICATE
    damaged: bool = False

    def __call__(self, request: bytes) -> bytes:
        """The answer to an OCSPRequest (DER)."""
        asked = asn1.OCSPRequest.load(request)["tbs_request"]
        nonce = self.nonce(_nonce_of(asked))
        serial = self.serial(asked["request_list"][0]["req_cert"]["serial_number"].native)
        cert_id = make_cert_id(serial, make_issuer(*self.about), self.hash_)
        times = response.update_times(Validity(self.this_update, self.next_update))
        single = response.single_response(cert_id, self.status, times)
        produced = response.produced_by(bytes.fromhex(self.key_id or self.signer.key_id), self.produced)
        tbs = response.response_data(produced, single * self.singles, nonce, extended_revoke=False)
        signature = self.signer.sign(tbs)
        if self.damaged:
            signature = signature[:-1] + bytes((signature[-1] ^ 1,))
        return response.successful_response(tbs, self.signer.algorithm, signature, self.certificate)


def _nonce_of(asked: Any) -> bytes:
    (extension,) = [row for row in asked["request_extensions"] if row["extn_id"].native == "nonce"]
    return bytes(extension["extn_value"].parsed.native)


def by_authority() -> Script:
    """The answer that the authority's own key signs, without a certificate."""
    signer = authority_signer("signature", "g1")
    return Script(signer=signer, certificate=make_issuer(Kind.SIGNATURE, "g1").certificate)


def error(number: int) -> Callable[[bytes], bytes]:
    """An unsigned error."""
    octets = der.sequence(der.tlv(der.ENUMERATED, bytes((number,))))
    return lambda _request: octets
