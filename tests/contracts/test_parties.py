"""Parties and credentials on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.parties import Credential, Party, Role, Usage
from tests.support.people import KIYOSE
from tests.support.stores import NOW, Store, digest_of

YEAR = timedelta(days=365)
CITY = Party(0, Role.MUNICIPALITY, "清瀬市", KIYOSE.code)
VERIFIER = Party(0, Role.VERIFIER, "例の銀行", kinds=frozenset(Kind), in_force_until=NOW + YEAR)


@pytest.mark.parametrize("party", [CITY, VERIFIER, replace(VERIFIER, kinds=frozenset({Kind.SIGNATURE}))])
def test_a_party_comes_back_as_it_went_with_an_id_of_its_own(any_store: Store, party: Party) -> None:
    with any_store.begin() as work:
        stored = work.parties.add(party, NOW)
        assert stored == replace(party, id=stored.id)
        assert stored.id > 0
        assert work.parties.find(party.role.value, party.name) == stored
        assert list(work.parties.all()) == [stored]
        assert work.parties.find(Role.OPERATOR.value, party.name) is None


def test_a_name_is_taken_once_per_role(any_store: Store) -> None:
    with any_store.begin() as work:
        one = work.parties.add(CITY, NOW)
        other = work.parties.add(replace(CITY, role=Role.OPERATOR, municipality=None), NOW)
        assert one.id != other.id
        with pytest.raises(Refusal) as refused:
            work.parties.add(CITY, NOW)
        assert refused.value.code is Code.ALREADY_APPLIED


def test_a_suspension_stays_as_first_said(any_store: Store) -> None:
    with any_store.begin() as work:
        party = work.parties.add(CITY, NOW)
        work.parties.suspend(party.id, NOW)
        work.parties.suspend(party.id, NOW + YEAR)
        assert work.parties.find("municipality", "清瀬市") == replace(party, suspended_at=NOW)


def test_a_credential_is_known_by_its_fingerprint_and_speaks_for_its_party(any_store: Store) -> None:
    with any_store.begin() as work:
        party = work.parties.add(VERIFIER, NOW)
        credential = Credential(digest_of("one"), Usage.TLS, party, NOW + YEAR, certificate=b"certificate")
        signer = replace(credential, fingerprint=digest_of("other"), usage=Usage.OCSP_REQUEST)
        work.parties.add_credential(credential, NOW)
        work.parties.add_credential(signer, NOW + timedelta(seconds=1))
        assert work.parties.credential(digest_of("one")) == credential
        assert work.parties.credential(digest_of("nobody")) is None
        assert list(work.parties.credentials(party.id)) == [credential, signer]
        assert list(work.parties.credentials(party.id + 1)) == []
        with pytest.raises(Refusal) as refused:
            work.parties.add_credential(credential, NOW)
        assert refused.value.code is Code.ALREADY_APPLIED


def test_a_withdrawal_or_suspension_shows_in_the_credential(any_store: Store) -> None:
    with any_store.begin() as work:
        party = work.parties.add(CITY, NOW)
        work.parties.add_credential(Credential(digest_of("one"), Usage.TLS, party, NOW + YEAR), NOW)
        work.parties.withdraw(digest_of("one"), NOW)
        work.parties.withdraw(digest_of("one"), NOW + YEAR)
        work.parties.suspend(party.id, NOW)
        found = work.parties.credential(digest_of("one"))
        assert found is not None
        assert (found.withdrawn_at, found.party.suspended_at) == (NOW, NOW)
        assert not found.usable(NOW)
