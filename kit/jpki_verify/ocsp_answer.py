"""Answers of the authority's OCSP responder: held against the question before anything in them is believed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from jpki_verify.anchors import Anchor, fingerprint, key_identifier, within
from jpki_verify.extensions import extension
from jpki_verify.ocsp_request import Question
from jpki_verify.rejection import Code, Reason, Rejected, Unusable
from jpki_verify.signatures import PublicKey, issued_by, key_of, verify

LARGEST_ANSWER = 1 << 16


class Word(StrEnum):
    """What is said of a certificate. *Unknown* is no *good*, and no reason to ask somebody else."""

    GOOD = "good"
    REVOKED = "revoked"
    HELD = "held"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Status:
    """A status as of `as_of`, and since when it is so, if that was told."""

    word: Word
    as_of: datetime
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """`tolerance` is how far the responder's clock and ours may be apart; `distrusted` are SHA-256 of certificates."""

    tolerance: timedelta
    distrusted: frozenset[bytes]


_ERRORS = {
    ocsp.OCSPResponseStatus.TRY_LATER: Reason.TRY_LATER,
    ocsp.OCSPResponseStatus.INTERNAL_ERROR: Reason.INTERNAL_ERROR,
    ocsp.OCSPResponseStatus.MALFORMED_REQUEST: Reason.REQUEST_REFUSED,
}


def read_answer(octets: bytes, question: Question, anchor: Anchor, rules: AnswerRules, now: datetime) -> Status:
    """The status in an OCSPResponse (DER).

    Raises Rejected(NOT_ADMITTED) when the responder does not know this verifier, and Unusable for anything that is no
    answer to this question, now, by somebody who may give it: RFC 6960 §3.2, and the nonce of RFC 9654.
    """
    try:
        answer = ocsp.load_der_ocsp_response(octets)
        if answer.response_status in (ocsp.OCSPResponseStatus.UNAUTHORIZED, ocsp.OCSPResponseStatus.SIG_REQUIRED):
            raise Rejected(
                Code.NOT_ADMITTED, "the authority does not answer this verifier about certificates of this kind"
            )
        if answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise Unusable(_ERRORS[answer.response_status])
        _require_responder(answer, anchor, rules, now)
        return _read_single(answer, question, rules, now)
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, NotImplementedError, Warning):
        raise Unusable(Reason.UNREADABLE) from None


def _require_responder(answer: ocsp.OCSPResponse, anchor: Anchor, rules: AnswerRules, now: datetime) -> None:
    """Signed by the issuer's own key or by one that it delegated to directly (RFC 6960 §4.2.2.2)."""
    key = _responder_key(answer, anchor, rules, now)
    if not verify(key, answer.signature_hash_algorithm, answer.tbs_response_bytes, answer.signature):
        raise Unusable(Reason.BAD_SIGNATURE)


def _responder_key(answer: ocsp.OCSPResponse, anchor: Anchor, rules: AnswerRules, now: datetime) -> PublicKey:
    if _names(answer, anchor.certificate):
        return anchor.key
    for certificate in answer.certificates:
        key = key_of(certificate)
        if key and _names(answer, certificate) and _delegated(certificate, anchor, rules.distrusted):
            if not within(certificate, now):
                raise Unusable(Reason.STALE)
            return key
    raise Unusable(Reason.WRONG_RESPONDER)


def _names(answer: ocsp.OCSPResponse, certificate: x509.Certificate) -> bool:
    """Whether the responder id, by key or by name, is that of this certificate."""
    if answer.responder_key_hash is not None:
        return answer.responder_key_hash == key_identifier(certificate)
    return answer.responder_name == certificate.subject


def _delegated(certificate: x509.Certificate, anchor: Anchor, distrusted: frozenset[bytes]) -> bool:
    """By the issuer's key itself, for OCSP, and without need to look whether the responder was revoked
    (RFC 6960 §4.2.2.2.1): one whose certificate must be looked up is not taken."""
    usages = extension(certificate, x509.ExtendedKeyUsage)
    usage = extension(certificate, x509.KeyUsage)
    return (
        issued_by(certificate, anchor.certificate)
        and usages is not None
        and ExtendedKeyUsageOID.OCSP_SIGNING in usages
        and (usage is None or usage.digital_signature)
        and extension(certificate, x509.OCSPNoCheck) is not None
        and fingerprint(certificate) not in distrusted
    )


def _read_single(answer: ocsp.OCSPResponse, question: Question, rules: AnswerRules, now: datetime) -> Status:
    found = extension(answer, x509.OCSPNonce)
    if found is None or found.nonce != question.nonce:
        raise Unusable(Reason.WRONG_NONCE)
    singles = list(answer.responses)
    if len(singles) != 1 or not _is_about(singles[0], question):
        raise Unusable(Reason.OTHER_CERTIFICATE)
    single = singles[0]
    # The nonce shows that the answer was made after the question: if its times are others than ours, one of the two
    # clocks is wrong.
    if max(single.this_update_utc, answer.produced_at_utc) > now + rules.tolerance:
        raise Unusable(Reason.FROM_THE_FUTURE)
    if answer.produced_at_utc < now - rules.tolerance:
        raise Unusable(Reason.STALE)
    if single.next_update_utc is None or single.next_update_utc < now:
        raise Unusable(Reason.STALE)
    if any(extension.critical for extension in (*answer.single_extensions, *_beside_nonce(answer))):
        raise Unusable(Reason.UNREADABLE)
    return _status(single)


def _is_about(single: ocsp.OCSPSingleResponse, question: Question) -> bool:
    return (
        isinstance(single.hash_algorithm, hashes.SHA256)
        and single.issuer_name_hash == question.name_hash
        and single.issuer_key_hash == question.key_hash
        and single.serial_number == question.serial
    )


def _beside_nonce(answer: ocsp.OCSPResponse) -> list[x509.Extension[x509.ExtensionType]]:
    return [extension for extension in answer.extensions if not isinstance(extension.value, x509.OCSPNonce)]


def _status(single: ocsp.OCSPSingleResponse) -> Status:
    as_of = single.this_update_utc
    match single.certificate_status:
        case ocsp.OCSPCertStatus.GOOD:
            return Status(Word.GOOD, as_of)
        case ocsp.OCSPCertStatus.REVOKED:
            held = single.revocation_reason is x509.ReasonFlags.certificate_hold
            return Status(Word.HELD if held else Word.REVOKED, as_of, single.revocation_time_utc)
        case _:
            return Status(Word.UNKNOWN, as_of)
