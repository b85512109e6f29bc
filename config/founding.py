"""Founding of issuers and their responders: new keys, certified by their profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ca.generation import certify_authority, certify_responder, issuer_of
from ca.octets import key_bits
from config.files import write_public
from config.issuer_settings import IssuerSettings
from config.settings import Settings
from config.signers import KeySigner, Signers
from domain.certificates import Issuer
from domain.ports import RandomSource, Signer
from domain.serial import OCTETS, SerialNumber
from policies.keys import SubjectKey
from policies.plan import plan_authority, plan_responder
from policies.profile import Profile
from policies.validity import authority_validity, responder_validity


@dataclass(frozen=True, slots=True)
class Founder:
    """Certifies the authority's own keys, at one moment, by the profiles that the settings name."""

    settings: Settings
    signers: Signers
    profiles: Mapping[str, Profile]
    now: datetime
    random: RandomSource

    def found_issuer(self, row: IssuerSettings) -> tuple[Issuer, Signer]:
        """Make the key and the self-signed certificate of a key generation."""
        profile = self.profiles[row.authority_profile]
        signer = self.signers.found(row.key, profile.keys[0])
        plan = plan_authority(
            profile,
            self.settings.names[row.kind],
            self.settings.locations,
            issuer=row.id,
            serial=self._serial(),
            key=_subject_key(profile, signer),
            validity=authority_validity(profile.validity, self.now),
        )
        certificate = certify_authority(plan, signer)
        write_public(row.certificate, certificate)
        return issuer_of(certificate, row.id, row.kind), signer

    def found_responder(self, row: IssuerSettings, issuer: Issuer, issuer_signer: Signer) -> None:
        """Make the key and the first certificate of an issuer's OCSP responder."""
        signer = self.signers.found(row.responder_key, self.profiles[row.responder_profile].keys[0])
        write_public(row.responder_certificate, self.certify_responder(row, issuer, issuer_signer, signer))

    def certify_responder(self, row: IssuerSettings, issuer: Issuer, issuer_signer: Signer, signer: KeySigner) -> bytes:
        """The certificate (DER) of an issuer's responder key from `now` on. RFC 6960 §4.2.2.2."""
        profile = self.profiles[row.responder_profile]
        plan = plan_responder(
            profile,
            issuer,
            self.settings.names[row.kind],
            self.settings.locations,
            serial=self._serial(),
            key=_subject_key(profile, signer),
            validity=responder_validity(profile.validity, self.now, issuer.validity),
        )
        return certify_responder(plan, issuer_signer)

    def _serial(self) -> SerialNumber:
        return SerialNumber.drawn_from(self.random(OCTETS))


def _subject_key(profile: Profile, signer: KeySigner) -> SubjectKey:
    name = profile.keys[0]
    return SubjectKey("rsa" if name.startswith("rsa") else "ec", name, signer.public, key_bits(signer.public))
