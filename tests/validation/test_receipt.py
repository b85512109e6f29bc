"""Receipts are checked offline, by two judges; what was changed, forged or signed by others is none."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.validations import Format, Item, Reason
from tests.support.authority import NOW
from tests.support.validation import authority_certificate, receipt_key
from validation.finding import SigningTime
from validation.receipt import LONGEST, Receipt, read_receipt, sign_receipt, verify_receipt

RECEIPT = Receipt(
    "0a" * 16,
    "霞野書店",
    "会員登録の本人確認",
    Format.RAW,
    bytes(range(32)),
    bytes(32),
    Kind.SIGNATURE,
    (),
    NOW,
    "handle",
    frozenset({Item.SEX, Item.NAME}),
    SigningTime(NOW - timedelta(minutes=1), proven=True, good_then=True),
)


def signed(receipt: Receipt = RECEIPT, **key: Any) -> str:
    parts = receipt_key(**key)
    return sign_receipt(receipt, parts.signer, parts.certificate)


def octets_of(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def part_of(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def refused(text: str, authority: bytes | None = None) -> str:
    with pytest.raises(Refusal) as told:
        verify_receipt(text, authority or authority_certificate())
    assert told.value.code is Code.BAD_RECEIPT
    return told.value.detail


@pytest.mark.parametrize(
    "receipt",
    [
        RECEIPT,
        replace(RECEIPT, handle=None, items=frozenset(), signing_time=None, reasons=tuple(Reason)),
        replace(RECEIPT, signing_time=SigningTime(NOW, proven=False)),
    ],
    ids=["valid", "not valid", "a claimed time"],
)
def test_what_was_signed_is_read(receipt: Receipt) -> None:
    text = signed(receipt)
    assert verify_receipt(text, authority_certificate()) == read_receipt(text) == receipt


def test_it_is_a_json_web_signature_that_others_can_check() -> None:
    """By RFC 7515 and RFC 7518 §3.4 alone, with nothing of this project."""
    header, payload, signature = signed().split(".")
    said = json.loads(octets_of(header))
    certificate = x509.load_der_x509_certificate(base64.b64decode(said["x5c"][0]))
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(authority_certificate()))
    halves = octets_of(signature)
    assert len(halves) == 64
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    der = encode_dss_signature(int.from_bytes(halves[:32]), int.from_bytes(halves[32:]))
    key.verify(der, f"{header}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
    assert said["alg"] == "ES256"
    assert json.loads(octets_of(payload)) == {
        "receipt": "0a" * 16,
        "operator": "霞野書店",
        "purpose": "会員登録の本人確認",
        "format": "raw",
        "document": bytes(range(32)).hex(),
        "consent": bytes(32).hex(),
        "kind": "signature",
        "valid": True,
        "reasons": [],
        "checked_at": "2027-04-01T00:00:00+00:00",
        "handle": "handle",
        "items": ["name", "sex"],
        "signing_time": {"at": "2027-03-31T23:59:00+00:00", "proven": True, "good_then": True},
    }


@pytest.mark.parametrize(
    "change",
    [
        {"valid": False},
        {"reasons": ["signature-wrong"]},
        {"handle": "another"},
        {"operator": "隣の書店"},
        {"document": "00" * 32},
        {"items": ["name", "address", "sex"]},
        {"extra": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_receipt_is_refused(change: dict[str, Any]) -> None:
    header, payload, signature = signed().split(".")
    forged = json.dumps({**json.loads(octets_of(payload)), **change}, ensure_ascii=False, separators=(",", ":"))
    assert "its signature is wrong" in refused(f"{header}.{part_of(forged.encode())}.{signature}")


def test_the_certificate_of_a_party_signs_no_receipts() -> None:
    """Every operator has a certificate of the same authority, and its key."""
    assert "not one for receipts" in refused(signed(client=True))


def test_another_authoritys_receipt_is_none() -> None:
    forged = signed(label="another")
    assert verify_receipt(forged, authority_certificate("another")) == RECEIPT
    assert "not of this authority" in refused(forged)


def test_an_authority_of_the_same_name_is_another() -> None:
    header, payload, signature = signed(label="another").split(".")
    own = receipt_key().certificate
    swapped = json.dumps(
        {**json.loads(octets_of(header)), "x5c": [base64.b64encode(own).decode()]}, separators=(",", ":")
    )
    assert "its signature is wrong" in refused(f"{part_of(swapped.encode())}.{payload}.{signature}")


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"typ": "JWT"},
        {"x5c": []},
        {"x5c": ["AAAA"]},
        {"x5c": ["!"]},
        {"x5u": "http://forger.example/certificate"},
        {"jwk": {}},
        {"crit": ["b64"]},
    ],
    ids=str,
)
def test_a_header_of_another_kind_is_refused(change: dict[str, Any]) -> None:
    header, payload, signature = signed().split(".")
    said = json.dumps({**json.loads(octets_of(header)), **change}, separators=(",", ":"))
    assert refused(f"{part_of(said.encode())}.{payload}.{signature}")


@pytest.mark.parametrize(
    "checked_at", [NOW - timedelta(days=2), NOW + timedelta(days=400), NOW + timedelta(days=9000)], ids=str
)
def test_a_receipt_of_a_time_at_which_its_key_was_not_certified_is_refused(checked_at: Any) -> None:
    assert "not valid" in refused(signed(replace(RECEIPT, checked_at=checked_at)))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda text: "", id="nothing"),
        pytest.param(lambda text: text.rpartition(".")[0], id="no signature"),
        pytest.param(lambda text: text.rpartition(".")[0] + ".", id="an empty signature"),
        pytest.param(lambda text: text + "AAAA", id="a longer signature"),
        pytest.param(lambda text: text.rpartition(".")[0] + "." + "A" * 86, id="a signature of zeros"),
        pytest.param(lambda text: text + "=", id="padding"),
        pytest.param(lambda text: text + "\n", id="a line end"),
        pytest.param(lambda text: text.replace(".", "..", 1), id="an empty part"),
        pytest.param(lambda text: "A" * (LONGEST + 1), id="too long"),
        pytest.param(lambda text: f"{text.partition('.')[0]}.{part_of(b'[' * 3000)}.AAAA", id="deep nesting"),
        pytest.param(lambda text: "é.é.é", id="other characters"),
    ],
)
def test_a_text_that_is_no_receipt_is_refused(spoil: Callable[[str], str]) -> None:
    assert refused(spoil(signed()))


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")  # of what is refused
@given(st.integers(0, 3000), st.sampled_from("Ab-_.=é0"))
def test_no_character_can_be_changed(place: int, character: str) -> None:
    text = signed()
    place %= len(text)
    if text[place] != character:
        refused(text[:place] + character + text[place + 1 :])


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    refused(text)
