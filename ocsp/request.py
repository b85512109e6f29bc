"""OCSP requests read strictly: what is asked about, the nonce, and the optional signature."""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain import der, oids
from domain.errors import Code, Refusal

MAX_OCTETS = 16_384
"""No honest request is longer: 64 CertIDs of the longest hash, a nonce, a signature and its certificate fit."""

MAX_NONCE = 128

_HASHES = {
    der.oid(oids.SHA1): "sha1",
    der.oid(oids.SHA256): "sha256",
    der.oid(oids.SHA384): "sha384",
    der.oid(oids.SHA512): "sha512",
}
_NONCE = der.oid(oids.OCSP_NONCE)
_PURPOSE = der.oid(oids.REQUEST_PURPOSE)
_PROVIDER = der.oid(oids.REQUEST_PROVIDER)
_UNDERSTOOD = frozenset({_NONCE, _PURPOSE, _PROVIDER})
_LONGEST_WORD = 200
_NULL = der.tlv(der.NULL)
# X.690 §8.19: groups of seven bits, none of which begins with a zero group.
_OID = re.compile(rb"(?:(?:[\x81-\xff][\x80-\xff]*)?[\x00-\x7f])+")


@dataclass(frozen=True, slots=True, repr=False)
class CertId:
    """One certificate as a request names it. `octets` is the DER element as received, which the answer repeats.

    `algorithm` is the hash as `hashlib` calls it, or None for one that is not known here. `serial` is whatever integer
    was asked about, not yet one of ours.
    """

    octets: bytes
    algorithm: str | None
    name_hash: bytes
    key_hash: bytes
    serial: int


@dataclass(frozen=True, slots=True, repr=False)
class RequestSignature:
    """The optional signature over `OcspQuery.tbs`: AlgorithmIdentifier (DER), signature octets, certificates (DER)."""

    algorithm: bytes
    octets: bytes
    certificates: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, repr=False)
class OcspQuery:
    """A well-formed request. Its text form is left out on purpose: serials are protected."""

    cert_ids: tuple[CertId, ...]
    nonce: bytes | None
    tbs: bytes
    signature: RequestSignature | None
    purpose: str | None = None
    provider: str | None = None


def read_request(octets: bytes, max_cert_ids: int) -> OcspQuery:
    """The query in an OCSPRequest (RFC 6960 §4.1.1). Raises Refusal(MALFORMED) for anything but strict DER of it.

    requestorName is skipped (RFC 9919 §3.1.2 has it ignored). Extensions other than the nonce and our own two are
    ignored unless they are critical; then the request cannot be served as it wants to be and is refused (RFC 6960
    §4.1.2). Nonces of 1 to 128 octets are kept, others refused (RFC 9654 §2.1).
    """
    if len(octets) > MAX_OCTETS:
        raise Refusal(Code.MALFORMED, f"an OCSP request has at most {MAX_OCTETS} octets")
    try:
        return _read(octets, max_cert_ids)
    except der.DerError as error:
        raise Refusal(Code.MALFORMED, f"this is not an OCSP request in DER: {error}") from None


def plain_request(cert_id: bytes, nonce: bytes | None) -> bytes:
    """The request nearly all clients send: one CertID (DER), perhaps a nonce, no name, no signature, nothing else."""
    requests = der.sequence(der.sequence(cert_id))
    if nonce is None:
        return der.sequence(der.sequence(requests))
    return der.sequence(der.sequence(requests, der.explicit(2, der.sequence(nonce_extension(nonce)))))


def nonce_extension(nonce: bytes) -> bytes:
    """The Extension (DER) that carries a nonce, in requests and answers alike (RFC 9654 §2.1)."""
    return der.sequence(_NONCE, der.octet_string(der.octet_string(nonce)))


def _read(octets: bytes, max_cert_ids: int) -> OcspQuery:
    start, end = der.only(octets, der.SEQUENCE)
    content, stop = der.expect(octets, der.SEQUENCE, start, end)
    signature = None
    if stop < end:
        signature = _read_signature(octets, *_last(octets, 0xA0, stop, end))
    at = content
    tag, inner, after = der.read(octets, at, stop)
    if tag == 0xA0:
        raise der.DerError("only version 1 is known, and DER leaves it out")
    if tag == 0xA1:
        _skip_name(octets, inner, after)
        at = after
    inner, after = der.expect(octets, der.SEQUENCE, at, stop)
    cert_ids = tuple(_read_single(octets, *element) for element in der.elements(octets, inner, after))
    if not 1 <= len(cert_ids) <= max_cert_ids:
        raise der.DerError(f"want 1 to {max_cert_ids} certificates in a request, got {len(cert_ids)}")
    extensions: dict[bytes, bytes] = {}
    if after < stop:
        extensions = _read_extensions(octets, *_last(octets, 0xA2, after, stop), understood=_UNDERSTOOD)
    words = (_read_word(extensions.get(name)) for name in (_PURPOSE, _PROVIDER))
    return OcspQuery(cert_ids, _read_nonce(extensions), octets[start:stop], signature, *words)


def _last(octets: bytes, tag: int, start: int, end: int) -> tuple[int, int]:
    """(start, end) of the contents of the element that must fill what is left."""
    content, stop = der.expect(octets, tag, start, end)
    if stop != end:
        raise der.DerError("there are octets after the end of a part")
    return content, stop


def _skip_name(octets: bytes, start: int, end: int) -> None:
    tag, _, stop = der.read(octets, start, end)
    if not 0x80 <= tag & 0xDF <= 0x88 or stop != end:
        raise der.DerError("requestorName is not one GeneralName")


def _read_single(octets: bytes, tag: int, _: int, start: int, end: int) -> CertId:
    if tag != der.SEQUENCE:
        raise der.DerError("the request list holds something else than requests")
    content, stop = der.expect(octets, der.SEQUENCE, start, end)
    if stop < end:
        _read_extensions(octets, *_last(octets, 0xA0, stop, end))
    algorithm_start, algorithm_end = der.expect(octets, der.SEQUENCE, content, stop)
    algorithm, parameters = _read_algorithm(octets, algorithm_start, algorithm_end)
    known = _HASHES.get(algorithm)
    if known and parameters not in (b"", _NULL):
        raise der.DerError("a hash algorithm has parameters other than NULL")
    name_start, name_end = der.expect(octets, der.OCTET_STRING, algorithm_end, stop)
    key_start, key_end = der.expect(octets, der.OCTET_STRING, name_end, stop)
    serial = der.read_integer(octets, *_last(octets, der.INTEGER, key_end, stop))
    return CertId(octets[start:stop], known, octets[name_start:name_end], octets[key_start:key_end], serial)


def _read_algorithm(octets: bytes, start: int, end: int) -> tuple[bytes, bytes]:
    """(OBJECT IDENTIFIER element, parameters element or nothing) of an AlgorithmIdentifier's contents."""
    stop = _read_oid(octets, start, end)
    if stop < end and der.read(octets, stop, end)[2] != end:
        raise der.DerError("an algorithm has more than one parameter")
    return octets[start:stop], octets[stop:end]


def _read_oid(octets: bytes, start: int, end: int) -> int:
    """Where the OBJECT IDENTIFIER element at `start` ends."""
    content, stop = der.expect(octets, der.OID, start, end)
    if not _OID.fullmatch(octets, content, stop):
        raise der.DerError("an object identifier is not in its shortest form")
    return stop


def _read_extensions(
    octets: bytes, start: int, end: int, understood: frozenset[bytes] = frozenset()
) -> dict[bytes, bytes]:
    """Values by OBJECT IDENTIFIER element. Refuses duplicates, none at all, and critical ones not `understood`."""
    content, stop = _last(octets, der.SEQUENCE, start, end)
    found: dict[bytes, bytes] = {}
    for tag, _, at, after in der.elements(octets, content, stop):
        if tag != der.SEQUENCE:
            raise der.DerError("the extensions hold something else than extensions")
        value_at = _read_oid(octets, at, after)
        name = octets[at:value_at]
        critical = octets.startswith(b"\x01\x01\xff", value_at, after)
        value_start, value_end = _last(octets, der.OCTET_STRING, value_at + 3 * critical, after)
        if name in found:
            raise der.DerError("an extension stands twice")
        if critical and name not in understood:
            raise der.DerError("a critical extension is not known here; send the request without it")
        found[name] = octets[value_start:value_end]
    if not found:
        raise der.DerError("there are extensions without any extension")
    return found


def _read_nonce(extensions: dict[bytes, bytes]) -> bytes | None:
    value = extensions.get(_NONCE)
    if value is None:
        return None
    start, end = der.only(value, der.OCTET_STRING)
    if not 1 <= end - start <= MAX_NONCE:
        raise der.DerError(f"a nonce has 1 to {MAX_NONCE} octets")
    return value[start:end]


def _read_word(value: bytes | None) -> str | None:
    """The text of one of our own extensions, a UTF8String."""
    if value is None:
        return None
    start, end = der.only(value, der.UTF8_STRING)
    try:
        word = value[start:end].decode()
    except UnicodeDecodeError:
        word = ""
    if not word.isprintable() or not 1 <= len(word) <= _LONGEST_WORD:
        raise der.DerError(f"a purpose or provider is a text of 1 to {_LONGEST_WORD} printable characters")
    return word


def _read_signature(octets: bytes, start: int, end: int) -> RequestSignature:
    content, stop = _last(octets, der.SEQUENCE, start, end)
    algorithm_start, algorithm_end = der.expect(octets, der.SEQUENCE, content, stop)
    _read_algorithm(octets, algorithm_start, algorithm_end)
    bits_start, bits_end = der.expect(octets, der.BIT_STRING, algorithm_end, stop)
    if octets[bits_start : bits_start + 1] != b"\x00":
        raise der.DerError("the signature is not whole octets")
    certificates: list[bytes] = []
    if bits_end < stop:
        list_start, list_end = _last(octets, der.SEQUENCE, *_last(octets, 0xA0, bits_end, stop))
        for tag, at, _, after in der.elements(octets, list_start, list_end):
            if tag != der.SEQUENCE:
                raise der.DerError("the certificates hold something else than certificates")
            certificates.append(octets[at:after])
    return RequestSignature(octets[content:algorithm_end], octets[bits_start + 1 : bits_end], tuple(certificates))
