"""The judge before the signature: to-be-signed octets against the profile that promised them, by another library."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography import x509

from ca.lint_extensions import extension_faults
from ca.lint_fields import VERSION_3, is_key, subject_faults, tells_items, validity_faults
from ca.lint_frames import fits, learn
from ca.octets import PARSING_FAULTS, name_parts, subject_parts, tbs_fields
from domain import der
from domain.certificates import Issuer
from domain.errors import Code, Refusal
from domain.serial import OCTETS
from domain.signing import LintedTbs, assemble
from policies.profile import Profile


def lint_tbs(tbs: bytes, profile: Profile, issuer: Issuer | None, algorithm: bytes) -> LintedTbs:
    """The octets, fit for one signature with `algorithm` by `issuer` (None: by the certified key itself).

    Judged from the octets alone, read by our strict reader and by cryptography: version, serial, algorithm, issuer
    name, validity, subject, key, and of the extensions order, presence, criticality and meaning, exactly as the profile
    has them (RFC 5280 §4.1, §4.2). Raises Refusal(LINT) with every fault found; a fault is an error of ours or an
    altered record, never the caller's.
    """
    if issuer and fits(tbs, profile, issuer, algorithm):
        return LintedTbs(tbs)
    try:
        faults = tuple(_faults(tbs, profile, issuer, algorithm))
    except PARSING_FAULTS:
        faults = ("the octets cannot be read",)
    if faults:
        raise Refusal(Code.LINT, f"a certificate of profile {profile.name} was not signed: {'; '.join(faults)}")
    if issuer:
        learn(tbs_fields(tbs), profile, issuer)
    return LintedTbs(tbs)


def _faults(tbs: bytes, profile: Profile, issuer: Issuer | None, algorithm: bytes) -> Iterator[str]:
    fields = tbs_fields(tbs)
    if fields.version != VERSION_3:
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
    yield from validity_faults(fields.not_before, fields.not_after, profile.validity, issuer)
    yield from subject_faults(subject_parts(fields.subject), profile.subject, name_parts(fields.issuer))
    if not any(is_key(fields.spki, name) for name in profile.keys):
        yield "the key is none of those the profile allows"
    if tells_items(tbs, profile):
        yield "one of the four items stands in a certificate that must not tell them"
    yield from extension_faults(fields, certificate, profile, issuer)
