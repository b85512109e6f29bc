"""Answers of a responder, right and wrong in every way: only a good one to this very question confirms."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from asn1crypto import ocsp as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from domain.certificates import Kind
from domain.revocation import CrlReason
from domain.status import UNKNOWN, CertificateStatus
from jpki_verify import Code, Reason, Rejected
from jpki_verify import Kind as TrustedKind
from jpki_verify.anchors import Anchor, fingerprint, read_certificate
from jpki_verify.certificates import Holder
from jpki_verify.ocsp_answer import AnswerRules, Word, read_answer
from jpki_verify.ocsp_request import RequestSigner, encode_request, question_about
from jpki_verify.rejection import Unusable
from jpki_verify.settings import Declared
from tests.support.answers import HOUR, Script, by_authority, error
from tests.support.authority import NOW, make_responder_certificate
from tests.support.judges import run
from tests.support.signers import KeySigner, authority_signer, responder_signer, stored_keys
from tests.support.specimens import make_holder

SECOND = timedelta(seconds=1)
TOLERANCE = timedelta(seconds=60)
RULES = AnswerRules(TOLERANCE, frozenset())
NONCE = bytes(range(32))
NOTHING = Declared(dict.fromkeys(TrustedKind), None)
DECLARED = Declared({TrustedKind.SIGNATURE: "契約", TrustedKind.AUTHENTICATION: "log-in"}, "shop")


@pytest.fixture
def holder() -> Holder:
    return make_holder("signature-rsa2048")


Ask = Callable[..., Word]


@pytest.fixture
def ask(signer: RequestSigner) -> Ask:
    def asked(answer: Callable[[bytes], bytes], holder: Holder, rules: AnswerRules = RULES) -> Word:
        question = question_about(holder, NONCE)
        octets = answer(encode_request(question, signer, NOTHING))
        return read_answer(octets, question, holder.anchor, rules, NOW).word

    return asked


@cache
def responder(signer: KeySigner | None = None, days: int = 30, **changes: Any) -> bytes:
    """A responder's certificate by somebody, that is as it should be but for `changes`."""
    parts: dict[str, Any] = {"usage": ExtendedKeyUsageOID.OCSP_SIGNING, "nocheck": True, "begins": NOW - HOUR} | changes
    issuer = read_certificate(make_holder("signature-rsa2048").anchor.certificate.public_bytes(Encoding.DER))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "responder")])
    key = responder_signer("signature", "g1").key.public_key()
    ends = parts["begins"] + timedelta(days=days)
    built = x509.CertificateBuilder(issuer.subject, subject, key, 7, parts["begins"], ends)
    if parts["usage"]:
        built = built.add_extension(x509.ExtendedKeyUsage([parts["usage"]]), critical=False)
    if parts["nocheck"]:
        built = built.add_extension(x509.OCSPNoCheck(), critical=False)
    by = (signer or authority_signer("signature", "g1")).key
    return built.sign(by, hashes.SHA256()).public_bytes(Encoding.DER)


def test_a_good_answer_confirms(ask: Ask, holder: Holder) -> None:
    assert ask(Script(), holder) is Word.GOOD


def test_the_authority_may_answer_itself(ask: Ask, holder: Holder) -> None:
    assert ask(by_authority(), holder) is Word.GOOD


def test_a_responder_of_our_own_making_passes(ask: Ask, holder: Holder) -> None:
    assert ask(Script(certificate=responder()), holder) is Word.GOOD, "so the broken ones below fail for their faults"


@pytest.mark.parametrize(
    ("status", "word"),
    [
        pytest.param(UNKNOWN, Word.UNKNOWN, id="unknown"),
        pytest.param(CertificateStatus("revoked", NOW - HOUR, CrlReason.KEY_COMPROMISE), Word.REVOKED, id="revoked"),
        pytest.param(CertificateStatus("revoked", NOW - HOUR, CrlReason.CERTIFICATE_HOLD), Word.HELD, id="held"),
    ],
)
def test_what_is_said_is_heard(ask: Ask, holder: Holder, status: CertificateStatus, word: Word) -> None:
    assert ask(Script(status=status), holder) is word


OTHER = responder_signer("authentication", "g1")

NOBODY = KeySigner(stored_keys("odd-keys")[1])

# What is wrong, by the reason that is given for it.
WRONG: dict[Reason, dict[str, Callable[[bytes], bytes]]] = {
    Reason.WRONG_NONCE: {
        "no-nonce": Script(nonce=lambda _: None),
        "another-nonce": Script(nonce=lambda _: bytes(32)),
        "a-longer-nonce": Script(nonce=lambda asked: asked + b"x"),
    },
    Reason.OTHER_CERTIFICATE: {
        "another-serial": Script(serial=lambda asked: asked + 1),
        "another-issuer": Script(about=(Kind.AUTHENTICATION, "g1")),
        "another-generation-of-the-same-name": Script(about=(Kind.SIGNATURE, "g2")),
        "another-hash": Script(hash_="sha1"),
        "two-answers": Script(singles=2),
    },
    Reason.STALE: {
        "over": Script(this_update=NOW - HOUR, next_update=NOW - SECOND),
        "made-long-ago": Script(produced=NOW - TOLERANCE - SECOND),
        "a-responder-that-has-ended": Script(certificate=responder(begins=NOW - 40 * 24 * HOUR)),
        "a-responder-that-has-not-begun": Script(certificate=responder(begins=NOW + HOUR)),
    },
    Reason.FROM_THE_FUTURE: {
        "made-in-the-future": Script(produced=NOW + TOLERANCE + SECOND),
        "begins-in-the-future": Script(this_update=NOW + TOLERANCE + SECOND),
    },
    Reason.BAD_SIGNATURE: {
        "a-damaged-signature": Script(damaged=True),
        "signed-by-another-key": Script(signer=OTHER, key_id=responder_signer("signature", "g1").key_id),
    },
    Reason.WRONG_RESPONDER: {
        "of-the-other-authority": Script(
            signer=OTHER, certificate=make_responder_certificate(Kind.AUTHENTICATION, "g1")
        ),
        "without-a-certificate": Script(signer=OTHER),
        "by-nobody": Script(certificate=responder(NOBODY)),
        "by-another-generation": Script(certificate=responder(authority_signer("signature", "g2"))),
        "for-something-else": Script(certificate=responder(usage=ExtendedKeyUsageOID.CLIENT_AUTH)),
        "for-nothing-special": Script(certificate=responder(usage=None)),
        "whose-revocation-must-be-looked-up": Script(certificate=responder(nocheck=False)),
    },
    Reason.TRY_LATER: {"try-later": error(3)},
    Reason.INTERNAL_ERROR: {"internal-error": error(2)},
    Reason.REQUEST_REFUSED: {"malformed-request": error(1)},
    Reason.UNREADABLE: {
        "nothing": lambda _: b"",
        "words": lambda _: b"<html>good</html>",
        "octets-behind": lambda request: Script()(request) + b"\x00",
    },
}
CASES = [
    pytest.param(answer, reason, id=f"{reason.value}-{what}")
    for reason, answers in WRONG.items()
    for what, answer in answers.items()
]


@pytest.mark.parametrize(("answer", "reason"), CASES)
def test_a_wrong_answer_is_no_answer(
    ask: Ask, holder: Holder, answer: Callable[[bytes], bytes], reason: Reason
) -> None:
    with pytest.raises(Unusable) as caught:
        ask(answer, holder)
    assert caught.value.reason is reason


def test_an_answer_to_an_earlier_question_is_no_answer(ask: Ask, signer: RequestSigner, holder: Holder) -> None:
    earlier = question_about(holder, b"e" * 32)
    kept = Script()(encode_request(earlier, signer, NOTHING))
    with pytest.raises(Unusable) as caught:
        ask(lambda _: kept, holder)
    assert caught.value.reason is Reason.WRONG_NONCE


def test_clocks_may_be_apart_by_the_tolerance(ask: Ask, holder: Holder) -> None:
    for skew in (-TOLERANCE, TOLERANCE):
        assert ask(Script(produced=NOW + skew, this_update=NOW + skew), holder) is Word.GOOD


@pytest.mark.parametrize("number", [5, 6], ids=["sigRequired", "unauthorized"])
def test_who_is_not_admitted_is_told_so(ask: Ask, holder: Holder, number: int) -> None:
    with pytest.raises(Rejected) as caught:
        ask(error(number), holder)
    assert caught.value.code is Code.NOT_ADMITTED


def test_a_responder_that_is_distrusted_is_not_believed(ask: Ask, holder: Holder) -> None:
    leaked = fingerprint(read_certificate(make_responder_certificate(Kind.SIGNATURE, "g1")))
    with pytest.raises(Unusable) as caught:
        ask(Script(), holder, AnswerRules(TOLERANCE, frozenset({leaked})))
    assert caught.value.reason is Reason.WRONG_RESPONDER


@given(seed=st.integers(0, 10**6))
def test_no_octet_can_be_changed(signer: RequestSigner, seed: int) -> None:
    chance, holder = Random(seed), make_holder("signature-rsa2048")
    question = question_about(holder, NONCE)
    octets = bytearray(Script()(encode_request(question, signer, NOTHING)))
    place = chance.randrange(len(octets))
    octets[place] ^= 1 << chance.randrange(8)
    try:
        status = read_answer(bytes(octets), question, holder.anchor, RULES, NOW)
    except (Unusable, Rejected):
        return
    # What stands outside the signature and the answer may be changed: it decides nothing.
    assert status.word is Word.GOOD


def test_the_question_is_as_two_readers_and_openssl_read_it(
    signer: RequestSigner, holder: Holder, tmp_path: Path
) -> None:
    octets = encode_request(question_about(holder, NONCE), signer, DECLARED)
    (single,) = asn1.OCSPRequest.load(octets, strict=True)["tbs_request"]["request_list"]
    read, inner = ocsp.load_der_ocsp_request(octets), single["req_cert"]
    builder = ocsp.OCSPRequestBuilder().add_certificate(holder.certificate, holder.anchor.certificate, hashes.SHA256())
    built = ocsp.load_der_ocsp_request(builder.build().public_bytes(Encoding.DER))
    for name in ("serial_number", "issuer_name_hash", "issuer_key_hash"):
        assert getattr(read, name) == getattr(built, name) == inner[name].native
    assert read.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == NONCE
    words = {extension.oid.dotted_string: extension.value for extension in read.extensions}
    assert words["2.999.8.5.9.2"].public_bytes() == "\x0c\x06契約".encode()
    assert words["2.999.8.5.9.3"].public_bytes() == b"\x0c\x04shop"
    (tmp_path / "request").write_bytes(octets)
    printed = run("openssl", "ocsp", "-reqin", tmp_path / "request", "-req_text", "-noverify")
    for said in ("Requestor Name: DirName", "OCSP Nonce", "Signature Algorithm: ecdsa-with-SHA256"):
        assert said in printed


def test_anchors_of_two_generations_are_told_apart() -> None:
    first, second = (make_holder(f"signature-{name}").anchor for name in ("rsa2048", "p384"))
    assert isinstance(first, Anchor)
    assert first.certificate.subject == second.certificate.subject
    assert first.key_identifier != second.key_identifier
