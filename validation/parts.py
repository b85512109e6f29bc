"""What delegated validation works with, bound together once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from domain.certificates import CertificateRecord, Issuer, IssuerId
from domain.handles import Recipient
from domain.parties import Party
from domain.ports import Begin, Clock, RandomSource, Signer, StatusLookup
from domain.provisions import Record
from policies.consents import ConsentPolicy
from validation.finding import Examination, Finding
from verifiers.gate import Gate
from verifiers.handle_office import keys_in, line_for
from verifiers.handles import HandleRing, handle_of


class Handles(Protocol):
    """A person's certificate as one operator may remember it: another for each operator."""

    def of(self, party: Party, provider: Party | None, certificate: CertificateRecord) -> str: ...


@dataclass(frozen=True, slots=True)
class ConsentedHandles:
    """`Handles` for those whom the person lets know: nobody else has to admit them."""

    begin: Begin
    ring: HandleRing

    def of(self, party: Party, provider: Party | None, certificate: CertificateRecord) -> str:
        """Raises Refusal(BAD_CONFIGURATION) while there is no key of handles."""
        line = line_for(party, provider, certificate)
        with self.begin(write=False) as work:
            return handle_of(keys_in(work, self.ring), Recipient.of(party, provider), line)


class Examiner(Protocol):
    """Reads a document that anybody may have written. Raises Refusal(BAD_DOCUMENT), Refusal(BUSY)."""

    def __call__(self, examination: Examination) -> Finding: ...


@dataclass(frozen=True, slots=True)
class ReceiptKey:
    """The key that signs receipts, and its certificate (DER)."""

    signer: Signer
    certificate: bytes


@dataclass(frozen=True, slots=True)
class Validation:
    """The bundle. `gate` lets operators in, `provider_of` finds the provider of a name behind one; `record` hears of
    every answer before it leaves."""

    issuers: Mapping[IssuerId, Issuer]
    begin: Begin
    status: StatusLookup
    examine: Examiner
    receipts: ReceiptKey
    handles: Handles
    gate: Gate
    provider_of: Callable[[Party, str | None], Party | None]
    record: Record
    policy: ConsentPolicy
    clock: Clock
    random: RandomSource
