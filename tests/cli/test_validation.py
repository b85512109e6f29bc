"""`jpki validation`: a card in software consents, an operator asks at the terminal, a receipt is checked offline."""

from __future__ import annotations

import json
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.parties import Role
from domain.provisions import Channel
from policies.admission import Requestor
from tests.support.requests import holder_key
from tests.support.terminal import HOLDER, Said, Terminal, issue_pair
from tests.support.verifiers import make_gate
from verifiers.admit import status_admission
from verifiers.registry import find_party


@pytest.fixture
def place(terminal: Terminal, tmp_path: Path) -> Path:
    """A folder with the pair of a resident, the key of the signing one, a challenge, and a bookshop's credential."""
    issue_pair(terminal, tmp_path / "pair")
    key = holder_key("rsa", 0).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "card.key").write_bytes(key)
    (tmp_path / "challenge").write_bytes(b"a challenge")
    terminal.do("validation", "enrol", "bookshop", "--kind", "signature", "--out", tmp_path / "bookshop")
    return tmp_path


def consent(terminal: Terminal, place: Path, *options: str) -> Path:
    """The request that the bookshop sends, in a file."""
    card = ("--key", place / "card.key", "--certificate", place / "pair" / "signature.cer")
    words = ("validation", "consent", place / "challenge", "--operator", "bookshop", "--purpose", "joining")
    said = terminal.do(*words, *card, *options)
    (place / "request.json").write_text(said.out, "utf-8")
    return place / "request.json"


def ask(terminal: Terminal, request: Path, key: str = "request-1") -> Said:
    return terminal("validation", "ask", request, "--operator", "bookshop", "--key", key)


@pytest.mark.parametrize("channel", Channel, ids=lambda channel: channel.name)
def test_an_operator_that_is_not_approved_is_told_no_status(terminal: Terminal, place: Path, channel: Channel) -> None:
    with closing(terminal.services()) as services:
        with services.begin(write=False) as work:
            bookshop = find_party(work, Role.VERIFIER, "bookshop")
        admit = status_admission(services.register, "notified-verifiers", channel, make_gate())
        with pytest.raises(Refusal) as told:
            admit(Requestor(tls=bookshop), Kind.SIGNATURE, terminal.clock.now)
    assert (told.value.code, told.value.facts["rule"]) == (Code.NOT_ADMITTED, "signature-not-approved")


def test_a_person_consents_and_the_operator_gets_a_receipt_that_verifies(terminal: Terminal, place: Path) -> None:
    said = ask(terminal, consent(terminal, place, "--item", "name"))
    answer = json.loads(said.out)
    assert (said.code, answer["valid"], answer["items"]) == (0, True, {"name": HOLDER["name"]})
    (place / "receipt").write_text(answer["receipt"])
    options = ("--authority", place / "bookshop" / "authority.pem", "--document", place / "challenge")
    checked = terminal.do("validation", "verify", place / "receipt", *options)
    rows = {row["what"]: row["is"] for row in checked.rows}
    assert (rows["operator"], rows["purpose"], rows["valid"]) == ("bookshop", "joining", "yes")
    assert rows["items told"] == "name"
    assert HOLDER["name"] not in checked.out


def test_a_document_that_was_signed_before_is_asked_about(terminal: Terminal, place: Path) -> None:
    certificate = x509.load_der_x509_certificate((place / "pair" / "signature.cer").read_bytes())
    (place / "card.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    signing = ("cms", "-sign", "-binary", "-in", "challenge", "-signer", "card.pem", "-inkey", "card.key")
    subprocess.run(["openssl", *signing, "-outform", "DER", "-out", "signed"], cwd=place, check=True)
    signed = str(place / "signed")
    request = consent(terminal, place, "--format", "cms", "--signature", signed)
    assert json.loads(ask(terminal, request).out)["valid"]
    request.write_text(consent(terminal, place, "--format", "cms").read_text())
    assert "bad-document" in ask(terminal, request, "request-2").err


def test_what_is_to_be_signed_can_be_printed(terminal: Terminal, place: Path) -> None:
    said = terminal.do("validation", "consent", place / "challenge", "--operator", "bookshop", "--purpose", "joining")
    assert said.out.startswith("署名等の検証についての同意（第1版）")
    assert "Operator: bookshop\n" in said.out


def test_what_is_not_valid_is_told_by_the_exit_code(terminal: Terminal, place: Path) -> None:
    request = consent(terminal, place)
    said = json.loads(request.read_text())
    request.write_text(json.dumps({**said, "signature": "AAAA"}))
    told = ask(terminal, request)
    assert (told.code, json.loads(told.out)["reasons"]) == (1, ["signature-wrong"])


def test_a_consent_is_used_once(terminal: Terminal, place: Path) -> None:
    request = consent(terminal, place)
    assert ask(terminal, request).code == 0
    assert ask(terminal, request).code == 0
    again = ask(terminal, request, "request-2")
    assert (again.code, "consent-used" in again.err) == (1, True)


def test_a_receipt_about_another_document_or_by_another_authority_is_refused(terminal: Terminal, place: Path) -> None:
    answer = json.loads(ask(terminal, consent(terminal, place)).out)
    (place / "receipt").write_text(answer["receipt"])
    authority = place / "bookshop" / "authority.pem"
    options = ("--authority", authority, "--document", place / "card.key")
    other = terminal("validation", "verify", place / "receipt", *options)
    assert (other.code, "another document" in other.err) == (1, True)
    (place / "receipt").write_text(answer["receipt"][:-8] + "AAAAAAAA")
    forged = terminal("validation", "verify", place / "receipt", "--authority", authority)
    assert (forged.code, "signature is wrong" in forged.err) == (1, True)


@pytest.mark.parametrize("spoilt", ["card.key", "pair/authentication.cer"], ids=["a key for another", "no key"])
def test_a_card_is_a_key_and_its_certificate(terminal: Terminal, place: Path, spoilt: str) -> None:
    options = ("--key", place / "card.key", "--certificate", place / "pair" / "authentication.cer")
    if spoilt != "card.key":
        options = ("--key", place / spoilt, "--certificate", place / "pair" / "signature.cer")
    words = ("validation", "consent", place / "challenge", "--operator", "bookshop", "--purpose", "joining")
    assert terminal(*words, *options).code == 1
