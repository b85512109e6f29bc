"""One validation: what is refused, what is found not valid, what is told, and that it is told once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.parties import Party, Role
from domain.provisions import Channel, Provision
from domain.revocation import RevocationCause
from domain.validations import Format, Item, Reason
from tests.support.authority import KIYOSE_CITY, NOW
from tests.support.consents import CHALLENGE, PURPOSE, SHOP, SoftwareCard, at, card_signature, make_consent, number_of
from tests.support.house import House
from tests.support.memory import MemoryStore
from tests.support.requests import holder_key
from tests.support.residents import attributes
from tests.support.validation import authority_certificate, issue_card
from tests.support.verifiers import make_gate
from validation.answer import ValidationRequest, validate
from validation.consent import write_consent
from validation.parts import Validation
from validation.receipt import verify_receipt

EVERYTHING = frozenset(Item)


def refusal_of(validation: Validation, request: ValidationRequest) -> Refusal:
    with pytest.raises(Refusal) as told:
        validate(validation, request)
    return told.value


def test_a_good_signature_with_consent_is_valid(validation: Validation, card: SoftwareCard) -> None:
    answer = validate(validation, card.request())
    receipt = verify_receipt(answer.receipt, authority_certificate())
    assert receipt == answer.content
    assert (receipt.valid, receipt.reasons, receipt.kind, receipt.checked_at) == (True, (), Kind.SIGNATURE, NOW)
    assert (receipt.operator, receipt.purpose, receipt.format) == (SHOP.name, PURPOSE, Format.RAW)
    assert receipt.document == hashlib.sha256(CHALLENGE).digest()
    assert receipt.handle == "霞野書店 knows resident 1"
    assert (receipt.items, answer.items, answer.repeated) == (frozenset(), {}, False)


def test_the_authentication_certificate_answers_a_challenge(
    validation: Validation, cards: dict[Kind, SoftwareCard]
) -> None:
    answer = validate(validation, cards[Kind.AUTHENTICATION].request())
    assert (answer.content.valid, answer.content.kind) == (True, Kind.AUTHENTICATION)


def test_the_next_card_with_another_kind_of_key_is_read_as_well(validation: Validation, house: House) -> None:
    pair = house.issue(2, house.requests("ec"))
    (key,) = [key for key in house.signing_keys() if key.public_key() == _public(pair.certificates[Kind.SIGNATURE])]
    assert validate(validation, SoftwareCard(pair.certificates[Kind.SIGNATURE], key).request()).content.valid


def _public(certificate: bytes) -> object:
    from cryptography import x509

    return x509.load_der_x509_certificate(certificate).public_key()


@pytest.mark.parametrize(
    "items",
    [frozenset({item}) for item in Item] + [EVERYTHING],
    ids=lambda items: "+".join(sorted(i.value for i in items)),
)
def test_exactly_the_items_that_the_person_let_be_told_are_told(
    validation: Validation, card: SoftwareCard, items: frozenset[Item]
) -> None:
    answer = validate(validation, card.request(items=items))
    held = attributes()
    known = {
        "name": held.name,
        "address": held.address,
        "birth_date": held.birth_date.text,
        "sex": held.sex.value,
    }
    assert answer.items == {item.value: known[item.value] for item in items}
    assert answer.content.items == items
    assert all(text not in answer.receipt for text in (held.name, held.address))


def test_items_are_told_with_the_signing_certificate_alone(
    validation: Validation, cards: dict[Kind, SoftwareCard]
) -> None:
    refusal = refusal_of(validation, cards[Kind.AUTHENTICATION].request(items=frozenset({Item.NAME})))
    assert refusal.code is Code.BAD_CONSENT
    assert "signing certificate" in refusal.detail


@pytest.mark.parametrize(
    ("consented", "asked", "why"),
    [
        pytest.param({"operator": "隣の書店"}, {}, "another operator", id="operator"),
        pytest.param({"purpose": "広告の送付"}, {}, "another purpose", id="purpose"),
        pytest.param({}, {"purpose": "広告の送付"}, "another purpose", id="purpose of the request"),
        pytest.param({"document": bytes(32)}, {}, "another document", id="document"),
        pytest.param({"made_at": at(3), "good_until": at(9)}, {}, "future", id="made later"),
        pytest.param({"good_until": at(16)}, {}, "at most 15 minutes", id="too long"),
        pytest.param({"good_until": NOW}, {}, "ends after it was made", id="no time at all"),
    ],
)
def test_a_consent_to_something_else_is_refused(
    validation: Validation, card: SoftwareCard, consented: dict[str, Any], asked: dict[str, Any], why: str
) -> None:
    request = card.request(consent=card.consent(make_consent(**consented)), **asked)
    refusal = refusal_of(validation, request)
    assert (refusal.code, refusal.pointer) == (Code.BAD_CONSENT, "/consent/text")
    assert why in refusal.detail


def test_another_operator_cannot_use_it(validation: Validation, card: SoftwareCard) -> None:
    other = Party(2, Role.VERIFIER, "隣の書店", kinds=frozenset(Kind))
    refusal = refusal_of(validation, card.request(caller=other))
    assert (refusal.code, "another operator" in refusal.detail) == (Code.BAD_CONSENT, True)


def test_an_expired_consent_is_refused(validation: Validation, house: House, card: SoftwareCard) -> None:
    house.clock.forward(timedelta(minutes=10, seconds=1))
    assert refusal_of(validation, card.request()).code is Code.CONSENT_EXPIRED


def test_a_device_may_be_a_minute_ahead(validation: Validation, card: SoftwareCard) -> None:
    assert validate(validation, card.request(made_at=at(1))).content.valid


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda consent, card: replace(consent, signature=b"wrong"), id="no signature"),
        pytest.param(
            lambda consent, card: replace(consent, signature=card_signature(holder_key("rsa", 5), consent.text)),
            id="signed by another key",
        ),
        pytest.param(
            lambda consent, card: replace(consent, text=write_consent(make_consent(items=EVERYTHING))),
            id="items added after signing",
        ),
        pytest.param(
            lambda consent, card: replace(consent, signature=card_signature(card.key, CHALLENGE)),
            id="the signature over the challenge",
        ),
    ],
)
def test_a_consent_that_is_not_signed_is_refused(validation: Validation, card: SoftwareCard, wrong: Any) -> None:
    request = card.request()
    refusal = refusal_of(validation, replace(request, consent=wrong(request.consent, card)))
    assert (refusal.code, refusal.pointer) == (Code.BAD_CONSENT, "/consent/signature")


def test_another_persons_consent_does_not_help(validation: Validation, house: House, card: SoftwareCard) -> None:
    """The document is checked against the certificate that consents, and no other."""
    other = issue_card(house, 2)[Kind.SIGNATURE]
    answer = validate(validation, other.request(signature=card_signature(card.key, CHALLENGE)))
    assert answer.content.reasons == (Reason.SIGNATURE_WRONG,)


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(lambda der: b"", id="nothing"),
        pytest.param(lambda der: der[:-1], id="cut off"),
        pytest.param(lambda der: der[:-1] + bytes([der[-1] ^ 1]), id="another signature on it"),
        pytest.param(lambda der: authority_certificate(), id="of another authority"),
        pytest.param(lambda der: der + b"\x00", id="an octet more"),
    ],
)
def test_a_certificate_that_is_not_on_record_octet_for_octet_is_nobodys(
    validation: Validation, card: SoftwareCard, forged: Any
) -> None:
    request = card.request()
    consent = replace(request.consent, certificate=forged(card.certificate))
    refusal = refusal_of(validation, replace(request, consent=consent))
    assert refusal.code in (Code.FOREIGN_ISSUER, Code.MALFORMED)
    assert refusal.pointer == "/consent/certificate"


def test_a_wrong_signature_is_not_valid_and_earns_nothing(validation: Validation, card: SoftwareCard) -> None:
    answer = validate(validation, card.request(signature=b"wrong", items=EVERYTHING))
    assert answer.content.reasons == (Reason.SIGNATURE_WRONG,)
    assert (answer.content.valid, answer.content.handle, answer.items) == (False, None, {})
    assert verify_receipt(answer.receipt, authority_certificate()) == answer.content


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (RevocationCause.HOLDER_REQUEST, Reason.CERTIFICATE_REVOKED),
        (RevocationCause.TEMPORARY_STOP, Reason.CERTIFICATE_HELD),
    ],
    ids=["revoked", "held"],
)
def test_the_status_at_this_moment_counts(
    validation: Validation, house: House, card: SoftwareCard, cause: RevocationCause, reason: Reason
) -> None:
    house.revoke(1, cause)
    answer = validate(validation, card.request(items=EVERYTHING))
    assert (answer.content.reasons, answer.content.handle, answer.items) == ((reason,), None, {})


def test_a_certificate_that_has_ended_is_not_valid(validation: Validation, house: House, card: SoftwareCard) -> None:
    house.clock.forward(timedelta(days=3000))
    now = house.clock.now
    request = card.request(made_at=now, good_until=now + timedelta(minutes=1))
    assert validate(validation, request).content.reasons == (Reason.CERTIFICATE_EXPIRED,)


def test_a_consent_is_used_once(validation: Validation, card: SoftwareCard) -> None:
    request = card.request()
    validate(validation, request)
    refusal = refusal_of(validation, replace(request, key="validation 2"))
    assert refusal.code is Code.CONSENT_USED
    fresh = card.request(number=number_of("another"))
    assert validate(validation, replace(fresh, key="validation 2")).content.valid


def test_a_consent_signed_anew_is_the_same_consent(validation: Validation, house: House) -> None:
    """Signatures on elliptic curves differ each time; the text is what counts."""
    pair = house.issue(2, house.requests("ec"))
    (key,) = [key for key in house.signing_keys() if key.public_key() == _public(pair.certificates[Kind.SIGNATURE])]
    card = SoftwareCard(pair.certificates[Kind.SIGNATURE], key)
    validate(validation, card.request())
    again = card.request(key="validation 2")
    consent = replace(again.consent, signature=card_signature(key, again.consent.text, deterministic=False))
    assert consent.signature != again.consent.signature
    assert refusal_of(validation, replace(again, consent=consent)).code is Code.CONSENT_USED


def test_a_repeat_gets_the_same_receipt(validation: Validation, house: House, card: SoftwareCard) -> None:
    request = card.request(items=frozenset({Item.SEX}))
    first = validate(validation, request)
    house.revoke(1)
    house.clock.forward(timedelta(hours=1))
    again = validate(validation, request)
    assert (again.receipt, again.content, again.items) == (first.receipt, first.content, {"sex": "2"})
    assert (first.repeated, again.repeated) == (False, True)


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "other"},
        {"signature": b"other"},
        {"signature": None},
        {"format": Format.XML},
        {"document": b"other"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_same_key_with_other_content_is_refused(
    validation: Validation, card: SoftwareCard, change: dict[str, Any]
) -> None:
    request = card.request()
    validate(validation, request)
    assert refusal_of(validation, replace(request, **change)).code is Code.IDEMPOTENCY_MISMATCH


def test_a_refusal_leaves_the_consent_unused(validation: Validation, card: SoftwareCard) -> None:
    request = card.request()
    assert refusal_of(validation, replace(request, signature=None)).code is Code.MALFORMED
    assert validate(validation, request).content.valid


@pytest.mark.parametrize("fault", ["lost", "kept"])
def test_a_commit_of_unknown_outcome_is_mended_by_a_repeat(
    validation: Validation, memory: MemoryStore, card: SoftwareCard, fault: Any
) -> None:
    request = card.request()
    memory.faults = {memory.commits + 1: fault}
    assert refusal_of(validation, request).code is Code.STORE_UNAVAILABLE
    answer = validate(validation, request)
    assert (answer.content.valid, answer.repeated) == (True, fault == "kept")
    assert validate(validation, request).receipt == answer.receipt


def test_whoever_is_quicker_gives_the_receipt(validation: Validation, memory: MemoryStore, card: SoftwareCard) -> None:
    """The same request in another process, between the look and the commit of this one."""
    request = card.request()
    quicker: list[str] = []

    def overtake(write: bool) -> None:
        if write and not quicker:
            quicker.append("")
            quicker[0] = validate(validation, request).receipt

    memory.on_begin = overtake
    answer = validate(validation, request)
    assert (answer.receipt, answer.repeated) == (quicker[0], True)


def test_another_request_with_the_consent_is_too_late_at_the_commit(
    validation: Validation, memory: MemoryStore, card: SoftwareCard
) -> None:
    request = card.request()
    quicker: list[str] = []

    def overtake(write: bool) -> None:
        if write and not quicker:
            quicker.append("")
            validate(validation, replace(request, key="validation 2"))

    memory.on_begin = overtake
    assert refusal_of(validation, request).code is Code.CONSENT_USED


def test_a_consent_is_no_document(validation: Validation, card: SoftwareCard) -> None:
    text = write_consent(make_consent())
    refusal = refusal_of(validation, card.request(document=text))
    assert (refusal.code, refusal.pointer) == (Code.BAD_DOCUMENT, "/document")


@pytest.mark.parametrize(
    "caller",
    [KIYOSE_CITY, replace(SHOP, suspended_at=NOW), replace(SHOP, in_force_until=NOW - timedelta(seconds=1))],
    ids=["a municipality", "a suspended operator", "one whose time is over"],
)
def test_only_operators_in_force_ask(validation: Validation, card: SoftwareCard, caller: Party) -> None:
    records: list[Provision] = []
    refusal = refusal_of(replace(validation, gate=make_gate(records.append)), card.request(caller=caller))
    assert refusal.code is Code.NOT_ADMITTED
    (row,) = records
    assert (row.party, row.channel, row.asked) == (caller, Channel.VALIDATION, b"")
    assert row.answered == f"refused: {refusal.facts['rule']}"


def test_an_operator_asks_about_the_kinds_it_is_registered_for(
    validation: Validation, cards: dict[Kind, SoftwareCard]
) -> None:
    caller = replace(SHOP, kinds=frozenset({Kind.AUTHENTICATION}))
    assert validate(validation, cards[Kind.AUTHENTICATION].request(caller=caller)).content.valid
    refusal = refusal_of(validation, cards[Kind.SIGNATURE].request(caller=caller, key="validation 2"))
    assert (refusal.code, refusal.facts["rule"]) == (Code.NOT_ADMITTED, "kind-not-registered")


def test_what_is_kept_and_audited_says_nothing_of_the_person(
    validation: Validation, house: House, memory: MemoryStore, card: SoftwareCard
) -> None:
    validate(validation, card.request(items=EVERYTHING))
    with house.begin(write=False) as work:
        (row,) = [json.loads(row.body) for row in work.audit.rows() if "signature-validated" in row.body]
    assert row["actor"] == "verifier:霞野書店"
    assert row["facts"].keys() == {"validation", "format", "kind", "valid", "reasons", "items"}
    (kept,) = memory.tables.validations.values()
    assert attributes().name not in repr((kept, row))


def test_reprs_hold_nothing_of_the_person(validation: Validation, card: SoftwareCard) -> None:
    request = card.request(items=EVERYTHING)
    assert attributes().name not in repr((request, request.consent, validate(validation, request)))
