"""Validation behind a platform: it sends, and the person consents to the provider, whose handle and receipt it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.parties import Party
from domain.provisions import Channel, Provision
from domain.standings import Standing
from tests.support.authority import NOW
from tests.support.consents import SHOP, SoftwareCard, make_consent, number_of
from tests.support.house import House
from tests.support.memory import MemoryStore
from tests.support.validation import authority_certificate, make_validation
from tests.support.verifiers import add_verifier, make_gate
from validation.answer import ValidationRequest, validate
from validation.parts import Validation
from validation.receipt import verify_receipt


@pytest.fixture
def platform(house: House) -> Party:
    return add_verifier(house.begin, "platform", standing=Standing.PLATFORM_OPERATOR, approvals=())


@pytest.fixture
def providers(house: House, platform: Party) -> tuple[Party, Party]:
    """Two shops behind the platform, and a third behind another one; nobody is approved."""
    other = add_verifier(house.begin, "other", standing=Standing.PLATFORM_OPERATOR, approvals=())
    common: dict[str, Any] = {"standing": Standing.SERVICE_PROVIDER, "approvals": ()}
    add_verifier(house.begin, "stranger", behind=other.id, **common)
    add_verifier(house.begin, "log-ins", Kind.AUTHENTICATION, behind=platform.id, **common)
    one, two = (add_verifier(house.begin, name, behind=platform.id, **common) for name in ("books", "games"))
    return one, two


@pytest.fixture
def told() -> list[Provision]:
    return []


@pytest.fixture
def validation(house: House, told: list[Provision]) -> Validation:
    return make_validation(house, record=told.append, gate=make_gate(told.append))


def asked(card: SoftwareCard, platform: Party, provider: str | None, consents_to: str, key: str) -> ValidationRequest:
    """The platform asks for a provider with a consent to somebody."""
    request = card.request(caller=platform, key=key)
    document = make_consent(operator=consents_to, document=make_consent().document, number=number_of(key))
    return replace(request, provider=provider, consent=card.consent(document))


def refusal_of(validation: Validation, request: ValidationRequest) -> Refusal:
    with pytest.raises(Refusal) as caught:
        validate(validation, request)
    return caught.value


def test_the_receipt_the_handle_and_the_record_are_the_provider_s(
    validation: Validation,
    card: SoftwareCard,
    platform: Party,
    providers: tuple[Party, Party],
    told: list[Provision],
    memory: MemoryStore,
) -> None:
    books, games = providers
    found = {}
    for provider in providers:
        request = asked(card, platform, provider.name, provider.name, f"for {provider.name}")
        answer = validate(validation, request)
        found[provider.name] = receipt = verify_receipt(answer.receipt, authority_certificate())
        assert (receipt.valid, receipt.operator) == (True, provider.name)
        again = validate(validation, request)
        assert (again.receipt, again.repeated) == (answer.receipt, True)
    assert (found["books"].handle, found["games"].handle) == ("books knows resident 1", "games knows resident 1")
    who = [(one.party, one.provider, one.channel) for one in told]
    assert who == [(platform, provider, Channel.VALIDATION) for provider in (books, books, games, games)]


@pytest.mark.parametrize(
    ("provider", "consents_to"),
    [
        pytest.param("games", "books", id="another provider"),
        pytest.param("books", "platform", id="the platform instead of the provider"),
        pytest.param(None, "books", id="the provider, and the platform asks for itself"),
        pytest.param("books", SHOP.name, id="somebody else"),
    ],
)
def test_a_consent_to_somebody_else_is_refused(
    validation: Validation,
    card: SoftwareCard,
    platform: Party,
    providers: tuple[Party, Party],
    provider: str | None,
    consents_to: str,
) -> None:
    refusal = refusal_of(validation, asked(card, platform, provider, consents_to, "a key"))
    assert (refusal.code, refusal.pointer) == (Code.BAD_CONSENT, "/consent/text")
    assert "another operator" in refusal.detail
    good = asked(card, platform, consents_to, consents_to, "a key") if consents_to in ("books", "games") else None
    assert good is None or validate(validation, good).content.valid, "a refusal leaves the consent unused"


def test_a_request_with_its_key_is_for_its_provider(
    validation: Validation, card: SoftwareCard, platform: Party, providers: tuple[Party, Party]
) -> None:
    """Whoever swaps the provider of an answered request gets neither the answer nor another one."""
    request = asked(card, platform, "books", "books", "a key")
    validate(validation, request)
    for provider in ("games", None):
        swapped = replace(request, provider=provider)
        assert refusal_of(validation, swapped).code is Code.IDEMPOTENCY_MISMATCH
        assert refusal_of(validation, replace(swapped, key="another key")).code is Code.BAD_CONSENT
    assert refusal_of(validation, replace(request, key="another key")).code is Code.CONSENT_USED


@pytest.mark.parametrize(
    ("provider", "rule"),
    [
        ("stranger", "operator-provider-unknown"),
        ("nobody", "operator-provider-unknown"),
        ("log-ins", "kind-not-registered"),
        ("suspended", "operator-not-in-force"),
    ],
)
def test_who_is_not_behind_the_platform_or_not_entitled_is_refused_on_record(
    validation: Validation,
    house: House,
    card: SoftwareCard,
    platform: Party,
    providers: tuple[Party, Party],
    told: list[Provision],
    provider: str,
    rule: str,
) -> None:
    common: dict[str, Any] = {"standing": Standing.SERVICE_PROVIDER, "approvals": ()}
    gone = add_verifier(house.begin, "suspended", behind=platform.id, **common)
    with house.begin() as work:
        work.parties.suspend(gone.id, NOW)
        work.commit()
    refusal = refusal_of(validation, asked(card, platform, provider, provider, "a key"))
    assert (refusal.code, refusal.facts["rule"]) == (Code.NOT_ADMITTED, rule)
    assert [(one.party, one.answered) for one in told] == [(platform, f"refused: {rule}")]
    assert {one.asked for one in told} == {b""}
