"""When a revocation could be seen: told to its applicant alone, and true by OpenSSL's reading of the list it names."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from ca.revoke import revoke_resident
from ca.visibility import visibility_of, visibility_to_json
from domain.certificates import Carrier, IssuerId, Kind
from domain.errors import Code, Refusal
from domain.parties import Party, Role
from domain.revocation import RevocationCause
from domain.serial import SerialNumber
from tests.support.authority import KIYOSE_CITY, OPERATOR, SAPPORO_CITY, make_revocation
from tests.support.house import HOUR, MINUTE, House
from tests.support.judges import run
from tests.support.memory import MemoryStore
from tests.support.residents import resident_code
from tests.support.stores import Store

REGISTER = Party(1, Role.REGISTER, "juki")


@pytest.fixture
def house(store: Store, tmp_path: Path) -> House:
    return House(store.begin, store.status, tmp_path / "crl", lambda *_: True)


def serials_on(house: House, path: str) -> tuple[int, set[int]]:
    """Number and serials of a list in place, by OpenSSL."""
    text = run("openssl", "crl", "-inform", "DER", "-in", house.directory / path, "-noout", "-text")
    number = re.search(r"X509v3 CRL Number:[^\n]*\n\s*(0x[0-9A-Fa-f]+|[0-9]+)", text)
    assert number
    return int(number[1], 0), {int(serial, 16) for serial in re.findall(r"Serial Number: ([0-9A-F]+)", text)}


def test_the_list_that_is_named_is_the_first_that_holds_the_certificates(house: House) -> None:
    pair = house.issue(1)
    serials = {kind: x509.load_der_x509_certificate(der).serial_number for kind, der in pair.certificates.items()}
    house.publish()
    before = {path: serials_on(house, path)[0] for path in ("signature-g1/13221.crl", "authentication-g1/13221.crl")}
    house.clock.forward(HOUR)
    receipt = house.revoke(1)
    found = visibility_of(house.begin, receipt.id, KIYOSE_CITY)
    assert (found.received_at, found.committed_at, found.in_ocsp_at) == (house.clock.now,) * 3
    assert [showing.record for showing in found.showings] == [None, None]
    assert found.in_lists_at is None
    for kind, serial in serials.items():
        issuer = IssuerId(f"{kind.value}-g1")
        # The commit is what OCSP answers from.
        assert house.status.status_of(issuer, SerialNumber(serial)).word == "revoked"
        assert serial not in serials_on(house, f"{issuer}/13221.crl")[1]
    committed = house.clock.now
    house.publish()
    found = visibility_of(house.begin, receipt.id, KIYOSE_CITY)
    for showing in found.showings:
        path = showing.change.scope.path
        number, listed = serials_on(house, path)
        assert showing.record is not None
        assert (showing.record.number, number) == (before[path] + 1, before[path] + 1)
        assert listed == {serials[kind] for kind in Kind if path.startswith(kind.value)}
    assert found.in_lists_at == committed + MINUTE
    house.clock.forward(HOUR)
    house.issue(2)
    house.revoke(2)
    house.publish()
    assert visibility_of(house.begin, receipt.id, KIYOSE_CITY) == found, "later lists change nothing"


def test_a_receipt_is_its_applicants_alone(house: House) -> None:
    house.issue(1)
    receipt = house.revoke(1)
    assert visibility_of(house.begin, receipt.id, None).receipt == receipt.id
    told = []
    for number, party in ((receipt.id, SAPPORO_CITY), (receipt.id, OPERATOR), ("0" * 32, KIYOSE_CITY)):
        with pytest.raises(Refusal) as refused:
            visibility_of(house.begin, number, party)
        assert refused.value.code is Code.NOT_FOUND
        told.append(refused.value.detail)
    assert len(set(told)) == 1


def test_the_receipt_of_a_notice_is_its_senders(house: House) -> None:
    house.issue(1)
    receipt = house.move(1)
    house.publish()
    found = visibility_of(house.begin, receipt.id, REGISTER)
    (showing,) = found.showings
    assert (found.revoked, showing.change.count) == (("signature",), 1)
    assert showing.record is not None
    with pytest.raises(Refusal):
        visibility_of(house.begin, receipt.id, KIYOSE_CITY)


def test_a_hold_and_its_revocation_have_lists_of_their_own(house: House) -> None:
    house.issue(1)
    held = house.revoke(1, RevocationCause.TEMPORARY_STOP)
    house.publish()
    house.clock.forward(HOUR)
    lost = house.revoke(1, RevocationCause.CARD_LOST)
    house.publish()
    numbers = []
    for receipt, caller in ((held.id, None), (lost.id, None)):
        found = visibility_of(house.begin, receipt, caller)
        numbers.append({showing.record.number for showing in found.showings if showing.record})
    assert numbers == [{1}, {2}]
    assert visibility_of(house.begin, lost.id, None).committed_at == house.clock.now - MINUTE


def test_what_stood_already_has_no_time_of_its_own(house: House) -> None:
    house.issue(1)
    house.revoke(1, RevocationCause.TEMPORARY_STOP)
    again = house.revoke(1, RevocationCause.TEMPORARY_STOP)
    assert (again.revoked, again.already) == ((), tuple(Kind))
    found = visibility_to_json(visibility_of(house.begin, again.id, None))
    assert (found["in_ocsp_at"], found["in_lists_at"], found["lists"]) == (None, None, [])


def test_a_lifted_hold_is_seen_by_the_list_that_lacks_it(house: House) -> None:
    house.issue(1)
    pair = house.issue(1, house.requests("ec"), carrier=Carrier.MOBILE_DEVICE)
    held = house.revoke(1, RevocationCause.TEMPORARY_STOP)
    house.publish()
    house.clock.forward(HOUR)
    lifted = house.release(1)
    house.publish()
    found = visibility_of(house.begin, lifted.id, None)
    kind = Kind.AUTHENTICATION
    serial = x509.load_der_x509_certificate(pair.certificates[kind]).serial_number
    of_kind = [showing for showing in found.showings if showing.change.scope.issuer == f"{kind.value}-g2"]
    assert [showing.change.cause for showing in of_kind] == [None]
    assert of_kind[0].record is not None
    number, listed = serials_on(house, of_kind[0].change.scope.path)
    assert (number, serial in listed) == (of_kind[0].record.number, False)
    before = visibility_of(house.begin, held.id, None)
    assert {s.record.number for s in before.showings if s.record} == {1}


def test_json_has_no_serial_and_names_each_list() -> None:
    memory = MemoryStore()
    house = House(memory.begin, memory, Path("nowhere"), lambda *_: True)
    pair = house.issue(1)
    request = make_revocation(key="r", resident_code=resident_code(1))
    received = house.clock.now
    house.clock.forward(timedelta(seconds=3))
    receipt = revoke_resident(house.authority, request)
    found = visibility_to_json(visibility_of(house.begin, receipt.id, KIYOSE_CITY))
    assert found == {
        "receipt": receipt.id,
        "revoked": ["signature", "authentication"],
        "received_at": (received + timedelta(seconds=3)).isoformat(),
        "committed_at": (received + timedelta(seconds=3)).isoformat(),
        "in_ocsp_at": (received + timedelta(seconds=3)).isoformat(),
        "in_lists_at": None,
        "lists": [
            {
                "list": f"{kind}-g1/13221.crl",
                "certificates": 1,
                "number": None,
                "this_update": None,
                "published_at": None,
            }
            for kind in ("authentication", "signature")
        ],
    }
    for der in pair.certificates.values():
        assert f"{x509.load_der_x509_certificate(der).serial_number:x}" not in str(found)
