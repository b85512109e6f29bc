"""Consents are written in one way, can be read by people in two languages, and are read back octet for octet."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Code, Refusal
from domain.validations import Item
from policies.consents import TEXT_LIMIT
from tests.support.consents import make_consent
from validation.consent import LONGEST, Consent, read_consent, write_consent

TEXTS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=TEXT_LIMIT)
TIMES = st.integers(1_800_000_000, 4_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))
CONSENTS = st.builds(
    Consent,
    TEXTS,
    TEXTS,
    st.binary(min_size=32, max_size=32),
    st.frozensets(st.sampled_from(Item)),
    TIMES,
    TIMES,
    st.binary(min_size=16, max_size=16),
)


def test_a_person_reads_what_it_is_about_in_two_languages() -> None:
    text = write_consent(make_consent(items=frozenset({Item.ADDRESS}))).decode()
    assert text == (
        "署名等の検証についての同意（第1版） / Consent to validation, version 1\n"
        "次の事業者が、次の利用目的のために、次の文書の署名の検証を発行機関に一度だけ求めることに同意します。\n"
        "I agree that the operator below may ask the issuing organisation, once, to validate the signature of the "
        "document below, for the purpose below.\n"
        "事業者 / Operator: 霞野書店\n"
        "利用目的 / Purpose: 会員登録の本人確認\n"
        "文書のハッシュ値 / SHA-256 of the document: "
        "e80a6299c5f82d9bdcadf895ec3e78f45de41bce0238a9f1dfe42122fdf767a2\n"
        "氏名を伝えること / Telling my name: 同意しない / no\n"
        "住所を伝えること / Telling my address: 同意する / yes\n"
        "生年月日を伝えること / Telling my date of birth: 同意しない / no\n"
        "性別を伝えること / Telling my sex: 同意しない / no\n"
        "同意した日時 / Made at: 2027-04-01T09:00:00+09:00\n"
        "期限 / Good until: 2027-04-01T09:10:00+09:00\n"
        "一度限りの番号 / Number, used once: 000102030405060708090a0b0c0d0e0f\n"
    )


@given(CONSENTS)
def test_what_was_written_is_read_back(consent: Consent) -> None:
    octets = write_consent(consent)
    assert read_consent(octets) == consent
    assert len(octets) <= LONGEST


@given(CONSENTS, CONSENTS)
def test_two_consents_never_have_one_text(one: Consent, other: Consent) -> None:
    assert (write_consent(one) == write_consent(other)) == (one == other)


@given(CONSENTS, st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_octet_is_another_consent_or_none(consent: Consent, place: int, value: int) -> None:
    octets = bytearray(write_consent(consent))
    octets[place % len(octets)] = value
    with suppress(Refusal):
        assert write_consent(read_consent(bytes(octets))) == bytes(octets)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("第1版", "第2版", id="another version"),
        pytest.param("\n", "\r\n", id="line ends of another system"),
        pytest.param("+09:00", "Z", id="another time zone"),
        pytest.param("T09:00:00", "T09:00:00.5", id="half a second"),
        pytest.param("同意しない / no", "はい / yes", id="a word of one's own"),
        pytest.param("e80a6299", "E80A6299", id="capital letters"),
        pytest.param("住所を伝えること", "電話を伝えること", id="another item"),
        pytest.param("氏名を伝えること / Telling my name: 同意しない / no\n", "", id="a line less"),
        pytest.param("0e0f\n", "0e0f\nP.S.\n", id="a line more"),
        pytest.param("0e0f\n", "0e0f", id="no end of the last line"),
        pytest.param("000102", "0001", id="a short number"),
        pytest.param("2027-04-01T09:10", "2027-04-31T09:10", id="no day of the calendar"),
    ],
)
def test_a_consent_in_other_words_is_none(before: str, after: str) -> None:
    text = write_consent(make_consent()).decode()
    assert before in text
    with pytest.raises(Refusal) as told:
        read_consent(text.replace(before, after).encode())
    assert told.value.code is Code.BAD_CONSENT


@pytest.mark.parametrize(
    "octets", [b"", b"\xff\xfe", b"\x00" * 100, "同意".encode("euc_jp"), b"x" * (LONGEST + 1)], ids=str
)
def test_octets_that_are_no_text_are_no_consent(octets: bytes) -> None:
    with pytest.raises(Refusal) as told:
        read_consent(octets)
    assert told.value.code is Code.BAD_CONSENT


@pytest.mark.parametrize(
    "name",
    ["", " ", "two\nlines", "霞野書店\u202eevil", "tab\there", "x" * (TEXT_LIMIT + 1), " 霞野書店", "zero\u200bwidth"],
    ids=repr,
)
@pytest.mark.parametrize("field", ["operator", "purpose"])
def test_names_that_could_mislead_a_reader_are_not_written(field: str, name: str) -> None:
    with pytest.raises(Refusal) as told:
        write_consent(make_consent(**{field: name}))
    assert told.value.code is Code.MALFORMED


def test_an_ideographic_space_may_be_in_a_name() -> None:
    consent = make_consent(operator="霞野書店　清瀬支店")
    assert read_consent(write_consent(consent)) == consent


def test_a_time_has_a_zone() -> None:
    with pytest.raises(ValueError, match="aware"):
        write_consent(make_consent(made_at=datetime(2027, 4, 1)))  # noqa: DTZ001


def test_seconds_are_the_smallest_part_of_a_time() -> None:
    consent = make_consent()
    late = replace(consent, made_at=consent.made_at + timedelta(milliseconds=400))
    assert read_consent(write_consent(late)) == consent
