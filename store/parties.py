"""Parties and the credentials that speak for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from domain.errors import Code, Refusal
from domain.parties import Credential, Party, Role
from store.prepared import AnyRow
from store.statements import Statements
from store.tables import credentials, parties

_p, _c = parties.c, credentials.c
# In the order of Party.
_PARTY = (_p.id, _p.role, _p.name, _p.municipality, _p.kinds, _p.in_force_until, _p.suspended_at)
_PARTIES = select(*_PARTY).order_by(_p.id)
_BY_NAME = select(*_PARTY).where(_p.role == bindparam("role"), _p.name == bindparam("name"))
_ADD = insert(parties).returning(_p.id)
_SUSPEND = update(parties).where(_p.id == bindparam("of_id"), _p.suspended_at.is_(None))

_CREDENTIALS = select(_c.fingerprint, _c.usage, _c.not_after, _c.withdrawn_at, _c.certificate, *_PARTY).join(
    parties, _p.id == _c.party_id
)
_BY_FINGERPRINT = _CREDENTIALS.where(_c.fingerprint == bindparam("fingerprint"))
_OF_PARTY = _CREDENTIALS.where(_c.party_id == bindparam("party_id")).order_by(_c.added_at, _c.fingerprint)
_ADD_CREDENTIAL = insert(credentials)
_WITHDRAW = update(credentials).where(_c.fingerprint == bindparam("of_fingerprint"), _c.withdrawn_at.is_(None))


class Parties:
    """`domain.parties.PartyRepository`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add(self, party: Party, at: datetime) -> Party:
        row = {
            "role": party.role,
            "name": party.name,
            "municipality": party.municipality,
            "kinds": party.kinds,
            "in_force_until": party.in_force_until,
            "suspended_at": party.suspended_at,
            "added_at": at,
        }
        taken = Refusal(Code.ALREADY_APPLIED, "there is a party of this role and name already; choose another name")
        number: int = self._statements.one(_ADD, row, {"parties_role_name_once": taken}).id
        return replace(party, id=number)

    def find(self, role: str, name: str) -> Party | None:
        row = self._statements.find(_BY_NAME, {"role": Role(role), "name": name})
        return Party(*row) if row else None

    def all(self) -> Sequence[Party]:
        return [Party(*row) for row in self._statements.many(_PARTIES)]

    def suspend(self, party_id: int, at: datetime) -> None:
        """The first suspension stays; a later one changes nothing."""
        self._statements.run(_SUSPEND, {"of_id": party_id, "suspended_at": at})

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
        }
        known = Refusal(Code.ALREADY_APPLIED, "this certificate is registered already")
        self._statements.run(_ADD_CREDENTIAL, row, {"credentials_key": known})

    def credential(self, fingerprint: bytes) -> Credential | None:
        row = self._statements.find(_BY_FINGERPRINT, {"fingerprint": fingerprint})
        return _credential(row) if row else None

    def credentials(self, party_id: int) -> Sequence[Credential]:
        return [_credential(row) for row in self._statements.many(_OF_PARTY, {"party_id": party_id})]

    def withdraw(self, fingerprint: bytes, at: datetime) -> None:
        """The first withdrawal stays; a later one changes nothing."""
        self._statements.run(_WITHDRAW, {"of_fingerprint": fingerprint, "withdrawn_at": at})


def _credential(row: AnyRow) -> Credential:
    fingerprint, usage, not_after, withdrawn_at, certificate, *party = row
    return Credential(fingerprint, usage, Party(*party), not_after, withdrawn_at, certificate)
