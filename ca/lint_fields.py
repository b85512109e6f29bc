"""Fields of a TBSCertificate before the judge: validity, subject and key, compared with what a profile promises."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from ca.octets import NameParts, moment_of
from domain import der, oids
from domain.certificates import Issuer
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
IDENTIFIER = re.compile(rb"[0-9A-V]{14}[0-9]{5}[0-9A-V]{4}")

VERSION_3 = b"\xa0\x03\x02\x01\x02"
_FOUR_ITEMS_ARC = der.oid(oids.JPKI_COMMON_NAME)[2:-1]


def validity_faults(not_before: bytes, not_after: bytes, rule: ValidityRule, issuer: Issuer | None) -> Iterator[str]:
    """What is wrong with a validity (Time elements) under the rule and the issuer's. Raises ValueError."""
    begin, end = moment_of(not_before), moment_of(not_after)
    for octets, moment in ((not_before, begin), (not_after, end)):
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


def subject_faults(parts: NameParts, scheme: str, authority: NameParts) -> Iterator[str]:
    """What is wrong with a subject of that scheme under an authority of that name."""
    if parts[:1] != authority[:1]:
        yield "the subject does not begin with the country of its issuer"
    if scheme in _SUBJECT_TYPES and [kind for kind, _ in parts] != _SUBJECT_TYPES[scheme]:
        yield "the subject does not have the attributes of its scheme"
    elif scheme in _SUBJECT_TYPES and not IDENTIFIER.fullmatch(parts[-1][1]):
        yield "the common name of the subject is not an identifier"


def is_key(spki: bytes, name: str) -> bool:
    """Whether a SubjectPublicKeyInfo (DER) is of a key that profiles call so."""
    head, tail, size = KEYS[name]
    sound = name != "rsa-2048" or spki[len(head) : len(head) + 1] >= b"\x80"  # all 2,048 bits
    return sound and len(spki) == size and spki.startswith(head) and spki.endswith(tail)


def tells_items(tbs: bytes, profile: Profile) -> bool:
    """Whether one of the four items stands where the profile must not tell them."""
    return profile.purpose != "signature" and _FOUR_ITEMS_ARC in tbs
