"""A certificate as decided and not yet signed."""

from __future__ import annotations

from dataclasses import dataclass

from domain.certificates import Issuer, IssuerId, Kind, Validity
from domain.errors import Code, Refusal
from domain.names import Name
from domain.people import Municipality
from domain.serial import SerialNumber
from policies.distribution import Locations, authority_point, municipal_point
from policies.keys import SubjectKey, key_identifier
from policies.profile import Profile
from policies.subject import AuthorityNames, FourItems, holder_subject, responder_subject

__all__ = [
    "AuthorityNames",
    "CertificatePlan",
    "FourItems",
    "Locations",
    "plan_authority",
    "plan_leaf",
    "plan_responder",
]


@dataclass(frozen=True, slots=True)
class CertificatePlan:
    """Everything the octets of a certificate depend on. `issuer` is None for a self-signed certificate; then
    `issuer_subject` and `key_identifier` are its own."""

    profile: Profile
    issuer: Issuer | None
    names: AuthorityNames
    serial: SerialNumber
    subject: Name
    validity: Validity
    spki: bytes
    key_identifier: bytes
    distribution_point: bytes | None
    locations: Locations
    four_items: FourItems | None = None


def plan_leaf(
    profile: Profile,
    issuer: Issuer,
    names: AuthorityNames,
    locations: Locations,
    *,
    municipality: Municipality,
    serial: SerialNumber,
    identifier: str,
    key: SubjectKey,
    validity: Validity,
    four_items: FourItems | None = None,
) -> CertificatePlan:
    """The plan of a holder's certificate, from values that were each judged before (`accept_key`, `leaf_validity`).

    Raises Refusal(BAD_PLAN) when profile and issuer are of different kinds, when the four items are missing from a
    signing certificate or given to an authentication certificate, when the key is none of the profile's, and when
    the certificate would begin before its issuer or outlive it.
    """
    _require(profile.purpose == issuer.kind.value, f"profile {profile.name} is not for {issuer.kind.value} issuers")
    _require(
        (four_items is not None) == (issuer.kind is Kind.SIGNATURE),
        "signing certificates carry the four items, authentication certificates never do",
    )
    _require_within(issuer, validity)
    return CertificatePlan(
        profile=profile,
        issuer=issuer,
        names=names,
        serial=serial,
        subject=holder_subject(profile.subject, municipality, identifier),
        validity=validity,
        spki=_spki(profile, key),
        key_identifier=key_identifier(key.public_key),
        distribution_point=municipal_point(names.subject, municipality, issuer.id, locations),
        locations=locations,
        four_items=four_items,
    )


def plan_authority(
    profile: Profile,
    names: AuthorityNames,
    locations: Locations,
    *,
    issuer: IssuerId,
    serial: SerialNumber,
    key: SubjectKey,
    validity: Validity,
) -> CertificatePlan:
    """The plan of the self-signed certificate of key generation `issuer`. Raises Refusal(BAD_PLAN) for a profile of
    another purpose and a key that is none of the profile's."""
    _require(profile.purpose == "ca", f"profile {profile.name} is not for authorities")
    return CertificatePlan(
        profile=profile,
        issuer=None,
        names=names,
        serial=serial,
        subject=names.subject,
        validity=validity,
        spki=_spki(profile, key),
        key_identifier=key_identifier(key.public_key),
        distribution_point=authority_point(names.subject, issuer, locations),
        locations=locations,
    )


def plan_responder(
    profile: Profile,
    issuer: Issuer,
    names: AuthorityNames,
    locations: Locations,
    *,
    serial: SerialNumber,
    key: SubjectKey,
    validity: Validity,
) -> CertificatePlan:
    """The plan of the certificate of an issuer's OCSP responder (RFC 6960 §4.2.2.2: issued by that very key).
    Raises Refusal(BAD_PLAN) as `plan_leaf` does."""
    _require(profile.purpose == "ocsp-responder", f"profile {profile.name} is not for OCSP responders")
    _require_within(issuer, validity)
    return CertificatePlan(
        profile=profile,
        issuer=issuer,
        names=names,
        serial=serial,
        subject=responder_subject(names.subject, issuer.id),
        validity=validity,
        spki=_spki(profile, key),
        key_identifier=key_identifier(key.public_key),
        distribution_point=None,
        locations=locations,
    )


def _spki(profile: Profile, key: SubjectKey) -> bytes:
    _require(key.name in profile.keys, f"profile {profile.name} has no place for a key {key.name}")
    return key.spki


def _require_within(issuer: Issuer, validity: Validity) -> None:
    _require(
        validity.not_before >= issuer.validity.not_before,
        f"the certificate would begin before its issuer {issuer.id}; check the clock",
    )
    _require(
        validity.not_after <= issuer.validity.not_after,
        f"the certificate would outlive its issuer {issuer.id}; a newer key generation must issue it",
    )


def _require(condition: bool, detail: str) -> None:
    if not condition:
        raise Refusal(Code.BAD_PLAN, detail)
