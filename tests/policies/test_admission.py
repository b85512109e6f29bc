"""Who may be given status: every row of the table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.rules import load_admission
from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.people import MunicipalityCode
from domain.provisions import Channel
from domain.standings import Standing
from policies.admission import Admitted, Inquiry
from policies.ocsp import Access
from policies.rulings import AdmissionRule
from tests.support.verifiers import make_approval, make_verifier

NOW = datetime(2027, 4, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SIGNATURE, AUTHENTICATION = Kind
BOTH = make_verifier("bank", id_=1)
SIGNATURES_ONLY = make_verifier("bank", SIGNATURE, id_=1)
AUTHENTICATIONS_ONLY = make_verifier("bank", AUTHENTICATION, id_=1)
MUNICIPALITY = Party(2, Role.MUNICIPALITY, "Kiyose", municipality=MunicipalityCode("132217"))
REGISTER = Party(3, Role.REGISTER, "register")
UNAPPROVED = Party(4, Role.VERIFIER, "hopeful", kinds=frozenset(Kind), standing=Standing.ACCREDITED_PRIVATE)
PLATFORM = make_verifier("platform", id_=5, standing=Standing.PLATFORM_OPERATOR)
SHOP = make_verifier("shop", id_=6, standing=Standing.SERVICE_PROVIDER, behind=5)
LAWYERS = make_verifier("lawyers", SIGNATURE, id_=7, standing=Standing.GROUP_VERIFIER)
LAWYER = make_verifier("lawyer", SIGNATURE, id_=8, standing=Standing.CONFIRMER, behind=7)
VERIFIERS: Access = "notified-verifiers"


STATUS, OPERATOR = load_admission().status, load_admission().operators


def approved(party: Party = BOTH, *purposes: str, **changes: Any) -> Party:
    """The party with another approval for signing certificates."""
    others = [approval for approval in party.approvals if approval.kind is not SIGNATURE]
    return replace(party, approvals=(make_approval(SIGNATURE, *purposes, **changes), *others))


def ask(party: Party | None, kind: Kind = SIGNATURE, access: Access = VERIFIERS, **more: Any) -> Inquiry:
    return Inquiry(access, party, kind, NOW, **more)


def through(party: Party, provider: Party | None, **more: Any) -> Inquiry:
    return ask(party, names_provider=True, provider=provider, **more)


TWO = approved(BOTH, "contract", "identity-check")
CASES = [
    pytest.param(ask(None, access="open"), "open-to-all", id="anybody where status is open"),
    pytest.param(ask(replace(BOTH, suspended_at=NOW), access="open"), "open-to-all", id="a suspended one where open"),
    pytest.param(ask(None), "caller-unknown", id="a stranger"),
    pytest.param(ask(MUNICIPALITY), "not-a-verifier", id="a municipality"),
    pytest.param(ask(REGISTER, AUTHENTICATION), "not-a-verifier", id="the register"),
    pytest.param(ask(LOCAL_OPERATOR), "not-a-verifier", id="an operator"),
    pytest.param(
        ask(replace(MUNICIPALITY, approvals=BOTH.approvals)), "not-a-verifier", id="approvals without the role"
    ),
    pytest.param(ask(replace(BOTH, suspended_at=NOW)), "not-in-force", id="a suspended verifier"),
    pytest.param(ask(replace(BOTH, in_force_until=NOW - SECOND)), "not-in-force", id="one whose registration ended"),
    pytest.param(ask(replace(BOTH, in_force_until=NOW)), "notified-verifier", id="its last second"),
    pytest.param(ask(UNAPPROVED), "signature-not-approved", id="registered, not approved, signature"),
    pytest.param(ask(UNAPPROVED, AUTHENTICATION), "authentication-not-approved", id="registered, not approved"),
    pytest.param(ask(AUTHENTICATIONS_ONLY), "signature-not-approved", id="the other kind, signature"),
    pytest.param(ask(SIGNATURES_ONLY, AUTHENTICATION), "authentication-not-approved", id="the other kind"),
    pytest.param(ask(approved(withdrawn_at=NOW)), "signature-not-approved", id="a withdrawn approval"),
    pytest.param(ask(approved(withdrawn_at=NOW), AUTHENTICATION), "notified-verifier", id="the kind beside it"),
    pytest.param(ask(approved(notified_at=None)), "not-notified", id="approved, not notified"),
    pytest.param(ask(approved(suspended_at=NOW)), "approval-not-in-force", id="a suspended approval"),
    pytest.param(ask(approved(since=NOW + SECOND)), "approval-not-in-force", id="an approval that has not begun"),
    pytest.param(ask(approved(until=NOW - SECOND)), "approval-not-in-force", id="an approval that has ended"),
    pytest.param(ask(approved(since=NOW)), "notified-verifier", id="the first second of an approval"),
    pytest.param(ask(approved(until=NOW)), "notified-verifier", id="the last second of an approval"),
    pytest.param(ask(SHOP), "asks-through-another", id="a service provider by itself"),
    pytest.param(ask(LAWYER), "asks-through-another", id="a confirmer by itself"),
    pytest.param(ask(replace(BOTH, standing=None)), "way-not-given", id="approved without a standing"),
    pytest.param(ask(BOTH, channel=Channel.VALIDATION), "way-not-given", id="delegated validation"),
    pytest.param(through(LAWYERS, LAWYER, channel=Channel.FILTER), "way-not-given", id="a filter for a group"),
    pytest.param(through(PLATFORM, None), "provider-unknown", id="a provider that is none"),
    pytest.param(ask(LAWYERS), "confirmer-needed", id="a group verifier for itself"),
    pytest.param(through(LAWYERS, LAWYER), "notified-verifier", id="a group verifier for a confirmer"),
    pytest.param(through(PLATFORM, SHOP), "notified-verifier", id="a platform for a provider"),
    pytest.param(ask(PLATFORM), "notified-verifier", id="a platform for itself"),
    pytest.param(
        through(PLATFORM, replace(SHOP, suspended_at=NOW)), "provider-not-in-force", id="a suspended provider"
    ),
    pytest.param(
        through(PLATFORM, approved(SHOP, notified_at=None)), "provider-not-in-force", id="a provider not notified"
    ),
    pytest.param(through(PLATFORM, replace(SHOP, approvals=())), "provider-not-in-force", id="a provider not approved"),
    pytest.param(ask(approved(suspended_at=NOW, party=PLATFORM)), "approval-not-in-force", id="a suspended platform"),
    pytest.param(
        ask(TWO, purpose="contract", bound="identity-check"),
        "purpose-not-of-credential",
        id="another purpose than the credential's",
    ),
    pytest.param(ask(TWO, bound="contract"), "notified-verifier", id="the credential's purpose"),
    pytest.param(ask(TWO), "purpose-undeclared", id="no purpose of two"),
    pytest.param(ask(TWO, purpose="identity-check"), "notified-verifier", id="one purpose of two"),
    pytest.param(ask(BOTH, purpose="identity-check"), "purpose-not-approved", id="a purpose that was not approved"),
    pytest.param(
        through(PLATFORM, approved(SHOP, "customer-changes"), purpose="contract"),
        "purpose-not-approved",
        id="the platform's purpose for a provider",
    ),
    pytest.param(ask(SIGNATURES_ONLY), "notified-verifier", id="a verifier of signatures"),
    pytest.param(ask(AUTHENTICATIONS_ONLY, AUTHENTICATION), "notified-verifier", id="a verifier of authentications"),
    pytest.param(ask(BOTH, AUTHENTICATION), "notified-verifier", id="a verifier of both"),
]


@pytest.mark.parametrize(("inquiry", "rule"), CASES)
def test_the_deciding_row(inquiry: Inquiry, rule: str) -> None:
    assert STATUS.decide(inquiry).id == rule


def test_every_row_decides_some_case() -> None:
    assert {case.values[1] for case in CASES} == {rule.id for rule in STATUS.rows}


OPERATORS = {
    "not-an-operator": ask(None),
    "operator-not-in-force": ask(replace(UNAPPROVED, suspended_at=NOW)),
    "kind-not-registered": ask(replace(UNAPPROVED, kinds=frozenset({Kind.AUTHENTICATION}))),
    "operator-provider-unknown": ask(replace(UNAPPROVED, kinds=frozenset(Kind)), names_provider=True),
    "registered-operator": ask(replace(UNAPPROVED, kinds=frozenset(Kind))),
}


@pytest.mark.parametrize("rule", OPERATOR.rows, ids=lambda rule: rule.id)
def test_the_row_that_decides_about_an_operator(rule: AdmissionRule) -> None:
    inquiry = OPERATORS[rule.id]
    if rule.refusal is None:
        assert OPERATOR.admit(inquiry).party is inquiry.party
    else:
        with pytest.raises(Refusal) as refused:
            OPERATOR.admit(inquiry)
        assert (refused.value.code, refused.value.facts["rule"]) == (rule.refusal, rule.id)
        assert refused.value.facts["source"]


@pytest.mark.parametrize("rule", STATUS.rows, ids=lambda rule: rule.id)
def test_every_row_says_why_and_by_which_source(rule: AdmissionRule) -> None:
    assert rule.detail
    assert rule.source
    assert rule.refusal in (None, Code.UNKNOWN_CALLER, Code.NOT_ADMITTED)


@pytest.mark.parametrize("channel", [channel for channel in Channel if channel is not Channel.VALIDATION])
@pytest.mark.parametrize("standing", list(Standing))
def test_nobody_unapproved_is_told_by_any_way(standing: Standing, channel: Channel) -> None:
    party = replace(UNAPPROVED, standing=standing)
    assert STATUS.decide(ask(party, channel=channel)).id == "signature-not-approved"


@pytest.mark.parametrize("standing", [standing for standing in Standing if standing.through is None])
def test_every_standing_that_asks_has_its_ways(standing: Standing) -> None:
    ways = {
        channel
        for channel in Channel
        if STATUS.decide(ask(make_verifier("bank", standing=standing), channel=channel)).id != "way-not-given"
    }
    group = {Channel.OCSP, Channel.CRL, Channel.HANDLE}
    assert ways == (group if standing is Standing.GROUP_VERIFIER else set(Channel) - {Channel.VALIDATION})


def test_a_refusal_names_its_row_and_its_source() -> None:
    with pytest.raises(Refusal) as refusal:
        STATUS.admit(ask(SIGNATURES_ONLY, AUTHENTICATION))
    assert refusal.value.code is Code.NOT_ADMITTED
    assert refusal.value.facts == {
        "rule": "authentication-not-approved",
        "source": "公的個人認証法 §36(1): 利用者証明検証者",
        "verified": True,
    }


def test_a_stranger_is_told_what_to_do() -> None:
    with pytest.raises(Refusal, match="registered client certificate") as refusal:
        STATUS.admit(ask(None))
    assert refusal.value.code is Code.UNKNOWN_CALLER


def test_who_is_admitted_is_named_with_provider_and_purpose() -> None:
    assert STATUS.admit(ask(BOTH)) == Admitted(BOTH, None, "contract")
    assert STATUS.admit(through(PLATFORM, SHOP)) == Admitted(PLATFORM, SHOP, "contract")
    assert STATUS.admit(ask(TWO, purpose="identity-check")) == Admitted(TWO, None, "identity-check")
    assert STATUS.admit(ask(None, access="open")) == Admitted()
