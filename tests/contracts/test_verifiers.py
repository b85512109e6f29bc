"""Standings, approvals and applications of verifiers on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.certificates import Kind
from domain.parties import Credential, Party, Role, Usage
from domain.standings import Approval, Standing
from domain.vetting import Application, Evidence
from tests.support.stores import NOW, Store, digest_of

YEAR = timedelta(days=365)
SHOP = Party(0, Role.VERIFIER, "店", kinds=frozenset(Kind), standing=Standing.SERVICE_PROVIDER)
PLATFORM = Party(0, Role.VERIFIER, "platform", kinds=frozenset(Kind), standing=Standing.PLATFORM_OPERATOR)
APPROVAL = Approval(Kind.SIGNATURE, frozenset({"contract", "identity-check"}), NOW, NOW + YEAR, "0c0c")
OTHER = replace(APPROVAL, kind=Kind.AUTHENTICATION, purposes=frozenset({"log-in"}), notified_at=NOW)
APPLICATION = Application(
    0,
    1,
    {Kind.SIGNATURE: frozenset({"contract"}), Kind.AUTHENTICATION: frozenset({"log-in"})},
    "operator:terminal",
    NOW,
)


def test_standing_and_whom_it_asks_through_come_back(any_store: Store) -> None:
    with any_store.begin() as work:
        platform = work.parties.add(PLATFORM, NOW)
        shop = work.parties.add(replace(SHOP, behind=platform.id), NOW)
        assert work.parties.of(shop.id) == shop == work.parties.find("verifier", "店")
        assert work.parties.of(shop.id + 1) is None
        work.parties.classify(shop.id, Standing.ACCREDITED_PRIVATE, None)
        assert work.parties.of(shop.id) == replace(shop, standing=Standing.ACCREDITED_PRIVATE, behind=None)


def test_approvals_come_with_the_party_by_every_way(any_store: Store) -> None:
    with any_store.begin() as work:
        platform = work.parties.add(PLATFORM, NOW)
        work.parties.add(replace(PLATFORM, name="other"), NOW)
        work.parties.add_credential(
            Credential(digest_of("one"), Usage.TLS, platform, NOW + YEAR, None, b"x", "log-in"), NOW
        )
        work.parties.approve(platform.id, OTHER)
        work.parties.approve(platform.id, APPROVAL)
        work.commit()
    stored = replace(platform, approvals=(APPROVAL, OTHER))
    with any_store.begin(write=False) as work:
        assert work.parties.find("verifier", "platform") == stored
        assert work.parties.of(platform.id) == stored
        assert [party.approvals for party in work.parties.all()] == [(APPROVAL, OTHER), ()]
        found = work.parties.credential(digest_of("one"))
        assert found == Credential(digest_of("one"), Usage.TLS, stored, NOW + YEAR, None, b"x", "log-in")
        assert list(work.parties.credentials(platform.id)) == [found]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(replace(APPROVAL, notified_at=NOW), id="notified"),
        pytest.param(replace(APPROVAL, notified_at=NOW, suspended_at=NOW), id="suspended"),
        pytest.param(replace(APPROVAL, withdrawn_at=NOW, proposal="0d0d"), id="withdrawn"),
        pytest.param(replace(APPROVAL, purposes=frozenset({"filing"}), until=NOW + 2 * YEAR), id="renewed"),
    ],
)
def test_an_approval_takes_the_place_of_that_of_its_kind(any_store: Store, changed: Approval) -> None:
    with any_store.begin() as work:
        party = work.parties.add(replace(PLATFORM, approvals=(APPROVAL, OTHER)), NOW)
        work.parties.approve(party.id, changed)
        assert work.parties.of(party.id) == replace(party, approvals=(changed, OTHER))


def test_applications_keep_their_evidence_and_are_closed_once(any_store: Store) -> None:
    shown = Evidence("accreditation", "綴り１２", "operator:terminal", NOW)
    with any_store.begin() as work:
        party = work.parties.add(PLATFORM, NOW)
        first = work.vettings.open(replace(APPLICATION, party_id=party.id))
        second = work.vettings.open(replace(APPLICATION, party_id=party.id, applied_at=NOW + YEAR))
        work.vettings.add_evidence(first.id, shown)
        work.vettings.add_evidence(first.id, replace(shown, reference="file 13", at=NOW + YEAR))
        work.vettings.close(first.id, NOW + YEAR, "0c0c")
        evidence = (shown, replace(shown, reference="file 13", at=NOW + YEAR))
        closed = replace(first, evidence=evidence, decided_at=NOW + YEAR, proposal="0c0c")
        assert work.vettings.find(first.id) == closed
        assert list(work.vettings.of_party(party.id)) == [closed, second]
        assert list(work.vettings.of_party(party.id + 1)) == []
        for again in (first.id, second.id + 1):
            with pytest.raises(LookupError):
                work.vettings.close(again, NOW, "0d0d")
        assert work.vettings.find(second.id + 1) is None
        with pytest.raises(LookupError):
            work.vettings.add_evidence(second.id + 1, shown)
