"""A certificate as decided and not yet signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.certificates import Issuer, Validity
from domain.names import Name
from domain.serial import SerialNumber
from policies.profile import Profile


@dataclass(frozen=True, slots=True)
class AuthorityNames:
    """The names of one authority: its DN (shared by all generations) and its Japanese alternative name."""

    subject: Name
    alternative: Name


@dataclass(frozen=True, slots=True)
class Locations:
    """Where ordinary clients find status and issuers; None leaves the location out of certificates.

    `crl` is a base: a list lies at `<crl>/<issuer id>/<area>.crl`. `issuers` likewise: `<issuers>/<issuer id>.cer`.
    """

    crl: str | None = None
    ocsp: str | None = None
    issuers: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class FourItems:
    """The six otherName texts, ready to encode: name, address, sex digit, `EYYYYMMDD`, and a digit string a text
    with `1` where a substitute character stands."""

    name: str
    name_substitutes: str
    sex: str
    birth_date: str
    address: str
    address_substitutes: str


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


@dataclass(frozen=True, slots=True)
class Substituted:
    """A register text in certificate characters and the positions (0-based, in characters) that were replaced."""

    text: str
    positions: tuple[int, ...]

    @property
    def flags(self) -> str:
        """One digit a character: `1` where a substitute stands."""
        return "".join("1" if i in self.positions else "0" for i in range(len(self.text)))


@dataclass(frozen=True, slots=True)
class ValidityCaps:
    """What may end a certificate before its birthday rule does: the card's last day (JST) and the pair's other half."""

    card_expires_on: date
    authentication: Validity | None = None


