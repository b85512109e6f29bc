"""Delegated validation over a store: a house that issues, a transport authority, and the bookshop that asks."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from domain.certificates import CertificateRecord, Kind
from domain.errors import Refusal
from domain.parties import Party
from keys.software import SoftwareSigner
from keys.transport import certify_client, certify_receipts, make_transport_authority
from policies.consents import ConsentPolicy
from tests.support.authority import NOW, CountedChance
from tests.support.consents import SHOP, SoftwareCard
from tests.support.house import House
from tests.support.lists import ISSUERS
from tests.support.people import serial_of
from tests.support.requests import holder_key
from tests.support.responder import forget
from tests.support.verifiers import make_gate, make_register
from validation.examine import examine
from validation.finding import Examination, Finding, unread
from validation.parts import ReceiptKey, Validation
from validation.reader import readers

YEAR = timedelta(days=365)


@cache
def transport_key(label: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(serial_of(label).value, ec.SECP256R1())


@cache
def transport_authority(label: str = "transport") -> x509.Certificate:
    return make_transport_authority(transport_key(label), "JPKI-DEMO", serial_of(label), NOW - YEAR, 9 * YEAR)


@cache
def receipt_key(label: str = "transport", *, client: bool = False) -> ReceiptKey:
    """The key for receipts under that authority, or one with a client's certificate instead."""
    key = transport_key(f"receipts of {label}")
    arguments = (serial_of(f"receipts of {label}"), NOW - timedelta(days=1), YEAR)
    authority = (transport_authority(label), transport_key(label), key.public_key())
    certificate = (
        certify_client(*authority, "verifier:x", *arguments) if client else certify_receipts(*authority, *arguments)
    )
    return ReceiptKey(SoftwareSigner(key), certificate.public_bytes(Encoding.DER))


def authority_certificate(label: str = "transport") -> bytes:
    """DER."""
    return transport_authority(label).public_bytes(Encoding.DER)


class LabelledHandles:
    """Handles that say for whom they are."""

    def of(self, party: Party, provider: Party | None, certificate: CertificateRecord) -> str:
        return f"{(provider or party).name} knows resident {certificate.resident_id}"


def read_here(examination: Examination) -> Finding:
    """Documents are read in this process."""

    def read(document: Examination) -> Finding:
        try:
            return readers()[document.format](document, ())
        except Refusal:
            raise
        except Exception as error:
            raise unread("the parser stumbled") from error

    return examine(read, examination)


def make_validation(house: House, **changes: Any) -> Validation:
    """Over the house's store; the bookshop is registered there."""
    values: dict[str, Any] = {
        "issuers": ISSUERS,
        "begin": house.begin,
        "status": house.status,
        "examine": read_here,
        "receipts": receipt_key(),
        "handles": LabelledHandles(),
        "gate": make_gate(),
        "provider_of": make_register(house.begin).provider,
        "record": forget,
        "policy": ConsentPolicy(),
        "clock": house.clock,
        "random": CountedChance(),
    }
    return Validation(**values | changes)


def register_shop(house: House) -> None:
    with house.begin() as work:
        assert work.parties.add(SHOP, NOW) == SHOP
        work.commit()


def issue_card(house: House, number: int = 1) -> dict[Kind, SoftwareCard]:
    """A pair for resident `number` over the next RSA keys, as two cards: one for each certificate."""
    place = 2 * (number - 1)
    pair = house.issue(number)
    return {
        kind: SoftwareCard(pair.certificates[kind], holder_key("rsa", place + offset))
        for offset, kind in enumerate(Kind)
    }
