"""Named parties that may call the authority, and the credentials that speak for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from domain.certificates import Kind
from domain.people import MunicipalityCode


class Role(Enum):
    """What a party is to the authority."""

    MUNICIPALITY = "municipality"
    REGISTER = "register"
    VERIFIER = "verifier"
    OPERATOR = "operator"


class Usage(Enum):
    """How a credential certificate is used: as a TLS client certificate, or to sign OCSP requests."""

    TLS = "tls"
    OCSP_REQUEST = "ocsp-request"


@dataclass(frozen=True, slots=True)
class Party:
    """住所地市町村, the register network, a 署名検証者・利用者証明検証者, or an operator of the authority itself.

    `municipality` is set exactly for municipalities. `kinds` are the certificate kinds a verifier has notified
    (署名検証者 and 利用者証明検証者 are separate notifications); empty for the others.
    """

    id: int
    role: Role
    name: str
    municipality: MunicipalityCode | None = None
    kinds: frozenset[Kind] = frozenset()
    in_force_until: datetime | None = None
    suspended_at: datetime | None = None

    def in_force(self, moment: datetime) -> bool:
        """Whether the party may act at `moment`: not suspended, and within its period if it has one."""
        return self.suspended_at is None and (self.in_force_until is None or moment <= self.in_force_until)

    @property
    def label(self) -> str:
        """How audit rows and logs name the party: role and own name."""
        return f"{self.role.value}:{self.name}"


@dataclass(frozen=True, slots=True)
class Credential:
    """A registered certificate of a party, known by the SHA-256 of its DER."""

    fingerprint: bytes
    usage: Usage
    party: Party
    not_after: datetime
    withdrawn_at: datetime | None = None
    certificate: bytes = b""

    def usable(self, moment: datetime) -> bool:
        return self.withdrawn_at is None and moment <= self.not_after and self.party.in_force(moment)


LOCAL_OPERATOR = Party(id=0, role=Role.OPERATOR, name="terminal")
"""Whoever runs `jpki` with the state directory in hand: file permissions are the credential."""
