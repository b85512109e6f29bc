"""OpenSSL's responder answers the kit's questions: an independent one, for both generations."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from jpki_verify.certificates import Holder
from jpki_verify.exchange import Limits, post
from jpki_verify.ocsp_answer import AnswerRules, Word
from jpki_verify.ocsp_request import RequestSigner
from jpki_verify.rejection import Reason, Unusable
from jpki_verify.settings import Declared, Kind
from jpki_verify.status import Responder
from tests.support.signers import authority_signer
from tests.support.specimens import make_holder

pytestmark = pytest.mark.interop

RULES = AnswerRules(timedelta(seconds=60), frozenset())
LIMITS = Limits(timedelta(seconds=20), 1 << 16)
NOTHING = Declared(dict.fromkeys(Kind), None)
DAY = timedelta(days=1)
NONCE = bytes(32)


def responder_certificate(folder: Path, holder: Holder, generation: str, *, delegated: bool) -> None:
    """`responder.pem` and `responder.key` by the holder's authority, good today: OpenSSL lives by the real clock."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "responder")])
    begins = datetime.now(UTC) - DAY
    built = x509.CertificateBuilder(
        holder.anchor.certificate.subject, name, key.public_key(), 7, begins, begins + 9 * DAY
    )
    if delegated:
        built = built.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
        built = built.add_extension(x509.OCSPNoCheck(), critical=False)
    hasher = hashes.SHA384() if generation == "g2" else hashes.SHA256()
    certificate = built.sign(authority_signer("signature", generation).key, hasher)
    (folder / "responder.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "responder.key").write_bytes(pem)
    (folder / "authority.pem").write_bytes(holder.anchor.certificate.public_bytes(Encoding.PEM))


@contextmanager
def openssl(folder: Path, holder: Holder, status: str) -> Iterator[str]:
    """The address of a responder that knows one certificate."""
    ended = "270101000000Z,keyCompromise" if status == "R" else ""
    row = (status, "360101000000Z", ended, f"{holder.certificate.serial_number:X}", "unknown", "/CN=x")
    (folder / "index.txt").write_text("\t".join(row) + "\n")
    files = ("-index", "index.txt", "-CA", "authority.pem", "-rsigner", "responder.pem", "-rkey", "responder.key")
    command = ("openssl", "ocsp", "-port", "0", *files, "-ndays", "1")
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout
    try:
        said = next(line for line in process.stdout if line.startswith("ACCEPT"))
        yield f"http://127.0.0.1:{said.partition(' PID')[0].rpartition(':')[2]}/"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def ask(url: str, holder: Holder, signer: RequestSigner, now: datetime | None = None) -> Word:
    def send(request: bytes) -> bytes:
        return post(url, request, "application/ocsp-request", "application/ocsp-response", LIMITS)

    responder = Responder(send, signer, NOTHING, RULES)
    return responder.status_of(holder, now or datetime.now(UTC), NONCE).word


@pytest.mark.parametrize("generation", ["g1", "g2"])
@pytest.mark.parametrize(("status", "word"), [("V", Word.GOOD), ("R", Word.REVOKED)])
def test_openssl_answers_and_is_understood(
    tmp_path: Path, signer: RequestSigner, generation: str, status: str, word: Word
) -> None:
    holder = make_holder("signature-p384" if generation == "g2" else "signature-rsa2048")
    responder_certificate(tmp_path, holder, generation, delegated=True)
    with openssl(tmp_path, holder, status) as url:
        assert ask(url, holder, signer) is word
        other = replace(holder, certificate=make_holder("signature-rsa2048", 2).certificate)
        assert ask(url, other, signer) is Word.UNKNOWN


def test_openssl_with_a_certificate_that_was_not_delegated(tmp_path: Path, signer: RequestSigner) -> None:
    holder = make_holder("signature-rsa2048")
    responder_certificate(tmp_path, holder, "g1", delegated=False)
    with openssl(tmp_path, holder, "V") as url, pytest.raises(Unusable) as caught:
        ask(url, holder, signer)
    assert caught.value.reason is Reason.WRONG_RESPONDER


def test_openssl_whose_clock_is_another(tmp_path: Path, signer: RequestSigner) -> None:
    holder = make_holder("signature-rsa2048")
    responder_certificate(tmp_path, holder, "g1", delegated=True)
    for skew, reason in ((-timedelta(minutes=5), Reason.FROM_THE_FUTURE), (timedelta(minutes=5), Reason.STALE)):
        with openssl(tmp_path, holder, "V") as url, pytest.raises(Unusable) as caught:
            ask(url, holder, signer, datetime.now(UTC) + skew)
        assert caught.value.reason is reason
