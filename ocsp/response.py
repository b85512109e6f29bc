"""OCSP answers as octets: what is signed, what is sent, and the unsigned errors."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from functools import cache, lru_cache
from typing import Final, NamedTuple

from domain import der, oids
from domain.certificates import Validity
from domain.revocation import CrlReason
from domain.status import CertificateStatus
from ocsp.request import nonce_extension

_header = lru_cache(maxsize=4096)(der.header)
_BASIC: Final = der.oid(oids.OCSP_BASIC)
_EXTENDED_REVOKE: Final = der.sequence(der.oid(oids.OCSP_EXTENDED_REVOKE), der.octet_string(der.tlv(der.NULL)))
_SUCCESSFUL: Final = der.tlv(der.ENUMERATED, b"\x00")
_GOOD: Final = der.implicit(0, b"")
_UNKNOWN: Final = der.implicit(2, b"")


class ErrorStatus(IntEnum):
    """OCSPResponseStatus of the unsigned answers (RFC 6960 §4.2.1). sigRequired is not used: mutual TLS would do."""

    MALFORMED_REQUEST = 1
    INTERNAL_ERROR = 2
    TRY_LATER = 3
    UNAUTHORIZED = 6


class OcspAnswer(NamedTuple):
    """Octets for the client and what the door needs beside them.

    `outcome` is a label for counting: good, revoked, unknown, mixed, or the name of the error. `max_age` is in seconds;
    with 0 no cache may store the answer, otherwise it may until then, and `shared` says whether a shared cache may:
    not where status is given to verifiers only. The times are set for signed answers.
    """

    der: bytes
    outcome: str
    max_age: int = 0
    shared: bool = False
    produced_at: datetime | None = None
    next_update: datetime | None = None


@cache
def error_response(status: ErrorStatus) -> bytes:
    """An OCSPResponse without responseBytes."""
    return der.sequence(der.tlv(der.ENUMERATED, bytes((status,))))


def certificate_status(status: CertificateStatus) -> bytes:
    """CertStatus (RFC 6960 §4.2.1). The reason is left out where it is unspecified (RFC 5280 §5.3.1) or None."""
    if status.word == "good":
        return _GOOD
    if status.word == "unknown":
        return _UNKNOWN
    if status.revoked_at is None:
        raise ValueError("a revoked status needs its time")
    moment = der.generalized_time(status.revoked_at)
    if status.reason in (None, CrlReason.UNSPECIFIED):
        return der.explicit(1, moment)
    return der.explicit(1, moment, der.explicit(0, der.tlv(der.ENUMERATED, bytes((status.reason,)))))


def update_times(period: Validity) -> bytes:
    """thisUpdate and nextUpdate of a SingleResponse: all answers of one second share them."""
    return der.generalized_time(period.not_before) + der.explicit(0, der.generalized_time(period.not_after))


def produced_by(key_hash: bytes, now: datetime) -> bytes:
    """responderID by key, as RFC 9919 §3.2.2 demands, and producedAt. The version is v1, so absent."""
    return der.explicit(2, der.octet_string(key_hash)) + der.generalized_time(now)


def single_response(cert_id: bytes, status: CertificateStatus, times: bytes) -> bytes:
    """SingleResponse for the CertID as it was received, with `times` of `update_times`."""
    body = cert_id + (_GOOD if status.word == "good" else certificate_status(status)) + times
    return _header(der.SEQUENCE, len(body)) + body


def response_data(produced: bytes, singles: bytes, nonce: bytes | None, extended_revoke: bool) -> bytes:
    """ResponseData, the octets to be signed, with `produced` of `produced_by` and one or more of `single_response`.

    `extended_revoke` says that a never-issued certificate is called revoked (RFC 6960 §4.4.8).
    """
    body = produced + _header(der.SEQUENCE, len(singles)) + singles
    if nonce is not None or extended_revoke:
        body += _extensions(len(nonce or b""), extended_revoke) + (nonce or b"")
    return _header(der.SEQUENCE, len(body)) + body


@lru_cache(maxsize=512)
def _extensions(nonce_length: int, extended_revoke: bool) -> bytes:
    """responseExtensions up to the nonce's octets, which end them; 0 stands for no nonce."""
    extensions = _EXTENDED_REVOKE if extended_revoke else b""
    if nonce_length:
        extensions += nonce_extension(bytes(nonce_length))
    element = der.explicit(1, der.sequence(extensions))
    return element[: len(element) - nonce_length]


def successful_response(tbs: bytes, algorithm: bytes, signature: bytes, certificate: bytes) -> bytes:
    """OCSPResponse around BasicOCSPResponse, with the responder's certificate in it (RFC 9919 §3.2.2)."""
    before, between, after = frame(len(tbs), algorithm, len(signature), certificate)
    return b"".join((before, tbs, between, signature, after))


@lru_cache(maxsize=4096)
def frame(tbs: int, algorithm: bytes, signature: int, certificate: bytes) -> tuple[bytes, bytes, bytes]:
    """What stands before, between and after a ResponseData and a signature of these lengths."""
    between = algorithm + der.header(der.BIT_STRING, signature + 1) + b"\x00"
    after = der.explicit(0, der.sequence(certificate))
    length, before = tbs + len(between) + signature + len(after), b""
    # From the inside out; each wrapping may come with something in front of what it wraps.
    for tag, first in (
        (der.SEQUENCE, b""),
        (der.OCTET_STRING, b""),
        (der.SEQUENCE, _BASIC),
        (0xA0, b""),
        (der.SEQUENCE, _SUCCESSFUL),
    ):
        before = first + before
        before = der.header(tag, len(before) + length) + before
    return before, between, after
