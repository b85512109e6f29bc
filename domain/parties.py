"""Named parties that may call the authority, and the credentials that speak for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from domain.certificates import Kind
from domain.people import MunicipalityCode
from domain.standings import Approval, Standing


class Role(Enum):
    """What a party is to the authority."""

    MUNICIPALITY = "municipality"
    REGISTER = "register"
    VERIFIER = "verifier"
    OPERATOR = "operator"
    DESK = "desk"


class Usage(Enum):
    """How a credential certificate is used: as a TLS client certificate, or to sign OCSP requests."""

    TLS = "tls"
    OCSP_REQUEST = "ocsp-request"


@dataclass(frozen=True, slots=True)
class Party:
    """住所地市町村, the register network, a 署名検証者・利用者証明検証者, an operator of the authority itself, or
    the desk of a call centre, which places holds and nothing else.

    `municipality` is set exactly for municipalities. `kinds` are the certificate kinds a verifier is registered for
    (署名検証者 and 利用者証明検証者 are separate); empty for the others. Registered is not approved: `approvals` say
    what two officers approved, each for one kind. `behind` is the id of the platform operator or group verifier that
    asks for this one.
    """

    id: int
    role: Role
    name: str
    municipality: MunicipalityCode | None = None
    kinds: frozenset[Kind] = frozenset()
    in_force_until: datetime | None = None
    suspended_at: datetime | None = None
    standing: Standing | None = None
    behind: int | None = None
    approvals: tuple[Approval, ...] = ()

    def approval(self, kind: Kind) -> Approval | None:
        """What was approved for certificates of this kind."""
        return next((approval for approval in self.approvals if approval.kind is kind), None)

    def in_force(self, moment: datetime) -> bool:
        """Whether the party may act at `moment`: not suspended, and within its period if it has one."""
        return self.suspended_at is None and (self.in_force_until is None or moment <= self.in_force_until)

    @property
    def label(self) -> str:
        """How audit rows and logs name the party: role and own name."""
        return f"{self.role.value}:{self.name}"


@dataclass(frozen=True, slots=True)
class Credential:
    """A registered certificate of a party, known by the SHA-256 of its DER. `purpose` is the only one that it speaks
    for, if it is bound to one."""

    fingerprint: bytes
    usage: Usage
    party: Party
    not_after: datetime
    withdrawn_at: datetime | None = None
    certificate: bytes = b""
    purpose: str | None = None

    def usable(self, moment: datetime) -> bool:
        return self.withdrawn_at is None and moment <= self.not_after and self.party.in_force(moment)


class PartyRepository(Protocol):
    """Registered parties and the credentials that speak for them."""

    def add(self, party: Party, at: datetime) -> Party:
        """Store a party; the id given is ignored. Raises Refusal(ALREADY_APPLIED) when role and name are taken."""

    def find(self, role: str, name: str) -> Party | None: ...

    def all(self) -> Sequence[Party]: ...

    def suspend(self, party_id: int, at: datetime) -> None:
        """Set `suspended_at`; one that is set already stays."""

    def classify(self, party_id: int, standing: Standing, behind: int | None) -> None:
        """Set what a verifier is, and whom it asks through."""

    def approve(self, party_id: int, approval: Approval) -> None:
        """Insert the approval, or replace that of the same kind."""

    def of(self, party_id: int) -> Party | None: ...

    def add_credential(self, credential: Credential, at: datetime) -> None:
        """Raises Refusal(ALREADY_APPLIED) when the fingerprint is known."""

    def credential(self, fingerprint: bytes) -> Credential | None: ...

    def credentials(self, party_id: int) -> Sequence[Credential]: ...

    def withdraw(self, fingerprint: bytes, at: datetime) -> None:
        """Set `withdrawn_at`; one that is set already stays."""


LOCAL_OPERATOR = Party(id=0, role=Role.OPERATOR, name="terminal")
"""Whoever runs `jpki` with the state directory in hand: file permissions are the credential."""
