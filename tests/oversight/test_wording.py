"""Explanations in words: complete in both languages, and silent about whom they concern."""

from __future__ import annotations

from string import Formatter

import pytest

from config.rules import load_causes, load_events
from domain.certificates import Carrier, CertificateState, Kind
from domain.events import Act, EventType
from domain.people import ResidentState
from domain.revocation import CrlReason, RevocationCause
from domain.status import CertificateStatus
from oversight.explain import explain
from oversight.reconcile import reconcile
from oversight.wording import render
from oversight.words import SENTENCES, WORDS, Language
from tests.support.forgery import Liar
from tests.support.house import House
from tests.support.lists import SCOPE
from tests.support.memory import MemoryStore
from tests.support.residents import attributes, resident_code


def told(house: House, number: int, language: Language) -> str:
    return render(explain(house.inspection(), list(house.authority.sealer.indexes(resident_code(number)))), language)


def test_an_explanation_in_english(lived: House) -> None:
    rule = load_causes()[RevocationCause.HOLDER_REQUEST]
    text = told(lived, 1, "en")
    assert text.startswith(
        f"""\
As of 2027-04-01T02:03:00Z: in the resident register, municipality 132217, 3 certificates

signing certificate of application 1 (signature-g1, card, municipality 132217)
  valid from 2027-04-01T00:00:00Z through 2031-11-03T14:59:59Z; issued
  no longer the holder's live certificate since 2027-04-01T01:01:00Z
  2027-04-01T00:00:00Z  reserved by municipality:kiyose
  2027-04-01T00:00:00Z  issued by municipality:kiyose
  2027-04-01T01:01:00Z  revoked by municipality:kiyose
    because: {rule.title_en} [{rule.source}] (not verified against the law's text)
  OCSP answers: revoked since 2027-04-01T01:01:00Z, cessationOfOperation
  list signature-g1/13221.crl number 2 of 2027-04-01T00:57:00Z lists it: 2027-04-01T01:01:00Z, cessationOfOperation

authentication certificate of application 1 (authentication-g1, card, municipality 132217)
"""
    )


def test_an_explanation_in_japanese(house: House) -> None:
    house.issue(1)
    house.move()
    cause, event = load_causes()[RevocationCause.RESIDENT_EVENT], load_events()[EventType.MOVE_WITHIN]
    assert told(house, 1, "ja").startswith(
        f"""\
2027-04-01T00:00:00Z 現在: 住民票あり、市区町村 132217、証明書 2 件
  2027-04-01T00:00:00Z  異動（register:juki）
    根拠: {event.title_ja}［{event.source}］

申請 1 の署名用電子証明書（signature-g1、個人番号カード用、市区町村 132217）
  有効期間 2027-04-01T00:00:00Z から 2031-11-03T14:59:59Z まで、発行済み
  2027-04-01T00:00:00Z に利用者の現用証明書でなくなった
  2027-04-01T00:00:00Z  発行の受付（municipality:kiyose）
  2027-04-01T00:00:00Z  発行（municipality:kiyose）
  2027-04-01T00:00:00Z  失効（register:juki）
    根拠: {cause.title_ja}［{cause.source}］
  OCSP の応答: 失効（2027-04-01T00:00:00Z、記載内容の変更 (affiliationChanged)）
  失効リスト signature-g1/13221.crl: 未公表
  失効リストに未反映。次の公表は 2027-04-01T00:10:00Z まで
"""
    )


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        pytest.param(CrlReason.SUPERSEDED, "superseded", id="a-reason"),
        pytest.param(None, "no reason given", id="no-reason"),
    ],
)
def test_a_reason_that_is_not_told_is_called_so(
    lived: House, memory: MemoryStore, reason: CrlReason | None, words: str
) -> None:
    status = CertificateStatus("revoked", lived.clock.now, reason)
    lived.status = Liar(memory, {(1, Kind.AUTHENTICATION): status})
    assert f"OCSP answers: revoked since 2027-04-01T02:03:00Z, {words}" in told(lived, 1, "en")


def test_every_value_has_a_name_in_both_languages() -> None:
    values: set[object] = {"good", "revoked", "unknown", *CrlReason}
    values |= {*Kind, *Carrier, *CertificateState, *ResidentState}
    values |= {Act.RESIDENT_CHANGED, Act.RESERVED, Act.ISSUED, Act.DELIVERED, Act.EXPIRED, Act.REVOKED, Act.HELD}
    values |= {Act.ERASED}
    values |= {Act.RELEASED, Act.HOLD_AGED}
    assert set(WORDS) == values
    assert all(english.isascii() and not japanese.isascii() for english, japanese in WORDS.values())


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_has_the_same_places_in_both_languages(sentence: str) -> None:
    english, japanese = ({name for _, name, _, _ in Formatter().parse(text) if name} for text in SENTENCES[sentence])
    assert english == japanese


def test_nothing_names_a_person_or_a_serial(lived: House, memory: MemoryStore) -> None:
    """Findings and explanations, their reprs too, over a house with as many faults as a few changes can make."""
    lived.revoke(2)
    memory.tables.revocations.clear()
    (lived.directory / SCOPE.path).unlink()
    findings = list(reconcile(lived.inspection()))
    assert len(findings) > 10
    explanations = [
        explain(lived.inspection(), list(lived.authority.sealer.indexes(resident_code(number)))) for number in (1, 2)
    ]
    said = repr(findings) + repr(explanations) + told(lived, 1, "en") + told(lived, 2, "ja")
    items = attributes()
    secrets = [resident_code(1).digits, resident_code(2).digits, items.name, items.address, str(items.birth_date)]
    for _, serial in memory.tables.certificates:
        secrets += [serial.octets.hex(), serial.octets.hex().upper(), str(serial.value), repr(serial.octets)]
    assert [secret for secret in secrets if secret in said] == []
