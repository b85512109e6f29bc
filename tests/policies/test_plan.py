from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain import oids
from domain.certificates import Issuer, IssuerId, Kind, Validity
from domain.errors import Code, Refusal
from policies.distribution import authority_point, municipal_point
from policies.keys import SubjectKey, key_identifier
from policies.plan import (
    AuthorityNames,
    CertificatePlan,
    FourItems,
    Locations,
    plan_authority,
    plan_leaf,
    plan_responder,
)
from tests.support.people import KIYOSE, VALIDITY, serial_of
from tests.support.profiles import make_profile

NAMES = AuthorityNames(
    subject=(
        (oids.COUNTRY, "JP"),
        (oids.ORGANIZATION, "JPKI-DEMO"),
        (oids.ORGANIZATIONAL_UNIT, "JPKI for digital signature"),
        (oids.ORGANIZATIONAL_UNIT, "JPKI Demonstration Organization"),
    ),
    alternative=((oids.COUNTRY, "JP"), (oids.ORGANIZATION, "公的個人認証サービス（デモ）")),
)
LOCATIONS = Locations("http://pki.example/crl", "http://pki.example/ocsp", "http://pki.example/ca")
LIFE = Validity(datetime(2026, 4, 1, tzinfo=UTC), datetime(2036, 3, 31, 14, 59, 59, tzinfo=UTC))
ITEMS = FourItems("霧島　透子", "00000", "2", "319800217", "東京都", "000")
RSA = SubjectKey("rsa", "rsa-2048", b"rsa spki", b"rsa bits", 1, 65537)
P256, P384 = SubjectKey("ec", "ec-p256", b"p256 spki", b"p256"), SubjectKey("ec", "ec-p384", b"p384 spki", b"p384")
SECOND = timedelta(seconds=1)


def issuer(kind: Kind = Kind.SIGNATURE) -> Issuer:
    return Issuer(IssuerId(f"{kind.value}-g1"), kind, b"", b"subject", b"spki", b"bits", b"identifier", LIFE)


def leaf(kind: Kind = Kind.SIGNATURE, **changes: Any) -> CertificatePlan:
    arguments: dict[str, Any] = {
        "profile": make_profile(f"{kind.value}-rsa2048"),
        "issuer": issuer(kind),
        "names": NAMES,
        "locations": LOCATIONS,
        "municipality": KIYOSE,
        "serial": serial_of("leaf"),
        "identifier": "IDENTIFIER",
        "key": RSA,
        "validity": VALIDITY,
        "four_items": ITEMS if kind is Kind.SIGNATURE else None,
    }
    return plan_leaf(**arguments | changes)


def responder(**changes: Any) -> CertificatePlan:
    arguments: dict[str, Any] = {
        "profile": make_profile("ocsp-responder"),
        "issuer": issuer(),
        "names": NAMES,
        "locations": LOCATIONS,
        "serial": serial_of("responder"),
        "key": P256,
        "validity": VALIDITY,
    }
    return plan_responder(**arguments | changes)


def authority(**changes: Any) -> CertificatePlan:
    arguments: dict[str, Any] = {
        "profile": make_profile("ca-rsa2048"),
        "names": NAMES,
        "locations": LOCATIONS,
        "issuer": IssuerId("signature-g1"),
        "serial": serial_of("authority"),
        "key": RSA,
        "validity": LIFE,
    }
    return plan_authority(**arguments | changes)


def test_a_signing_certificate_is_planned_whole() -> None:
    assert leaf() == CertificatePlan(
        profile=make_profile("signature-rsa2048"),
        issuer=issuer(),
        names=NAMES,
        serial=serial_of("leaf"),
        subject=(
            (oids.COUNTRY, "JP"),
            (oids.LOCALITY, "Tokyo-to"),
            (oids.LOCALITY, "Kiyose-shi"),
            (oids.COMMON_NAME, "IDENTIFIER"),
        ),
        validity=VALIDITY,
        spki=b"rsa spki",
        key_identifier=key_identifier(b"rsa bits"),
        distribution_point=municipal_point(NAMES.subject, KIYOSE, IssuerId("signature-g1"), LOCATIONS),
        locations=LOCATIONS,
        four_items=ITEMS,
    )


def test_an_authentication_certificate_says_nothing_of_its_holder() -> None:
    plan = leaf(Kind.AUTHENTICATION)
    assert plan.four_items is None
    assert plan.subject == ((oids.COUNTRY, "JP"), (oids.COMMON_NAME, "IDENTIFIER"))


def test_an_authority_certifies_itself_and_points_to_its_own_list() -> None:
    plan = authority()
    assert plan.issuer is None
    assert plan.subject == NAMES.subject
    assert plan.distribution_point == authority_point(NAMES.subject, IssuerId("signature-g1"), LOCATIONS)
    assert plan.key_identifier == key_identifier(b"rsa bits")


def test_a_responder_is_named_and_not_looked_up() -> None:
    plan = responder()
    assert plan.subject[-1] == (oids.COMMON_NAME, "OCSP responder of signature-g1")
    assert plan.distribution_point is None


def test_a_certificate_may_live_exactly_as_long_as_its_issuer() -> None:
    assert leaf(validity=LIFE).validity == responder(validity=LIFE).validity == LIFE


@pytest.mark.parametrize("plan", [leaf, responder], ids=["a leaf", "a responder"])
@pytest.mark.parametrize(
    ("validity", "told"),
    [
        pytest.param(replace(LIFE, not_after=LIFE.not_after + SECOND), "outlive its issuer", id="outlives by a second"),
        pytest.param(replace(LIFE, not_before=LIFE.not_before - SECOND), "begin before", id="begins a second before"),
    ],
)
def test_nothing_passes_the_life_of_its_issuer(plan: Any, validity: Validity, told: str) -> None:
    with pytest.raises(Refusal, match=told) as refusal:
        plan(validity=validity)
    assert refusal.value.code is Code.BAD_PLAN


CONTRADICTIONS = [
    pytest.param(leaf, {"profile": make_profile("authentication-rsa2048")}, id="another kind's profile"),
    pytest.param(leaf, {"issuer": issuer(Kind.AUTHENTICATION)}, id="another kind's issuer"),
    pytest.param(leaf, {"profile": make_profile("ca-rsa2048")}, id="a holder who would be an authority"),
    pytest.param(leaf, {"four_items": None}, id="a signing certificate without the four items"),
    pytest.param(
        leaf, {"kind": Kind.AUTHENTICATION, "four_items": ITEMS}, id="an authentication certificate with them"
    ),
    pytest.param(leaf, {"key": P384}, id="another generation's key"),
    pytest.param(responder, {"profile": make_profile("signature-rsa2048")}, id="a responder with a holder's profile"),
    pytest.param(responder, {"key": RSA}, id="a responder with a key of another type"),
    pytest.param(authority, {"profile": make_profile("ocsp-responder")}, id="an authority with a responder's profile"),
    pytest.param(authority, {"key": P384}, id="an authority with another generation's key"),
]


@pytest.mark.parametrize(("plan", "changes"), CONTRADICTIONS)
def test_a_plan_that_contradicts_itself_is_refused(plan: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refusal:
        plan(**changes)
    assert refusal.value.code is Code.BAD_PLAN
