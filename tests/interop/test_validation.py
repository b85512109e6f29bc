"""Delegated validation over mutual TLS: every fate, documents signed by others, and a search of all that is told."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from config.assemble import system_clock, system_random
from config.files import read_pem_certificate
from domain.certificates import IssuerId
from domain.validations import Format, Item
from tests.interop.fates import ISSUERS
from tests.interop.scene import Scene
from tests.support.consents import SoftwareCard, card_signature
from tests.support.judges import compile_java, run
from tests.support.operator import spellings
from tests.support.requests import holder_key
from tests.support.signed import XML, openssl_cms, signed_pdf
from validation.consent import Consent, write_consent
from validation.receipt import verify_receipt
from web.validations import PATH

pytestmark = pytest.mark.interop

HOLDERS = {"good": 0, "card-lost": 1, "holder-moved": 2, "stopped": 3, "expired": 4}
KEYS = {"g1": "rsa", "g2": "ec"}
FINDINGS = {
    "good": [],
    "card-lost": ["certificate-revoked"],
    "stopped": ["certificate-held"],
    "expired": ["certificate-expired"],
}
CHALLENGE = b"challenge of a service that is not approved"


def card_of(scene: Scene, issuer: IssuerId, fate: str) -> SoftwareCard:
    kind, _, generation = issuer.partition("-")
    key = holder_key(KEYS[generation], 2 * HOLDERS[fate] + (kind == "authentication"))
    return SoftwareCard(scene.certificates[issuer, fate], key)


@dataclass
class Operator:
    """An operator asks; every octet that it is told is kept."""

    scene: Scene
    name: str = "bank"
    said: list[bytes] = field(default_factory=list)
    asked: int = 0
    sent: bytes = b""

    def ask(
        self,
        card: SoftwareCard,
        document: bytes = CHALLENGE,
        signature: bytes | None = None,
        *,
        format_: Format = Format.RAW,
        items: frozenset[Item] = frozenset(),
        **changes: Any,
    ) -> tuple[int, Any]:
        """Status and content of the answer; `changes` go into the body."""
        now = system_clock()
        text = write_consent(
            Consent(
                self.name,
                "testing",
                hashlib.sha256(document).digest(),
                items,
                now,
                now + timedelta(minutes=5),
                system_random(16),
            )
        )
        if format_ is Format.RAW:
            signature = card_signature(card.key, document)
        body: dict[str, Any] = {
            "format": format_.value,
            "purpose": "testing",
            "document": _b64(document),
            "consent": {
                "text": text.decode(),
                "signature": _b64(card_signature(card.key, text)),
                "certificate": _b64(card.certificate),
            },
            **({"signature": _b64(signature)} if signature is not None else {}),
        }
        self.asked += 1
        self.sent = json.dumps({**body, **changes}).encode()
        return self.send(self.sent, f"validation-{self.asked}")

    def send(self, body: bytes, key: str) -> tuple[int, Any]:
        credential = self.scene.credential(self.name)
        context = ssl.create_default_context(cafile=credential / "authority.pem")
        context.load_cert_chain(credential / "client.pem", credential / "client.key")
        api = self.scene.api
        connection = HTTPSConnection(api.host, api.port, context=context, timeout=30)
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        connection.request("POST", PATH, body, headers)
        response = connection.getresponse()
        octets = response.read()
        connection.close()
        self.said += [str(response.getheaders()).encode(), octets, *_unwrapped(octets)]
        return response.status, json.loads(octets)


def _b64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _unwrapped(octets: bytes) -> Iterator[bytes]:
    """What is inside the base64 of a receipt."""
    receipt = json.loads(octets).get("receipt", "")
    for part in receipt.split("."):
        yield base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.fixture(scope="module")
def operator(scene: Scene) -> Operator:
    return Operator(scene)


@pytest.mark.parametrize("issuer", ISSUERS)
@pytest.mark.parametrize("fate", FINDINGS)
def test_every_fate_is_told_as_it_is(scene: Scene, operator: Operator, issuer: IssuerId, fate: str) -> None:
    status, answer = operator.ask(card_of(scene, issuer, fate))
    assert (status, answer["reasons"]) == (200, FINDINGS[fate])
    assert (answer["handle"] is None) == (fate != "good")
    receipt = verify_receipt(answer["receipt"], read_pem_certificate(scene.credential("bank") / "authority.pem"))
    assert (receipt.valid, receipt.operator, receipt.handle) == (fate == "good", "bank", answer["handle"])


def test_a_repeat_gets_the_same_receipt_and_a_replay_none(scene: Scene, operator: Operator) -> None:
    _, answer = operator.ask(card_of(scene, ISSUERS[0], "good"))
    status, again = operator.send(operator.sent, f"validation-{operator.asked}")
    assert (status, again) == (200, {**answer, "repeated": True})
    status, problem = operator.send(operator.sent, "validation-by-another-key")
    assert (status, problem["code"]) == (409, "consent-used")


def test_of_many_at_once_with_one_consent_one_is_answered(scene: Scene, operator: Operator) -> None:
    card = card_of(scene, ISSUERS[1], "good")
    assert operator.ask(card, purpose="nothing that was consented to")[0] == 422
    body = json.loads(operator.sent)
    octets = json.dumps({**body, "purpose": "testing"}).encode()
    with ThreadPoolExecutor(8) as pool:
        told = [*pool.map(lambda number: operator.send(octets, f"at-once-{number}"), range(8))]
    codes = sorted(status for status, _ in told)
    assert codes == [200] + [409] * 7
    assert {answer["code"] for status, answer in told if status == 409} == {"consent-used"}


def test_two_operators_receipts_of_one_person_have_nothing_in_common(scene: Scene) -> None:
    card = card_of(scene, ISSUERS[1], "good")
    told = []
    for name in ("bank", "gym"):
        # Keys of its own: the bank of the other tests has used the first ones.
        status, answer = Operator(scene, name, asked=1000).ask(card, f"challenge of the {name}".encode())
        assert (status, answer["valid"]) == (200, True)
        *_, payload, _ = _unwrapped(json.dumps(answer).encode())
        told.append(json.loads(payload))
    common = {name for name in told[0] if told[0][name] == told[1][name]}
    assert common <= {"purpose", "format", "kind", "valid", "reasons", "checked_at", "items", "signing_time"}
    assert told[0]["handle"] != told[1]["handle"]


def test_a_handle_is_that_of_the_operator_and_comes_again(scene: Scene, operator: Operator) -> None:
    cards = [card_of(scene, issuer, "good") for issuer in (ISSUERS[0], ISSUERS[0], ISSUERS[1])]
    first, again, other = (operator.ask(card)[1]["handle"] for card in cards)
    assert first == again != other


def test_documents_signed_by_openssl_and_pyhanko_are_valid(scene: Scene, operator: Operator) -> None:
    for generation in ("g1", "g2"):
        card = card_of(scene, IssuerId(f"signature-{generation}"), "good")
        cms, pdf = openssl_cms(card, "-nodetach", "-cades"), signed_pdf(card)
        assert operator.ask(card, cms, format_=Format.CMS)[1]["valid"]
        assert operator.ask(card, b"content", openssl_cms(card, content=b"content"), format_=Format.CMS)[1]["valid"]
        assert operator.ask(card, pdf, format_=Format.PDF)[1]["valid"]


@pytest.mark.parametrize(("generation", "kind"), [("g1", "RSA"), ("g2", "EC")])
def test_documents_signed_by_java_are_valid(
    scene: Scene, operator: Operator, tmp_path: Path, generation: str, kind: str
) -> None:
    card = card_of(scene, IssuerId(f"signature-{generation}"), "good")
    key = card.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for name, octets in {"key": key, "certificate": card.certificate, "document": XML}.items():
        (tmp_path / name).write_bytes(octets)
    files = [tmp_path / name for name in ("key", "certificate", "document", "signed")]
    assert (
        run("java", "-XX:TieredStopAtLevel=1", "-cp", compile_java(tmp_path, "SignXml"), "SignXml", kind, *files) == ""
    )
    signed = files[-1].read_bytes()
    status, answer = operator.ask(card, signed, format_=Format.XML, items=frozenset({Item.BIRTH_DATE}))
    assert (status, answer["valid"], [*answer["items"]]) == (200, True, ["birth_date"])
    assert operator.ask(card, signed.replace(b"1000", b"9000"), format_=Format.XML)[1]["reasons"] == ["signature-wrong"]


def test_a_certificate_that_no_record_knows_is_refused(scene: Scene, operator: Operator) -> None:
    card = SoftwareCard(scene.certificates[ISSUERS[0], "unrecorded"], holder_key("rsa", 0))
    status, problem = operator.ask(card)
    assert (status, problem["code"]) == (422, "foreign-issuer")


def test_a_search_over_everything_told_finds_no_serial_and_no_certificate(scene: Scene, operator: Operator) -> None:
    """Answers of every outcome with receipts unwrapped, refusals of every kind, and the log of the server."""
    for issuer in ISSUERS:
        for fate in HOLDERS:
            card = card_of(scene, issuer, fate)
            operator.ask(card, items=frozenset(Item))
            operator.ask(card, openssl_cms(card, "-nodetach"), format_=Format.CMS)
            operator.ask(card, openssl_cms(card, "-nodetach")[:-40], format_=Format.CMS)
            operator.ask(card, card.certificate, format_=Format.PDF)
            operator.ask(card, b"<x>" + _b64(card.certificate).encode() + b"</x>", format_=Format.XML)
            operator.ask(card, purpose="another")
            operator.ask(card, consent={"text": "x", "signature": "AAAA", "certificate": _b64(card.certificate)})
            operator.ask(card, format="odf")
    told = b"\n".join([*operator.said, scene.api.log.encode()])
    assert b'"valid":true' in told
    assert b"bad-document" in told
    assert b"validations" in scene.api.log.encode()
    for place, certificate in scene.certificates.items():
        marks = spellings(certificate)
        assert [mark for mark, octets in marks.items() if octets in told] == [], place
