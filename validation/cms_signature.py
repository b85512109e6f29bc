"""CMS signatures (RFC 5652): one signer, signed attributes, the content inside or beside. Runs in the sandbox."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any

from asn1crypto import cms, core, x509
from pyhanko.sign.general import CMSExtractionError, check_ess_certid, extract_signer_info, find_cms_attribute_iter
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import (
    extract_self_reported_ts,
    get_signing_cert_attr,
    validate_sig_integrity,
    validate_tst_signed_data,
)
from pyhanko.sign.validation.status import TimestampSignatureStatus
from pyhanko_certvalidator import ValidationContext

from domain.validations import Reason
from validation.finding import Examination, Finding, SigningTime, unread

_DIGESTS = frozenset(("sha256", "sha384", "sha512"))
_ALGORITHMS = frozenset(("rsassa_pkcs1v15", "rsassa_pss", "ecdsa"))

DigestOf = Callable[[str], bytes]
"""The digest of what was signed, by the name of the algorithm."""


def find_cms(examination: Examination, authorities: Sequence[bytes]) -> Finding:
    """What is to be said of a CMS signature: `document` is it, with the content inside, or the content with the
    signature beside. `authorities` are certificates (DER) of those whose time stamps prove a time.

    Raises Refusal(BAD_DOCUMENT), and whatever the parser raises.
    """
    inside = examination.signature is None
    signed = signed_data(examination.document if examination.signature is None else examination.signature)
    content = signed["encap_content_info"]["content"]
    if inside == (content.native is None):
        raise unread(
            "the content is not in the CMS signature; send it as the document, and the signature beside it"
            if inside
            else "the CMS signature beside the document has a content of its own; send it alone"
        )
    octets = bytes(content) if inside else examination.document
    return judge_signed(signed, lambda name: hashlib.new(name, octets).digest(), examination, authorities)


def signed_data(octets: bytes, *, padded: bool = False) -> cms.SignedData:
    """The SignedData over plain data in a ContentInfo, with nothing behind it, or zeros. Raises as `find_cms` does."""
    message = cms.ContentInfo.load(octets, strict=not padded)
    if any(octets[len(message.dump()) :]):
        raise unread("there are octets behind the end of the CMS signature")
    if message["content_type"].native != "signed_data":
        raise unread("the document is CMS, but not SignedData")
    signed = message["content"]
    if signed["encap_content_info"]["content_type"].native != "data":
        raise unread("the CMS signature is over something else than plain data")
    return signed


def judge_signed(
    signed: cms.SignedData, digest_of: DigestOf, examination: Examination, authorities: Sequence[bytes]
) -> Finding:
    """What is to be said of SignedData with one signer, over content with these digests. Raises as `find_cms` does.

    Signed attributes are wanted (RFC 5652 §5.3 leaves them out for plain data): without them, one signature could be
    read both as over the attributes and as over a content of the same octets.
    """
    certificate = x509.Certificate.load(examination.certificate, strict=True)
    try:
        signer = extract_signer_info(signed)
    except CMSExtractionError:
        raise unread("the CMS signature must have exactly one signer") from None
    attributes = signer["signed_attrs"]
    if attributes is core.VOID or not len(attributes):
        raise unread("the CMS signature has no signed attributes")
    named = get_signing_cert_attr(attributes)
    if not _names(signer["sid"], certificate) or (named and not check_ess_certid(certificate, named["certs"][0])):
        return Finding((Reason.OTHER_CERTIFICATE,))
    digest = signer["digest_algorithm"]["algorithm"].native
    if not _strong(signer["signature_algorithm"], digest):
        return Finding((Reason.WEAK_ALGORITHM,))
    try:
        intact, good = validate_sig_integrity(signer, certificate, "data", digest_of(digest))
    except SignatureValidationError:
        raise unread("the signed attributes of the CMS signature contradict it, or each other") from None
    if not (intact and good):
        return Finding((Reason.SIGNATURE_WRONG,))
    return Finding((), _proven(signer, examination.at, authorities) or _claimed(signer))


def _names(signer: cms.SignerIdentifier, certificate: x509.Certificate) -> bool:
    if signer.name == "subject_key_identifier":
        return bool(signer.native == certificate.key_identifier)
    chosen = signer.chosen
    return bool(chosen["serial_number"].native == certificate.serial_number and chosen["issuer"] == certificate.issuer)


def _strong(algorithm: cms.SignedDigestAlgorithm, digest: str) -> bool:
    """Whether algorithm and digest are accepted, and the algorithm does not name another digest."""
    if digest not in _DIGESTS or algorithm.signature_algo not in _ALGORITHMS:
        return False
    # The identifier of RSA alone leaves the digest to the other field.
    return bool(algorithm["algorithm"].native == "rsassa_pkcs1v15" or algorithm.hash_algo == digest)


def _claimed(signer: cms.SignerInfo) -> SigningTime | None:
    at = extract_self_reported_ts(signer)
    return None if at is None else SigningTime(whole(at), proven=False)


def whole(at: datetime) -> datetime:
    """The time in UTC and whole seconds; one without a zone is taken for UTC."""
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def _finished(work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """What a coroutine returns that waits for nothing, since nothing is fetched: a loop would open something."""
    try:
        work.send(None)
    except StopIteration as done:
        return dict(done.value)
    raise RuntimeError("something is waited for")


def _proven(signer: cms.SignerInfo, now: datetime, authorities: Sequence[bytes]) -> SigningTime | None:
    """The time of a signature time stamp (RFC 3161, RFC 5126 §6.1.1) of one of the authorities, valid now."""
    if not authorities:
        return None
    roots = [x509.Certificate.load(octets) for octets in authorities]
    signature = signer["signature"].native
    for stamp in find_cms_attribute_iter(signer["unsigned_attrs"], "signature_time_stamp_token"):
        context = ValidationContext(trust_roots=roots, allow_fetching=False, moment=now)
        checked = validate_tst_signed_data(
            stamp["content"], context, lambda name: hashlib.new(name, signature).digest()
        )
        status = TimestampSignatureStatus(**_finished(checked))
        if status.valid and status.intact and status.trusted:
            return SigningTime(whole(status.timestamp), proven=True)
    return None
