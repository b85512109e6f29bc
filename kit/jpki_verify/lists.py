"""Revocation lists (CRLs) by municipality: fetched where the certificate says, checked, kept in memory only.

A list names the serials of a whole municipality, so that none is ever written to a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from jpki_verify.anchors import Anchor
from jpki_verify.certificates import Holder
from jpki_verify.extensions import extension
from jpki_verify.ocsp_answer import Status, Word
from jpki_verify.rejection import Reason, Unusable
from jpki_verify.settings import Kind
from jpki_verify.signatures import verify

MEDIA_TYPE = "application/pkix-crl"
FRESH = timedelta(minutes=5)
"""How long a list in memory is used before it is fetched again."""

Fetch = Callable[[str, Kind], bytes]
"""The octets at an address, fetched for certificates of that kind. Raises Unusable."""

Newest = Callable[[str, int], bool]
"""(scope, number of a list) -> whether no newer list of the scope was ever seen; the number is kept."""

_UNDERSTOOD = (x509.IssuingDistributionPoint, x509.AuthorityKeyIdentifier, x509.CRLNumber)
_PATH = re.compile(r"/([a-z0-9-]+/[0-9]{5}\.crl)$")


@dataclass(frozen=True, slots=True)
class ListRules:
    """`base` is the address under which all lists lie; `oldest` is how old a list may be, even if its own nextUpdate
    lets it live longer."""

    base: str
    tolerance: timedelta
    oldest: timedelta


@dataclass(frozen=True, slots=True, repr=False)
class _Kept:
    found: x509.CertificateRevocationList
    fetched: datetime


class Lists:
    """The lists of all partitions that were asked for lately."""

    def __init__(self, rules: ListRules, fetch: Fetch, newest: Newest) -> None:
        self._rules, self._fetch, self._newest = rules, fetch, newest
        self._kept: dict[tuple[bytes, str], _Kept] = {}
        self._lock = Lock()

    def status_of(self, holder: Holder, now: datetime) -> Status:
        """What the list of the holder's partition says. It cannot tell what was never issued. Raises Unusable."""
        path, names = _place(holder.certificate)
        key = (holder.anchor.digest, path)
        with self._lock:
            kept = self._kept.get(key)
        if kept is None or not timedelta() <= now - kept.fetched < FRESH:
            found = self._read(self._fetch(f"{self._rules.base}/{path}", holder.kind), holder.anchor)
            kept = _Kept(found, now)
        _require_scope(kept.found, names)
        self._require_time(kept.found, now)
        if not self._newest(f"{holder.anchor.key_identifier.hex()}/{path}", _number(kept.found)):
            raise Unusable(Reason.ROLLED_BACK)
        with self._lock:
            self._kept[key] = kept
        return _look_up(kept.found, holder.certificate.serial_number)

    def _read(self, octets: bytes, anchor: Anchor) -> x509.CertificateRevocationList:
        try:
            found = x509.load_der_x509_crl(octets)
            signed = verify(anchor.key, found.signature_hash_algorithm, found.tbs_certlist_bytes, found.signature)
            critical = [extension for extension in found.extensions if extension.critical]
        except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, Warning):
            raise Unusable(Reason.UNREADABLE) from None
        if not signed or found.issuer != anchor.certificate.subject:
            raise Unusable(Reason.BAD_SIGNATURE)
        # A delta list is one of these: it names changes only, and taken for a list it would call the revoked good.
        if not all(isinstance(extension.value, _UNDERSTOOD) for extension in critical):
            raise Unusable(Reason.INCOMPLETE)
        return found

    def _require_time(self, found: x509.CertificateRevocationList, now: datetime) -> None:
        if found.last_update_utc > now + self._rules.tolerance:
            raise Unusable(Reason.FROM_THE_FUTURE)
        if found.next_update_utc is None or found.next_update_utc < now:
            raise Unusable(Reason.STALE)
        if now - found.last_update_utc > self._rules.oldest:
            raise Unusable(Reason.STALE)


def _place(certificate: x509.Certificate) -> tuple[str, frozenset[x509.GeneralName]]:
    """The path of the partition's list, and the names of its distribution point. Only the last two parts of the address
    in the certificate count: where lists lie is for the settings to say."""
    points = extension(certificate, x509.CRLDistributionPoints)
    if points is None or len(points) != 1 or points[0].reasons or points[0].crl_issuer or not points[0].full_name:
        raise Unusable(Reason.NO_ADDRESS)
    names = frozenset(points[0].full_name)
    for name in names:
        if isinstance(name, x509.UniformResourceIdentifier) and (found := _PATH.search(name.value)):
            return found[1], names
    raise Unusable(Reason.NO_ADDRESS)


def _require_scope(found: x509.CertificateRevocationList, names: frozenset[x509.GeneralName]) -> None:
    """It covers this holder's partition, all reasons, and holders' certificates (RFC 5280 §6.3.3 (b)(2), (d))."""
    point = extension(found, x509.IssuingDistributionPoint)
    if point is None or not names & frozenset(point.full_name or ()):
        raise Unusable(Reason.OTHER_PARTITION)
    if point.only_contains_ca_certs or point.only_contains_attribute_certs:
        raise Unusable(Reason.OTHER_PARTITION)
    if point.only_some_reasons or point.indirect_crl:
        raise Unusable(Reason.INCOMPLETE)


def _number(found: x509.CertificateRevocationList) -> int:
    number = extension(found, x509.CRLNumber)
    if number is None:
        raise Unusable(Reason.UNREADABLE)
    return number.crl_number


def _look_up(found: x509.CertificateRevocationList, serial: int) -> Status:
    as_of = found.last_update_utc
    try:
        entry = found.get_revoked_certificate_by_serial_number(serial)
        if entry is None:
            return Status(Word.GOOD, as_of)
        reason = extension(entry, x509.CRLReason)
        critical = any(extension.critical for extension in entry.extensions)
    except (ValueError, x509.DuplicateExtension, Warning):
        raise Unusable(Reason.UNREADABLE) from None
    # removeFromCRL has no place in a whole list (RFC 5280 §5.3.1): whoever wrote that meant something else.
    if critical or (reason and reason.reason is x509.ReasonFlags.remove_from_crl):
        raise Unusable(Reason.INCOMPLETE)
    held = reason is not None and reason.reason is x509.ReasonFlags.certificate_hold
    return Status(Word.HELD if held else Word.REVOKED, as_of, entry.revocation_date_utc)
