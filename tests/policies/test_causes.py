from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from domain.certificates import Carrier, CertificateRecord, Kind
from domain.errors import Code, Refusal
from domain.revocation import CrlReason, RevocationCause, RevocationOrder
from policies.causes import load_causes, load_pair_rule, orders_for
from policies.tables import TableFaults
from tests.support.people import certificate_record, serial_of
from tests.support.profiles import parsed

CAUSES = load_causes(parsed("law/causes.toml"))
SIGNATURE, AUTHENTICATION = certificate_record(Kind.SIGNATURE), certificate_record(Kind.AUTHENTICATION)
BOTH = {Kind.SIGNATURE, Kind.AUTHENTICATION}


@pytest.mark.parametrize(
    ("cause", "kinds", "reason"),
    [
        pytest.param("holder-request", BOTH, 5, id="a holder who names nothing wants both gone"),
        pytest.param("key-report", BOTH, 1, id="a leaked key is compromised"),
        pytest.param("card-lost", BOTH, 1, id="a lost card takes both keys with it"),
        pytest.param("resident-event", {Kind.SIGNATURE}, 3, id="a changed item revokes only its bearer"),
        pytest.param("resident-gone", BOTH, 5, id="death revokes both"),
        pytest.param("record-error", BOTH, 3, id="a wrong record revokes what was made of it"),
        pytest.param("issuer-key", BOTH, 2, id="a leaked issuer key revokes everything under it"),
        pytest.param("card-ended", BOTH, 5, id="a card's end revokes both"),
        pytest.param("renewal", BOTH, 4, id="a renewal supersedes the pair"),
        pytest.param("never-delivered", BOTH, 0, id="an undelivered pair is revoked without a reason"),
        pytest.param("temporary-stop", BOTH, 6, id="a missing card holds both"),
    ],
)
def test_what_each_cause_revokes_and_what_lists_say(cause: str, kinds: set[Kind], reason: int) -> None:
    orders = orders_for(CAUSES[RevocationCause(cause)], [SIGNATURE, AUTHENTICATION])
    assert {order.kind for order in orders} == kinds
    assert {order.reason for order in orders} == {CrlReason(reason)}


def test_an_order_names_the_certificate_and_the_law() -> None:
    assert orders_for(CAUSES[RevocationCause.RESIDENT_EVENT], [AUTHENTICATION, SIGNATURE]) == [
        RevocationOrder(
            SIGNATURE.issuer,
            SIGNATURE.serial,
            Kind.SIGNATURE,
            RevocationCause.RESIDENT_EVENT,
            CrlReason.AFFILIATION_CHANGED,
        )
    ]


def test_orders_keep_the_order_of_the_certificates() -> None:
    live = [AUTHENTICATION, SIGNATURE, certificate_record(Kind.AUTHENTICATION, 2)]
    orders = orders_for(CAUSES[RevocationCause.CARD_ENDED], live)
    assert [order.serial for order in orders] == [record.serial for record in live]


def test_without_live_certificates_there_is_nothing_to_do() -> None:
    assert orders_for(CAUSES[RevocationCause.CARD_LOST], []) == []


def test_a_holder_may_give_up_the_signing_certificate_alone() -> None:
    rule, chosen = CAUSES[RevocationCause.HOLDER_REQUEST], frozenset({Kind.SIGNATURE})
    assert [order.kind for order in orders_for(rule, [SIGNATURE, AUTHENTICATION], chosen)] == [Kind.SIGNATURE]


@pytest.mark.parametrize("rule", CAUSES.values(), ids=lambda rule: rule.cause.value)
def test_whoever_names_all_that_the_cause_revokes_is_heard(rule: Any) -> None:
    live = [SIGNATURE, AUTHENTICATION]
    assert orders_for(rule, live, rule.kinds) == orders_for(rule, live)


@pytest.mark.parametrize(
    ("cause", "chosen", "told"),
    [
        pytest.param(
            RevocationCause.CARD_LOST,
            {Kind.SIGNATURE},
            "card-lost revokes signature and authentication; name both or nothing",
            id="half a card cannot be lost",
        ),
        pytest.param(
            RevocationCause.RESIDENT_EVENT,
            {Kind.AUTHENTICATION},
            "resident-event revokes signature only",
            id="a change of name leaves the authentication certificate",
        ),
        pytest.param(
            RevocationCause.RESIDENT_EVENT, BOTH, "resident-event revokes signature only", id="and does not revoke both"
        ),
        pytest.param(
            RevocationCause.HOLDER_REQUEST,
            set(),
            "holder-request revokes signature and authentication, or one of them",
            id="choosing nothing is no choice",
        ),
    ],
)
def test_a_choice_that_the_row_does_not_permit(cause: RevocationCause, chosen: set[Kind], told: str) -> None:
    with pytest.raises(Refusal) as refusal:
        orders_for(CAUSES[cause], [SIGNATURE, AUTHENTICATION], frozenset(chosen))
    assert refusal.value.code is Code.CAUSE_NOT_ALLOWED
    assert refusal.value.detail == told


def test_who_may_ask() -> None:
    assert {cause.value: sorted(rule.by) for cause, rule in CAUSES.items()} == {
        "holder-request": ["municipality", "operator"],
        "key-report": ["municipality", "operator"],
        "card-lost": ["municipality", "operator"],
        "resident-event": ["register"],
        "resident-gone": ["register"],
        "record-error": ["operator"],
        "issuer-key": ["operator"],
        "card-ended": ["municipality", "operator"],
        "renewal": ["municipality", "operator"],
        "never-delivered": ["municipality", "operator"],
        "temporary-stop": ["desk", "municipality", "operator"],
    }


def test_what_is_inferred_says_so() -> None:
    for rule in CAUSES.values():
        assert rule.verified is ("unverified" not in rule.source)
        for effect in rule.effects.values():
            assert effect.verified is ("unverified" not in effect.source)
    assert {cause.value for cause, rule in CAUSES.items() if not rule.verified} == {
        "holder-request",
        "key-report",
        "card-lost",
        "resident-gone",
        "record-error",
    }


def spoilt(row: int, **columns: object) -> dict[str, Any]:
    content = parsed("law/causes.toml")
    content["cause"][row] |= columns
    return content


def spoilt_effect(**columns: object) -> dict[str, Any]:
    """The first effect of the first cause, changed."""
    content = parsed("law/causes.toml")
    content["cause"][0]["effect"][0] |= columns
    return content


def doubled() -> dict[str, Any]:
    content = parsed("law/causes.toml")
    content["cause"][0]["effect"] *= 2
    return content


def torn(stays: str) -> dict[str, Any]:
    """A cause that spares certificates of one kind on the card."""
    content = parsed("law/causes.toml")
    other = next(kind.value for kind in Kind if kind.value != stays)
    whole = content["cause"][0]["effect"][0]
    spared = {"kinds": [stays], "carriers": ["card"], "effect": "stays"}
    hit = {**whole, "kinds": [other], "carriers": ["card"]}
    content["cause"][0]["effect"] = [spared, hit, {**whole, "carriers": ["mobile-device"]}]
    return content


def spared(cause: str, **effect: object) -> dict[str, Any]:
    """A table in which a cause does something else to what is on phones."""
    content = parsed("law/causes.toml")
    (row,) = (row for row in content["cause"] if row["cause"] == cause)
    kinds = [kind.value for kind in Kind]
    whole = {"kinds": kinds, "carriers": ["card"], "effect": "revoked", "reason": "superseded"}
    row["effect"] = [whole, {"kinds": kinds, "carriers": ["mobile-device"], **effect}]
    return content


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        pytest.param(
            spared("never-delivered", effect="stays"),
            "cause 10: effect: never-delivered must revoke everything: a hand-over ends by it",
            id="what was never delivered stays",
        ),
        pytest.param(
            spared("renewal", effect="held", reason="certificate-hold"),
            "cause 9: effect: renewal must revoke everything: a hand-over ends by it",
            id="what was replaced is held",
        ),
        pytest.param(spoilt(0, cause="boredom"), "cause 1: cause: want one of", id="an unknown cause"),
        pytest.param(spoilt(0, cause="renewal"), "cause 9: this cause stands twice", id="a cause that stands twice"),
        pytest.param(
            spoilt_effect(kinds=["signature"] * 2, carriers=[]), "effect 1: kinds: want a list of", id="a kind twice"
        ),
        pytest.param(spoilt_effect(kinds=[["signature"]]), "effect 1: kinds: want a list of", id="a list for a kind"),
        pytest.param(spoilt_effect(carriers=[]), "effect 1: carriers: want a list of", id="no carriers"),
        pytest.param(
            spoilt_effect(kinds=["signature"]), "cause 1: effect: authentication on card has no row", id="a gap"
        ),
        pytest.param(spoilt_effect(effect="blamed"), "effect 1: effect: want one of", id="an unknown effect"),
        pytest.param(spoilt_effect(effect="held"), "effect 1: reason: certificate-hold belongs", id="a hold without"),
        pytest.param(
            spoilt_effect(effect="stays"), "effect 1: reason: certificate-hold belongs", id="a reason to stay"
        ),
        pytest.param(spoilt_effect(verified=0), "effect 1: verified: want true or false", id="a number in an effect"),
        pytest.param(spoilt_effect(because="so"), "effect 1: because: nobody knows this key", id="an unknown part"),
        pytest.param(spoilt(0, effect=[]), "cause 1: effect: want a list of tables", id="no effects"),
        pytest.param(doubled(), "effect 2: signature on card stands twice", id="an effect that stands twice"),
        pytest.param(
            torn("signature"),
            "cause 1: effect: on card the signing certificate would outlive the authentication one",
            id="a signing certificate alone",
        ),
        pytest.param(
            torn("authentication"),
            "cause 1: effect: only resident-event leaves the authentication certificate alone",
            id="a second exception",
        ),
        pytest.param(
            parsed("law/causes.toml") | {"pair": {"exception": "x", "source": "s", "verified": True}},
            "pair: exception: want one of",
            id="an unknown exception",
        ),
        pytest.param(parsed("law/causes.toml") | {"pair": 1}, "pair: want a table", id="no pair rule"),
        pytest.param(spoilt(0, choosable="no"), "cause 1: choosable: want true or false", id="a flag in words"),
        pytest.param(
            spoilt_effect(reason="remove-from-crl"), "effect 1: reason: want one of", id="an impossible reason"
        ),
        pytest.param(spoilt(0, by=["verifier"]), "cause 1: by: want a list of", id="a verifier who revokes"),
        pytest.param(spoilt(0, source=" "), "cause 1: source: want a text", id="a blank source"),
        pytest.param(spoilt(0, verified=1), "cause 1: verified: want true or false", id="a number for a flag"),
        pytest.param(spoilt(0, article=9), "cause 1: article: nobody knows this key", id="an unknown column"),
        pytest.param(parsed("law/causes.toml") | {"note": "x"}, "note: nobody knows this key", id="an unknown key"),
    ],
)
def test_a_spoilt_table_is_refused(content: dict[str, Any], fault: str) -> None:
    with pytest.raises(TableFaults) as faults:
        load_causes(content)
    assert any(fault in told for told in faults.value.faults)


def test_every_cause_has_a_row() -> None:
    content = parsed("law/causes.toml")
    del content["cause"][0], content["cause"][-1]
    with pytest.raises(TableFaults) as faults:
        load_causes(content)
    assert faults.value.faults == ("cause: holder-request has no row", "cause: temporary-stop has no row")


def test_the_authentication_certificate_takes_the_signing_certificate_with_it() -> None:
    rule = CAUSES[RevocationCause.HOLDER_REQUEST]
    orders = orders_for(rule, [SIGNATURE, AUTHENTICATION], frozenset({Kind.AUTHENTICATION}))
    assert {order.kind for order in orders} == set(Kind)


PHONE = replace(SIGNATURE, carrier=Carrier.MOBILE_DEVICE, serial=certificate_record(Kind.SIGNATURE, 9).serial)


@pytest.mark.parametrize(
    ("cause", "card", "phone"),
    [
        pytest.param("card-lost", 1, 5, id="the phone's key is not lost with the card"),
        pytest.param("resident-event", 3, 3, id="an item is wrong wherever it stands"),
        pytest.param("temporary-stop", 6, 6, id="unless a carrier is named both are held"),
        pytest.param("card-ended", 5, 5, id="the phone's certificates live by the card"),
    ],
)
def test_what_each_cause_does_on_each_carrier(cause: str, card: int, phone: int) -> None:
    orders = orders_for(CAUSES[RevocationCause(cause)], [SIGNATURE, PHONE])
    assert [(order.serial, order.reason) for order in orders] == [(SIGNATURE.serial, card), (PHONE.serial, phone)]


def test_a_named_carrier_leaves_the_other_alone() -> None:
    rule = CAUSES[RevocationCause.KEY_REPORT]
    orders = orders_for(rule, [SIGNATURE, PHONE], None, frozenset({Carrier.MOBILE_DEVICE}))
    assert [order.serial for order in orders] == [PHONE.serial]


ON_PHONE = [PHONE, replace(AUTHENTICATION, carrier=Carrier.MOBILE_DEVICE, serial=serial_of("the phone's other one"))]


@pytest.mark.parametrize(
    ("cause", "kinds", "reasons"),
    [
        pytest.param("key-report", {Kind.SIGNATURE}, [1, 1, 1], id="whoever has its key could have had a phone"),
        pytest.param("holder-request", {Kind.SIGNATURE}, [5, 5, 5], id="given up alone"),
        pytest.param("holder-request", BOTH, [5, 5, 5, 5], id="given up with the authentication certificate"),
        pytest.param("renewal", {Kind.SIGNATURE}, [4, 4, 4], id="superseded alone"),
    ],
)
def test_the_card_s_signing_certificate_takes_the_phone_with_it(
    cause: str, kinds: set[Kind], reasons: list[int]
) -> None:
    rule, live = CAUSES[RevocationCause(cause)], [SIGNATURE, AUTHENTICATION, *ON_PHONE]
    orders = orders_for(rule, live, frozenset(kinds), frozenset({Carrier.CARD}))
    assert [order.reason for order in orders] == reasons
    assert [order.serial for order in orders][-2:] == [record.serial for record in ON_PHONE]


@pytest.mark.parametrize(
    ("cause", "live"),
    [
        pytest.param("temporary-stop", [SIGNATURE, *ON_PHONE], id="a hold on the card ends nothing"),
        pytest.param("key-report", [AUTHENTICATION, *ON_PHONE], id="no signing certificate is left on the card"),
        pytest.param(
            "key-report", [replace(SIGNATURE, ended_at=SIGNATURE.reserved_at), *ON_PHONE], id="it ended before"
        ),
    ],
)
def test_the_phone_stays_when_the_card_is_named_and(cause: str, live: list[CertificateRecord]) -> None:
    orders = orders_for(CAUSES[RevocationCause(cause)], live, None, frozenset({Carrier.CARD}))
    assert [order.serial for order in orders] == [live[0].serial]


def test_a_change_in_the_register_leaves_the_phone_s_authentication_certificate() -> None:
    orders = orders_for(CAUSES[RevocationCause.RESIDENT_EVENT], [SIGNATURE, AUTHENTICATION, *ON_PHONE])
    assert [order.serial for order in orders] == [SIGNATURE.serial, PHONE.serial]


@pytest.mark.parametrize("rule", CAUSES.values(), ids=lambda rule: rule.cause.value)
def test_effects_stand_in_one_order(rule: Any) -> None:
    assert [*rule.effects] == [*product(Kind, Carrier)]


@pytest.mark.parametrize(
    ("cause", "carriers", "told"),
    [
        ("card-lost", {Carrier.CARD}, "card-lost hits card and mobile-device; name every carrier or none"),
        ("key-report", set(), "key-report hits card and mobile-device, or one of them"),
    ],
)
def test_a_carrier_is_named_where_the_row_permits_it(cause: str, carriers: set[Carrier], told: str) -> None:
    with pytest.raises(Refusal) as refusal:
        orders_for(CAUSES[RevocationCause(cause)], [SIGNATURE], None, frozenset(carriers))
    assert (refusal.value.code, refusal.value.detail) == (Code.CAUSE_NOT_ALLOWED, told)


def test_the_pair_rule_has_one_exception() -> None:
    pair = load_pair_rule(parsed("law/causes.toml"))
    assert pair.exception is RevocationCause.RESIDENT_EVENT
    for cause, rule in CAUSES.items():
        for carrier in Carrier:
            hit = [rule.effects[kind, carrier].reason is not None for kind in Kind]
            assert hit == [True, cause is not pair.exception]
