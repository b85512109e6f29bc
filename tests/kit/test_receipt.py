"""Receipts of validations: the kit reads what the authority writes, by code of its own, and refuses the same."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Refusal
from domain.validations import Reason
from jpki_verify import Code, Rejected, check_receipt
from jpki_verify.command import main
from tests.support.authority import NOW
from tests.support.validation import authority_certificate, transport_authority
from tests.validation.test_receipt import RECEIPT, signed
from validation.receipt import verify_receipt

AUTHORITY = transport_authority().public_bytes(Encoding.PEM)


def rejected(text: str, document: bytes | None = None) -> str:
    with pytest.raises(Rejected) as told:
        check_receipt(text, AUTHORITY, document)
    assert told.value.code is Code.BAD_RECEIPT
    return told.value.detail


def test_what_the_authority_signed_is_read() -> None:
    found = check_receipt(signed(), AUTHORITY)
    assert (found.valid, found.operator, found.purpose) == (True, RECEIPT.operator, RECEIPT.purpose)
    assert (found.document, found.handle, found.checked_at) == (RECEIPT.document, RECEIPT.handle, NOW)
    assert not check_receipt(signed(replace(RECEIPT, reasons=(Reason.SIGNATURE_WRONG,))), AUTHORITY).valid


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda: signed(client=True), id="signed by a party"),
        pytest.param(lambda: signed(label="another"), id="of another authority"),
        pytest.param(lambda: signed(replace(RECEIPT, checked_at=NOW + timedelta(days=400))), id="after its key's end"),
        pytest.param(lambda: signed()[:-4] + "AAAA", id="another signature"),
        pytest.param(lambda: "e30." + signed().partition(".")[2], id="another header"),
        pytest.param(lambda: base64.b64encode(b"x" * 20_000).decode(), id="too long"),
    ],
)
def test_what_the_authority_did_not_sign_is_rejected(forge: Callable[[], str]) -> None:
    assert rejected(forge())


def test_it_is_about_one_document() -> None:
    assert "another document" in rejected(signed(), b"another document")


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.integers(0, 3000), st.sampled_from("Ab-_.=0"))
def test_both_readers_agree_about_damage(place: int, character: str) -> None:
    text = signed()
    place %= len(text)
    damaged = text[:place] + character + text[place + 1 :]
    if damaged != text:
        rejected(damaged)
        with pytest.raises(Refusal):
            verify_receipt(damaged, authority_certificate())


def test_the_command_prints_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "receipt").write_text(signed())
    (tmp_path / "authority.pem").write_bytes(AUTHORITY)
    words = ["receipt", str(tmp_path / "receipt"), "--authority", str(tmp_path / "authority.pem")]
    with pytest.raises(SystemExit) as left:
        main(["--language", "en", *words])
    assert left.value.code == 0
    assert RECEIPT.operator in capsys.readouterr().out
    with pytest.raises(SystemExit) as left:
        main(["--language", "ja", *words, "--document", str(tmp_path / "authority.pem")])
    assert left.value.code == 1
    assert "控え" in capsys.readouterr().out
