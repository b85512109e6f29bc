"""Parties, applications of verifiers, proposals and audit rows in memory, beside `tests.support.memory`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from audit.chain import GENESIS, body_of, chain
from domain.errors import Code, Refusal
from domain.events import AuditEvent, AuditHead, AuditRow
from domain.parties import Credential, Party
from domain.proposals import Decision, Proposal, ProposalState
from domain.standings import Approval, Standing
from domain.vetting import Application, Evidence
from tests.support.memory_tables import Tables


class Parties:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def add(self, party: Party, at: datetime) -> Party:
        if self.find(party.role.value, party.name):
            raise Refusal(Code.ALREADY_APPLIED, "there is a party of this role and name")
        stored = replace(party, id=len(self._tables.parties) + 1)
        self._tables.parties[stored.id] = stored
        return stored

    def find(self, role: str, name: str) -> Party | None:
        rows = self._tables.parties.values()
        return next((row for row in rows if (row.role.value, row.name) == (role, name)), None)

    def all(self) -> Sequence[Party]:
        return list(self._tables.parties.values())

    def suspend(self, party_id: int, at: datetime) -> None:
        party = self._tables.parties[party_id]
        self._tables.parties[party_id] = replace(party, suspended_at=party.suspended_at or at)

    def classify(self, party_id: int, standing: Standing, behind: int | None) -> None:
        party = self._tables.parties[party_id]
        self._tables.parties[party_id] = replace(party, standing=standing, behind=behind)

    def approve(self, party_id: int, approval: Approval) -> None:
        party = self._tables.parties[party_id]
        kept = [row for row in party.approvals if row.kind is not approval.kind]
        rows = sorted((*kept, approval), key=lambda row: row.kind.value, reverse=True)
        self._tables.parties[party_id] = replace(party, approvals=tuple(rows))

    def of(self, party_id: int) -> Party | None:
        return self._tables.parties.get(party_id)

    def add_credential(self, credential: Credential, at: datetime) -> None:
        if credential.fingerprint in self._tables.credentials:
            raise Refusal(Code.ALREADY_APPLIED, "this credential is registered")
        self._tables.credentials[credential.fingerprint] = credential

    def credential(self, fingerprint: bytes) -> Credential | None:
        found = self._tables.credentials.get(fingerprint)
        return replace(found, party=self._tables.parties[found.party.id]) if found else None

    def credentials(self, party_id: int) -> Sequence[Credential]:
        rows = self._tables.credentials.values()
        return [replace(row, party=self._tables.parties[party_id]) for row in rows if row.party.id == party_id]

    def withdraw(self, fingerprint: bytes, at: datetime) -> None:
        credential = self._tables.credentials[fingerprint]
        self._tables.credentials[fingerprint] = replace(credential, withdrawn_at=credential.withdrawn_at or at)


class Vettings:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def open(self, application: Application) -> Application:
        stored = replace(application, id=len(self._tables.vettings) + 1)
        self._tables.vettings[stored.id] = stored
        return stored

    def find(self, application_id: int) -> Application | None:
        return self._tables.vettings.get(application_id)

    def of_party(self, party_id: int) -> Sequence[Application]:
        return [row for row in self._tables.vettings.values() if row.party_id == party_id]

    def add_evidence(self, application_id: int, evidence: Evidence) -> None:
        found = self._tables.vettings.get(application_id)
        if found is None:
            raise LookupError("there is no such application")
        self._tables.vettings[application_id] = replace(found, evidence=(*found.evidence, evidence))

    def close(self, application_id: int, at: datetime, proposal: str) -> None:
        found = self._tables.vettings.get(application_id)
        if found is None or found.decided_at is not None:
            raise LookupError("no open application has this id")
        self._tables.vettings[application_id] = replace(found, decided_at=at, proposal=proposal)


class Proposals:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def put(self, proposal: Proposal) -> None:
        if proposal.id in self._tables.proposals:
            raise Refusal(Code.ALREADY_APPLIED, "this proposal was made already")
        self._tables.proposals[proposal.id] = proposal

    def find(self, id_: str) -> Proposal | None:
        return self._tables.proposals.get(id_)

    def decide(self, id_: str, state: ProposalState, decision: Decision) -> None:
        proposal = self._tables.proposals.get(id_)
        if proposal is None or proposal.state is not ProposalState.OPEN:
            raise LookupError("no open proposal has this id")
        self._tables.proposals[id_] = replace(proposal, state=state, decision=decision)

    def confirmed(self, kind: str) -> int:
        rows = self._tables.proposals.values()
        return sum(row.kind == kind and row.state is ProposalState.CONFIRMED for row in rows)

    def agreed(self, kind: str) -> Sequence[Proposal]:
        rows = [row for row in self._tables.proposals.values() if row.kind == kind]
        agreed = [
            (row.decision.at, row.proposed_at, row.id)
            for row in rows
            if row.decision and row.state is ProposalState.CONFIRMED
        ]
        return [self._tables.proposals[id_] for *_, id_ in sorted(agreed)]

    def page(self, state: ProposalState | None, limit: int) -> Sequence[Proposal]:
        rows = [row for row in self._tables.proposals.values() if state in (None, row.state)]
        return sorted(rows, key=lambda row: (row.proposed_at, row.id), reverse=True)[:limit]


class Audit:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._pending: list[AuditEvent] = []

    def append(self, event: AuditEvent) -> None:
        self._pending.append(event)

    def chain(self) -> None:
        """Give pending events their place behind the newest row."""
        newest = max(self._tables.audit, default=0)
        head = (newest, self._tables.audit[newest].digest if newest else GENESIS)
        for row in chain(head, map(body_of, self._pending)):
            self._tables.audit[row.sequence] = row
        self._pending.clear()

    def rows(self, after: int = 0) -> Iterator[AuditRow]:
        yield from (row for sequence, row in sorted(self._tables.audit.items()) if sequence > after)

    def head(self) -> AuditHead | None:
        rows = self._tables.audit
        return AuditHead(len(rows), rows[len(rows)].digest, b"", "memory") if rows else None
