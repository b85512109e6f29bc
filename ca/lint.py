"""The judge before the signature: to-be-signed octets against the profile that promised them, by another library."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from cryptography import x509

from ca.lint_extensions import extension_faults
from ca.octets import PARSING_FAULTS, NameParts, TbsFields, moment_of, name_parts, subject_parts, tbs_fields
from domain import der, oids
from domain.certificates import Issuer
from domain.errors import Code, Refusal
from domain.serial import OCTETS
from domain.signing import LintedTbs, assemble
from policies.profile import Profile, ValidityRule

# What a SubjectPublicKeyInfo of each kind begins and ends with, and its length: RFC 3279 §2.3.1, RFC 5480 §2.
_KEYS = {
    "rsa-2048": ("30820122300d06092a864886f70d01010105000382010f003082010a0282010100", "0203010001", 294),
    "ec-p256": ("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "", 91),
    "ec-p384": ("3076301006072a8648ce3d020106052b8104002203620004", "", 120),
}
KEYS = {name: (bytes.fromhex(head), bytes.fromhex(tail), size) for name, (head, tail, size) in _KEYS.items()}

SUBJECTS = {
    "signature-holder": (oids.COUNTRY, oids.LOCALITY, oids.LOCALITY, oids.COMMON_NAME),
    "authentication-holder": (oids.COUNTRY, oids.COMMON_NAME),
}
"""Attribute types of the subjects of holders, in order; those of authorities are configuration."""
_SUBJECT_TYPES = {scheme: [der.oid(kind) for kind in kinds] for scheme, kinds in SUBJECTS.items()}
_IDENTIFIER = re.compile(rb"[0-9A-V]{14}[0-9]{5}[0-9A-V]{4}")

_VERSION_3 = b"\xa0\x03\x02\x01\x02"
_FOUR_ITEMS_ARC = der.oid(oids.JPKI_COMMON_NAME)[2:-1]


def lint_tbs(tbs: bytes, profile: Profile, issuer: Issuer | None, algorithm: bytes) -> LintedTbs:
    """The octets, fit for one signature with `algorithm` by `issuer` (None: by the certified key itself).

    Judged from the octets alone, read by our strict reader and by cryptography: version, serial, algorithm, issuer
    name, validity, subject, key, and of the extensions order, presence, criticality and meaning, exactly as the profile
    has them (RFC 5280 §4.1, §4.2). Raises Refusal(LINT) with every fault found; a fault is an error of ours or an
    altered record, never the caller's.
    """
    try:
        faults = tuple(_faults(tbs, profile, issuer, algorithm))
    except PARSING_FAULTS:
        faults = ("the octets cannot be read",)
    if faults:
        raise Refusal(Code.LINT, f"a certificate of profile {profile.name} was not signed: {'; '.join(faults)}")
    return LintedTbs(tbs)


def _faults(tbs: bytes, profile: Profile, issuer: Issuer | None, algorithm: bytes) -> Iterator[str]:
    fields = tbs_fields(tbs)
    if fields.version != _VERSION_3:
        yield "the version is not 3"
        return
    if fields.serial[:2] != bytes((der.INTEGER, OCTETS)) or not 0x40 <= fields.serial[2] < 0x80:
        yield f"the serial is not a positive number of {OCTETS} octets"
        return
    certificate = x509.load_der_x509_certificate(assemble(tbs, algorithm, b"\x00"))
    if fields.algorithm != algorithm:
        yield "the signature algorithm is not the signer's"
    if fields.issuer != (issuer.subject if issuer else fields.subject):
        yield "the issuer name is not the issuer's subject octet for octet"
    yield from _validity(fields, profile.validity, issuer)
    yield from _subject(subject_parts(fields.subject), profile.subject, name_parts(fields.issuer))
    if not any(_is_key(fields.spki, name) for name in profile.keys):
        yield "the key is none of those the profile allows"
    if profile.purpose != "signature" and _FOUR_ITEMS_ARC in tbs:
        yield "one of the four items stands in a certificate that must not tell them"
    yield from extension_faults(fields, certificate, profile, issuer)


def _validity(fields: TbsFields, rule: ValidityRule, issuer: Issuer | None) -> Iterator[str]:
    begin, end = moment_of(fields.not_before), moment_of(fields.not_after)
    for octets, moment in ((fields.not_before, begin), (fields.not_after, end)):
        if octets[0] != (der.UTC_TIME if moment.year < 2050 else der.GENERALIZED_TIME):
            yield "a time has the wrong type: UTCTime through 2049, GeneralizedTime from 2050"
    if end < begin:
        yield "the validity ends before it begins"
    if issuer and not (issuer.validity.not_before <= begin and end <= issuer.validity.not_after):
        yield "the validity is not within the issuer's"
    if end - begin >= _longest(rule):
        yield "the validity is longer than the rule of the profile"
    if rule.days is None and not _ends_a_day_in_japan(end) and not (issuer and end == issuer.validity.not_after):
        yield "the validity does not end with the last second of a day in Japan"


def _longest(rule: ValidityRule) -> timedelta:
    """A bound that no validity under the rule reaches: its last second is still valid, so N days end before N days."""
    # A renewal runs one birthday further; on the day of a birthday it runs for that many whole years.
    years = rule.birthdays + bool(rule.renewal_months) if rule.birthdays else rule.years
    return timedelta(days=366 * years + 1) if years else timedelta(days=rule.days or 0)


def _ends_a_day_in_japan(end: datetime) -> bool:
    return (end.hour, end.minute, end.second) == (14, 59, 59)


def _subject(parts: NameParts, scheme: str, authority: NameParts) -> Iterator[str]:
    if parts[:1] != authority[:1]:
        yield "the subject does not begin with the country of its issuer"
    if scheme in _SUBJECT_TYPES and [kind for kind, _ in parts] != _SUBJECT_TYPES[scheme]:
        yield "the subject does not have the attributes of its scheme"
    elif scheme in _SUBJECT_TYPES and not _IDENTIFIER.fullmatch(parts[-1][1]):
        yield "the common name of the subject is not an identifier"


def _is_key(spki: bytes, name: str) -> bool:
    head, tail, size = KEYS[name]
    sound = name != "rsa-2048" or spki[len(head) : len(head) + 1] >= b"\x80"  # all 2,048 bits
    return sound and len(spki) == size and spki.startswith(head) and spki.endswith(tail)
