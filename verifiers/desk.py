"""The desk of verifiers: applications and evidence taken, and what a verifier does about its own credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.parties import Credential, Party, Role, Usage
from domain.ports import Begin, Clock
from domain.vetting import Application
from policies.standings import VerifierRules
from verifiers import registry, vetting
from verifiers.approvals import approval_content
from verifiers.vetting import Request

MOST_CREDENTIALS = 16
"""Usable ones that a verifier may register by itself."""


@dataclass(frozen=True, slots=True)
class VerifierFile:
    """What is on file about a verifier."""

    party: Party
    through: str | None
    credentials: Sequence[Credential]
    applications: Sequence[Application]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerifierDesk:
    """All that the desk takes. `certify` makes a certificate (DER) of the transport authority for a party's PKCS#10."""

    begin: Begin
    clock: Clock
    rules: VerifierRules
    certify: Callable[[Party, bytes], bytes]

    def file_of(self, name: str) -> VerifierFile:
        """Raises Refusal(NOT_FOUND)."""
        with self.begin(write=False) as work:
            party = registry.find_party(work, Role.VERIFIER, name)
            through = work.parties.of(party.behind) if party.behind is not None else None
            applications = work.vettings.of_party(party.id)
            lacking = vetting.missing(self.rules, party, applications[-1]) if applications else ()
            owned = work.parties.credentials(party.id)
        return VerifierFile(party, through.name if through else None, owned, applications, lacking)

    def names(self) -> Sequence[str]:
        """The names of all verifiers."""
        with self.begin(write=False) as work:
            return [party.name for party in work.parties.all() if party.role is Role.VERIFIER]

    def apply(self, request: Request, caller: Party) -> VerifierFile:
        """Take an application: an officer's for anybody, a verifier's for itself. Refuses as `verifiers.vetting.apply`
        does, and Refusal(NOT_ADMITTED)."""
        if caller.role is Role.VERIFIER and caller.name != request.name:
            raise Refusal(Code.NOT_ADMITTED, "a verifier applies for itself; an operator takes other applications")
        with self.begin() as work:
            vetting.apply(work, self.rules, request, self.clock(), caller)
            work.commit()
        return self.file_of(request.name)

    def bring(self, name: str, criterion: str, reference: str, caller: Party) -> VerifierFile:
        """Keep evidence for the open application. Refuses as `verifiers.vetting.add_evidence` does."""
        with self.begin() as work:
            party = registry.find_party(work, Role.VERIFIER, name)
            vetting.add_evidence(work, self.rules, party, criterion, reference, self.clock(), caller)
            work.commit()
        return self.file_of(name)

    def content(self, name: str, until: datetime | None) -> Mapping[str, object]:
        """What can be proposed as `verifier-approval`; without `until` for as long as may be."""
        now = self.clock()
        with self.begin(write=False) as work:
            party = registry.find_party(work, Role.VERIFIER, name)
            years = self.rules.standings[party.standing].years if party.standing else 0
            return approval_content(work, self.rules, party, now, until or now + timedelta(days=365 * years))

    def notify(self, caller: Party, kinds: frozenset[Kind]) -> VerifierFile:
        """Receive a verifier's own notification. Refuses as `verifiers.vetting.notify` does."""
        with self.begin() as work:
            party = registry.find_party(work, Role.VERIFIER, caller.name)
            vetting.notify(work, party, kinds or party.kinds, self.clock(), caller)
            work.commit()
        return self.file_of(caller.name)

    def succeed(self, shown: Credential, request: bytes) -> tuple[Credential, bytes]:
        """One more credential for the key in a verifier's own PKCS#10, and its certificate (DER). It is bound to the
        purpose that the one which was shown is bound to.

        Raises Refusal(NOT_ADMITTED) for a verifier without an approval in force, Refusal(QUEUE_FULL) for one with too
        many credentials, and as `verifiers.registry.add_credential` does.
        """
        caller = shown.party
        certificate = self.certify(caller, request)
        with self.begin() as work:
            now = self.clock()
            party = registry.find_party(work, Role.VERIFIER, caller.name)
            if not any(approval.in_force(now) for approval in party.approvals):
                raise Refusal(Code.NOT_ADMITTED, "a verifier whose approval is in force registers its own credentials")
            if sum(owned.usable(now) for owned in work.parties.credentials(party.id)) >= MOST_CREDENTIALS:
                raise Refusal(Code.QUEUE_FULL, f"a verifier has at most {MOST_CREDENTIALS} credentials; end one first")
            added = registry.add_credential(work, party, certificate, Usage.TLS, now, party, purpose=shown.purpose)
            work.commit()
        return added, certificate

    def end(self, caller: Party, fingerprint: bytes) -> None:
        """End one of a verifier's own credentials. Raises Refusal(NOT_FOUND) for another's, as for nobody's."""
        with self.begin() as work:
            credential = work.parties.credential(fingerprint)
            if credential is None or credential.party.id != caller.id:
                raise Refusal(Code.NOT_FOUND, "you have no credential with this fingerprint")
            registry.withdraw(work, fingerprint, self.clock(), caller)
            work.commit()
