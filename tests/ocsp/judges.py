"""Independent readers of OCSP answers: cryptography, asn1crypto and OpenSSL."""

from __future__ import annotations

import subprocess
from pathlib import Path

from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from domain.certificates import Issuer
from tests.support.authority import NOW

ANCHORS = {"-CAfile": "issuer.pem", "-VAfile": "responder.pem"}


def judged_by_cryptography(octets: bytes, issuer: Issuer) -> ocsp.OCSPResponse:
    """The answer as cryptography reads it, after a check of signature, delegation and times."""
    response = ocsp.load_der_ocsp_response(octets)
    assert response.public_bytes(Encoding.DER) == octets
    (certificate,) = response.certificates
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(issuer.certificate))
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))
    assert response.responder_name is None
    identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert response.responder_key_hash == identifier.value.digest
    for single in response.responses:
        assert single.next_update_utc is not None
        assert certificate.not_valid_before_utc <= single.this_update_utc <= response.produced_at_utc
        assert response.produced_at_utc <= single.next_update_utc <= certificate.not_valid_after_utc
    return response


def judged_by_asn1crypto(octets: bytes) -> asn1.OCSPResponse:
    """The answer as asn1crypto reads it, after writing it again gave the same octets."""
    response = asn1.OCSPResponse.load(octets, strict=True)
    assert response["response_status"].native == "successful"
    assert response.basic_ocsp_response.native is not None  # reads every part
    assert response.dump(force=True) == octets
    return response


def judged_by_openssl(folder: Path, octets: bytes, request: bytes, issuer: Issuer, serial: int, trust: str) -> str:
    """What `openssl ocsp` prints of an answer: whether it belongs to `request`, and the status of `serial`.

    `trust` is `-CAfile` for a chain through the issuer, `-VAfile` for the responder certificate itself.
    """
    (responder,) = ocsp.load_der_ocsp_response(octets).certificates
    anchor = x509.load_der_x509_certificate(issuer.certificate)
    (folder / "answer.der").write_bytes(octets)
    (folder / "request.der").write_bytes(request)
    (folder / "issuer.pem").write_bytes(anchor.public_bytes(Encoding.PEM))
    (folder / "responder.pem").write_bytes(responder.public_bytes(Encoding.PEM))
    command = ["openssl", "ocsp", "-respin", "answer.der", trust, ANCHORS[trust]]
    # Its clock is not ours: certificates are judged at our time, and the answer's times are given much leave.
    command += ["-attime", str(int(NOW.timestamp())), "-validity_period", str(20 * 365 * 86400)]
    # With a request it compares nonces; with a serial it makes a request of its own and prints the status.
    questions = (["-reqin", "request.der"], ["-issuer", "issuer.pem", "-serial", hex(serial), "-no_nonce"])
    runs = [
        subprocess.run([*command, *question], cwd=folder, capture_output=True, text=True, check=False)
        for question in questions
    ]
    return "".join(run.stdout + run.stderr for run in runs)
