"""Founding of issuers and their responders: new keys on file, certified by their profiles."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from ca.generation import certify_authority, certify_responder, issuer_of
from ca.octets import key_bits
from config.files import read_secret, replace_public, write_private, write_public
from config.settings import IssuerSettings, Settings
from domain.certificates import Issuer
from domain.ports import RandomSource, Signer
from domain.serial import OCTETS, SerialNumber
from keys.generation import new_key, to_encrypted_pem
from keys.software import SoftwareSigner
from policies.keys import SubjectKey
from policies.plan import plan_authority, plan_responder
from policies.profile import Profile
from policies.validity import authority_validity, responder_validity


def make_key(settings: Settings, kind: str, path: Path) -> SoftwareSigner:
    """A new key of a kind of `keys.generation.KINDS`, encrypted on file; its signer."""
    key = new_key(kind)
    write_private(path, to_encrypted_pem(key, read_secret(settings.secrets.key_passphrase)))
    return SoftwareSigner(key)


def found_issuer(
    settings: Settings, row: IssuerSettings, profiles: Mapping[str, Profile], now: datetime, random: RandomSource
) -> tuple[Issuer, Signer]:
    """Make the key and the self-signed certificate of a key generation."""
    profile = profiles[row.authority_profile]
    signer = make_key(settings, profile.keys[0], row.key)
    plan = plan_authority(
        profile,
        settings.names[row.kind],
        settings.locations,
        issuer=row.id,
        serial=SerialNumber.drawn_from(random(OCTETS)),
        key=_subject_key(profile, signer),
        validity=authority_validity(profile.validity, now),
    )
    certificate = certify_authority(plan, signer)
    write_public(row.certificate, certificate)
    return issuer_of(certificate, row.id, row.kind), signer


def found_responder(
    settings: Settings,
    row: IssuerSettings,
    profiles: Mapping[str, Profile],
    issuer: Issuer,
    issuer_signer: Signer,
    now: datetime,
    random: RandomSource,
) -> None:
    """Make the key and the first certificate of an issuer's OCSP responder."""
    signer = make_key(settings, profiles[row.responder_profile].keys[0], row.responder_key)
    write_public(
        row.responder_certificate,
        certify_responder_key(settings, row, profiles, issuer, issuer_signer, signer, now, random),
    )


def renew_responder(
    settings: Settings,
    row: IssuerSettings,
    profiles: Mapping[str, Profile],
    issuer: Issuer,
    issuer_signer: Signer,
    signer: SoftwareSigner,
    now: datetime,
    random: RandomSource,
) -> None:
    """Give the responder's key a new certificate; services take it up when they are told to reload."""
    replace_public(
        row.responder_certificate,
        certify_responder_key(settings, row, profiles, issuer, issuer_signer, signer, now, random),
    )


def certify_responder_key(
    settings: Settings,
    row: IssuerSettings,
    profiles: Mapping[str, Profile],
    issuer: Issuer,
    issuer_signer: Signer,
    signer: SoftwareSigner,
    now: datetime,
    random: RandomSource,
) -> bytes:
    """The certificate (DER) of a responder key from `now` on. RFC 6960 §4.2.2.2."""
    profile = profiles[row.responder_profile]
    plan = plan_responder(
        profile,
        issuer,
        settings.names[row.kind],
        settings.locations,
        serial=SerialNumber.drawn_from(random(OCTETS)),
        key=_subject_key(profile, signer),
        validity=responder_validity(profile.validity, now, issuer.validity),
    )
    return certify_responder(plan, issuer_signer)


def _subject_key(profile: Profile, signer: SoftwareSigner) -> SubjectKey:
    name = profile.keys[0]
    return SubjectKey("rsa" if name.startswith("rsa") else "ec", name, signer.public, key_bits(signer.public))
