"""Parties, what was approved for them, and the credentials that speak for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from domain.errors import Code, Refusal
from domain.parties import Credential, Party, Role
from domain.standings import Approval, Standing
from store.party_tables import approvals, credentials, parties
from store.prepared import AnyRow
from store.statements import Statements

_p, _c, _a = parties.c, credentials.c, approvals.c
# In the order of Party.
_PARTY = (
    _p.id,
    _p.role,
    _p.name,
    _p.municipality,
    _p.kinds,
    _p.in_force_until,
    _p.suspended_at,
    _p.standing,
    _p.behind,
)
_PARTIES = select(*_PARTY).order_by(_p.id)
_BY_NAME = select(*_PARTY).where(_p.role == bindparam("role"), _p.name == bindparam("name"))
_BY_ID = select(*_PARTY).where(_p.id == bindparam("id"))
_ADD = insert(parties).returning(_p.id)
_SUSPEND = update(parties).where(_p.id == bindparam("of_id"), _p.suspended_at.is_(None))
_CLASSIFY = update(parties).where(_p.id == bindparam("of_id"))

# In the order of Approval, behind the party.
_APPROVAL = (
    _a.party_id,
    _a.kind,
    _a.purposes,
    _a.since,
    _a.until,
    _a.proposal,
    _a.notified_at,
    _a.suspended_at,
    _a.withdrawn_at,
)
_APPROVALS = select(*_APPROVAL).order_by(_a.party_id, _a.kind.desc())
_APPROVALS_OF = select(*_APPROVAL).where(_a.party_id == bindparam("party_id")).order_by(_a.kind.desc())
_FORGET = delete(approvals).where(_a.party_id == bindparam("of_party"), _a.kind == bindparam("of_kind"))
_APPROVE = insert(approvals)

_CREDENTIAL = (_c.fingerprint, _c.usage, _c.not_after, _c.withdrawn_at, _c.certificate, _c.purpose)
_CREDENTIALS = select(*_CREDENTIAL, *_PARTY).join(parties, _p.id == _c.party_id)
_BY_FINGERPRINT = _CREDENTIALS.where(_c.fingerprint == bindparam("fingerprint"))
_OF_PARTY = _CREDENTIALS.where(_c.party_id == bindparam("party_id")).order_by(_c.added_at, _c.fingerprint)
_ADD_CREDENTIAL = insert(credentials)
_WITHDRAW = update(credentials).where(_c.fingerprint == bindparam("of_fingerprint"), _c.withdrawn_at.is_(None))


class Parties:
    """`domain.parties.PartyRepository`. `changed` says whether this unit of work wrote anything here."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.changed = False

    def add(self, party: Party, at: datetime) -> Party:
        row = {
            "role": party.role,
            "name": party.name,
            "municipality": party.municipality,
            "kinds": party.kinds,
            "in_force_until": party.in_force_until,
            "suspended_at": party.suspended_at,
            "standing": party.standing,
            "behind": party.behind,
            "added_at": at,
        }
        taken = Refusal(Code.ALREADY_APPLIED, "there is a party of this role and name already; choose another name")
        number: int = self._statements.one(_ADD, row, {"parties_role_name_once": taken}).id
        self.changed = True
        for approval in party.approvals:
            self.approve(number, approval)
        return replace(party, id=number)

    def find(self, role: str, name: str) -> Party | None:
        row = self._statements.find(_BY_NAME, {"role": Role(role), "name": name})
        return self._party(row) if row else None

    def of(self, party_id: int) -> Party | None:
        row = self._statements.find(_BY_ID, {"id": party_id})
        return self._party(row) if row else None

    def all(self) -> Sequence[Party]:
        found: Mapping[int, list[Approval]] = defaultdict(list)
        for row in self._statements.many(_APPROVALS):
            found[row[0]].append(_approval(row))
        return [replace(Party(*row), approvals=tuple(found.get(row[0], ()))) for row in self._statements.many(_PARTIES)]

    def suspend(self, party_id: int, at: datetime) -> None:
        """The first suspension stays; a later one changes nothing."""
        self._statements.run(_SUSPEND, {"of_id": party_id, "suspended_at": at})
        self.changed = True

    def classify(self, party_id: int, standing: Standing, behind: int | None) -> None:
        self._statements.run(_CLASSIFY, {"of_id": party_id, "standing": standing, "behind": behind})
        self.changed = True

    def approve(self, party_id: int, approval: Approval) -> None:
        self._statements.run(_FORGET, {"of_party": party_id, "of_kind": approval.kind})
        row = {
            "party_id": party_id,
            "kind": approval.kind,
            "purposes": " ".join(sorted(approval.purposes)),
            "since": approval.since,
            "until": approval.until,
            "proposal": approval.proposal,
            "notified_at": approval.notified_at,
            "suspended_at": approval.suspended_at,
            "withdrawn_at": approval.withdrawn_at,
        }
        self._statements.run(_APPROVE, row)
        self.changed = True

    def add_credential(self, credential: Credential, at: datetime) -> None:
        """Raises Refusal(ALREADY_APPLIED) for a certificate that is registered."""
        row = {
            "fingerprint": credential.fingerprint,
            "usage": credential.usage,
            "party_id": credential.party.id,
            "not_after": credential.not_after,
            "added_at": at,
            "withdrawn_at": credential.withdrawn_at,
            "certificate": credential.certificate,
            "purpose": credential.purpose,
        }
        known = Refusal(Code.ALREADY_APPLIED, "this certificate is registered already")
        self._statements.run(_ADD_CREDENTIAL, row, {"credentials_key": known})
        self.changed = True

    def credential(self, fingerprint: bytes) -> Credential | None:
        row = self._statements.find(_BY_FINGERPRINT, {"fingerprint": fingerprint})
        return self._credential(row) if row else None

    def credentials(self, party_id: int) -> Sequence[Credential]:
        return [self._credential(row) for row in self._statements.many(_OF_PARTY, {"party_id": party_id})]

    def withdraw(self, fingerprint: bytes, at: datetime) -> None:
        """The first withdrawal stays; a later one changes nothing."""
        self._statements.run(_WITHDRAW, {"of_fingerprint": fingerprint, "withdrawn_at": at})
        self.changed = True

    def _party(self, row: AnyRow) -> Party:
        party = Party(*row)
        if party.role is not Role.VERIFIER:
            return party
        found = self._statements.many(_APPROVALS_OF, {"party_id": party.id})
        return replace(party, approvals=tuple(map(_approval, found))) if found else party

    def _credential(self, row: AnyRow) -> Credential:
        fingerprint, usage, not_after, withdrawn_at, certificate, purpose = row[: len(_CREDENTIAL)]
        party = self._party(row[len(_CREDENTIAL) :])
        return Credential(fingerprint, usage, party, not_after, withdrawn_at, certificate, purpose)


def _approval(row: AnyRow) -> Approval:
    _, kind, purposes, *rest = row
    return Approval(kind, frozenset(purposes.split()), *rest)
