"""Who may ask for status: every row of the table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.parties import LOCAL_OPERATOR, Party, Role
from domain.people import MunicipalityCode
from policies.admission import ADMISSION_RULES, AdmissionRule, Inquiry, admission, admit_party
from policies.ocsp import Access

NOW = datetime(2027, 4, 1, tzinfo=UTC)
SIGNATURE, AUTHENTICATION = Kind
BOTH = Party(1, Role.VERIFIER, "platform", kinds=frozenset(Kind))
SIGNATURES_ONLY = replace(BOTH, kinds=frozenset({SIGNATURE}))
AUTHENTICATIONS_ONLY = replace(BOTH, kinds=frozenset({AUTHENTICATION}))
MUNICIPALITY = Party(2, Role.MUNICIPALITY, "Kiyose", municipality=MunicipalityCode("132217"))
REGISTER = Party(3, Role.REGISTER, "register")
VERIFIERS: Access = "notified-verifiers"

CASES = [
    pytest.param("open", None, SIGNATURE, "open-to-all", id="anybody where status is open"),
    pytest.param(
        "open", replace(BOTH, suspended_at=NOW), SIGNATURE, "open-to-all", id="a suspended one where it is open"
    ),
    pytest.param(VERIFIERS, None, SIGNATURE, "caller-unknown", id="a stranger"),
    pytest.param(VERIFIERS, MUNICIPALITY, SIGNATURE, "not-a-verifier", id="a municipality"),
    pytest.param(VERIFIERS, REGISTER, AUTHENTICATION, "not-a-verifier", id="the register"),
    pytest.param(VERIFIERS, LOCAL_OPERATOR, SIGNATURE, "not-a-verifier", id="an operator"),
    pytest.param(
        VERIFIERS,
        replace(MUNICIPALITY, kinds=frozenset(Kind)),
        SIGNATURE,
        "not-a-verifier",
        id="kinds without the role",
    ),
    pytest.param(VERIFIERS, replace(BOTH, suspended_at=NOW), SIGNATURE, "not-in-force", id="a suspended verifier"),
    pytest.param(
        VERIFIERS,
        replace(BOTH, in_force_until=NOW - timedelta(seconds=1)),
        SIGNATURE,
        "not-in-force",
        id="a verifier whose period ended",
    ),
    pytest.param(VERIFIERS, replace(BOTH, in_force_until=NOW), SIGNATURE, "notified-verifier", id="the last second"),
    pytest.param(VERIFIERS, AUTHENTICATIONS_ONLY, SIGNATURE, "signature-not-notified", id="the other kind, signature"),
    pytest.param(
        VERIFIERS, SIGNATURES_ONLY, AUTHENTICATION, "authentication-not-notified", id="the other kind, authentication"
    ),
    pytest.param(VERIFIERS, SIGNATURES_ONLY, SIGNATURE, "notified-verifier", id="a verifier of signatures"),
    pytest.param(
        VERIFIERS, AUTHENTICATIONS_ONLY, AUTHENTICATION, "notified-verifier", id="a verifier of authentications"
    ),
    pytest.param(VERIFIERS, BOTH, AUTHENTICATION, "notified-verifier", id="a verifier of both"),
]


@pytest.mark.parametrize(("access", "party", "kind", "rule"), CASES)
def test_the_deciding_row(access: Access, party: Party | None, kind: Kind, rule: str) -> None:
    assert admission(Inquiry(access, party, kind, NOW)).id == rule


def test_every_row_decides_some_case() -> None:
    assert {case.values[3] for case in CASES} == {rule.id for rule in ADMISSION_RULES}


@pytest.mark.parametrize("rule", ADMISSION_RULES, ids=lambda rule: rule.id)
def test_every_row_says_why_and_by_which_source(rule: AdmissionRule) -> None:
    assert rule.detail
    assert rule.source
    assert rule.refusal in (None, Code.UNKNOWN_CALLER, Code.NOT_ADMITTED)


def test_a_refusal_names_its_row() -> None:
    with pytest.raises(Refusal) as refusal:
        admit_party(Inquiry(VERIFIERS, SIGNATURES_ONLY, AUTHENTICATION, NOW))
    assert refusal.value.code is Code.NOT_ADMITTED
    assert refusal.value.facts == {"rule": "authentication-not-notified"}


def test_a_stranger_is_told_what_to_do() -> None:
    with pytest.raises(Refusal, match="registered client certificate") as refusal:
        admit_party(Inquiry(VERIFIERS, None, SIGNATURE, NOW))
    assert refusal.value.code is Code.UNKNOWN_CALLER


@pytest.mark.parametrize("kind", Kind)
def test_who_is_admitted_is_not_stopped(kind: Kind) -> None:
    inquiry = Inquiry(VERIFIERS, BOTH, kind, NOW)
    admit_party(inquiry)
    assert admission(inquiry).refusal is None
