"""Planting: two officers, a register that nobody reads without its key, and certificates like everybody's."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from cryptography import x509
from cryptography.x509 import load_der_x509_certificate

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.parties import LOCAL_OPERATOR, Party
from domain.people import NoCode, ResidentCode, code_of
from domain.proposals import ProposalState
from tests.support.authority import KIYOSE, make_authority
from tests.support.house import House
from tests.support.memory import MemoryStore
from tests.support.officers import AOI, make_board, proposed, register
from tests.support.stores import sqlite_store
from tests.support.tracers import agree, file_of, make_personas, make_register, planted, requests_of
from tests.support.verifiers import add_verifier
from tracers.planting import KIND, content_of, plant, tracer_act
from tracers.register import serials_of


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def house(memory: MemoryStore, tmp_path: Path) -> House:
    return House(memory.begin, memory, tmp_path / "crl", lambda key_id, octets, signature: True)


@pytest.fixture
def bank(house: House) -> Party:
    return add_verifier(house.begin, "bank")


def certificates(house: House) -> list[bytes]:
    with house.begin(write=False) as work:
        return [row.der for row in work.certificates.all()]


def test_a_tracer_gets_a_pair_that_is_good(house: House, bank: Party) -> None:
    (pair,) = planted(house.authority, bank)
    assert {*pair.certificates} == {*Kind}
    with house.begin(write=False) as work:
        rows = list(work.certificates.all())
        found = serials_of(work, make_register(house.authority))
    assert {house.status.status_of(row.issuer, row.serial).word for row in rows} == {"good"}
    assert {*found} == {row.serial.octets for row in rows}
    assert {(one.planted.party, one.planted.provider) for one in found.values()} == {(bank.id, 0)}
    assert house.faults() == []


def test_nobody_plants_alone(house: House, bank: Party) -> None:
    register(house.begin, AOI)
    personas = make_personas(1)
    board = make_board(house.begin, tracer_act(), now=house.clock.now)
    waiting = proposed(board, AOI, KIND, content_of("bank", None, file_of(personas), 1))
    for proposal in (waiting, replace(waiting, state=ProposalState.DISMISSED), replace(waiting, kind="officer")):
        with pytest.raises(Refusal) as refusal:
            plant(
                house.authority,
                make_register(house.authority),
                proposal,
                personas,
                file_of(personas),
                requests_of,
                LOCAL_OPERATOR,
            )
        assert refusal.value.code is Code.NOT_ADMITTED
    assert certificates(house) == []


def test_other_personas_than_were_agreed_on_get_nothing(house: House, bank: Party) -> None:
    personas = make_personas(2)
    proposal = agree(house.authority, bank, personas)
    own = make_register(house.authority)
    for people, file in ((personas, file_of(make_personas(3))), (personas[:1], file_of(personas))):
        with pytest.raises(Refusal) as refusal:
            plant(house.authority, own, proposal, people, file, requests_of, LOCAL_OPERATOR)
        assert refusal.value.code is Code.IDEMPOTENCY_MISMATCH
    assert certificates(house) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"verifier": "nobody"}, Code.NOT_FOUND),
        ({"provider": "nobody"}, Code.NOT_FOUND),
        ({"count": 0}, Code.MALFORMED),
        ({"count": 1001}, Code.MALFORMED),
        ({"count": "1"}, Code.MALFORMED),
        ({"personas": "00"}, Code.MALFORMED),
        ({"extra": 1}, Code.MALFORMED),
    ],
)
def test_what_cannot_be_meant_cannot_be_proposed(
    house: House, bank: Party, changes: dict[str, object], code: Code
) -> None:
    register(house.begin, AOI)
    board = make_board(house.begin, tracer_act(), now=house.clock.now)
    with pytest.raises(Refusal) as refusal:
        proposed(board, AOI, KIND, {**content_of("bank", None, b"", 1), **changes})
    assert refusal.value.code is code


@pytest.mark.parametrize("fault", ["lost", "kept"])
@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_interrupted_planting_goes_on_and_nobody_gets_a_second_pair(
    house: House, memory: MemoryStore, bank: Party, fault: Literal["lost", "kept"], failing: int
) -> None:
    personas = make_personas(2)
    proposal = agree(house.authority, bank, personas)
    own, file = make_register(house.authority), file_of(personas)
    memory.faults = {memory.commits + failing: fault}
    with suppress(Refusal):
        plant(house.authority, own, proposal, personas, file, requests_of, LOCAL_OPERATOR)
    memory.faults = {}
    first = plant(house.authority, own, proposal, personas, file, requests_of, LOCAL_OPERATOR)
    again = plant(house.authority, own, proposal, personas, file, requests_of, LOCAL_OPERATOR)
    assert [pair.certificates for pair in first] == [pair.certificates for pair in again]
    assert len(certificates(house)) == 4
    with house.begin(write=False) as work:
        assert len(work.tracers.all()) == 2


def test_the_register_opens_with_its_key_alone_and_a_row_at_its_own_place_alone(house: House, bank: Party) -> None:
    planted(house.authority, bank, 2)
    with house.begin(write=False) as work:
        first, second = work.tracers.all()
    own = make_register(house.authority)
    assert own.open(first).planted == own.open(second).planted
    for register_, row in (
        (make_register(house.authority, b"another key of thirty-two octets"), first),
        (own, replace(first, name=second.name)),
    ):
        with pytest.raises(Refusal) as refusal:
            register_.open(row)
        assert refusal.value.code is Code.BAD_CONFIGURATION


def test_a_tracer_has_no_resident_code(house: House, bank: Party) -> None:
    planted(house.authority, bank)
    sealer = house.authority.sealer
    with house.begin(write=False) as work:
        codes = [sealer.unseal(index, sealed) for index, sealed in work.residents.sealed()]
        widths = {len(sealed) for _, sealed in work.residents.sealed()}
    (code,) = [code for code in codes if isinstance(code, NoCode)]
    assert len(widths) == 1
    with pytest.raises(ValueError, match="eleven digits"):
        ResidentCode(code.digits)
    assert code_of(code.digits) == code
    for text in ("-aaaaaaaaa", "-aaaaaaaaa1", "aaaaaaaaaaa", "-AAAAAAAAAA"):
        with pytest.raises(ValueError, match="code"):
            NoCode(text)


def shape(der: bytes) -> tuple[object, ...]:
    """All of a certificate that does not say who it is: octets of what is alike in a town's, and lengths."""
    parsed = load_der_x509_certificate(der)
    extensions = [
        (one.oid.dotted_string, one.critical, one.value.public_bytes())
        for one in parsed.extensions
        if not isinstance(
            one.value, x509.SubjectAlternativeName | x509.SubjectKeyIdentifier | x509.AuthorityKeyIdentifier
        )
    ]
    subject = [(one.oid.dotted_string, len(str(one.value))) for one in parsed.subject]
    identifier = str(parsed.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)
    at = parsed.not_valid_before_utc, parsed.not_valid_after_utc.time()
    key = type(parsed.public_key()), getattr(parsed.public_key(), "key_size", None)
    place = identifier.find(KIYOSE.code.area)
    return tuple(extensions), tuple(subject), place, at, key, parsed.signature_algorithm_oid


def test_certificates_of_tracers_have_the_octets_of_everybodys(house: House, bank: Party) -> None:
    """Who holds one cannot tell it from a resident's: the same profile, dates and form of names; serials by chance."""
    real = [house.issue(number, requests=house.requests("ec")).certificates for number in (1, 2, 3)]
    made = [pair.certificates for pair in planted(house.authority, bank, 12)]
    for kind in Kind:
        assert len({shape(pair[kind]) for pair in (*real, *made)}) == 1
    serials = [load_der_x509_certificate(pair[kind]).serial_number for pair in made for kind in Kind]
    assert len({*serials}) == 24
    assert {serial.bit_length() for serial in serials} == {127}
    ones = Counter(bit for serial in serials for bit in range(126) if serial >> bit & 1)
    assert 0.44 < sum(ones.values()) / (24 * 126) < 0.56
    assert len({octet for serial in serials for octet in serial.to_bytes(16)[:2]}) > 20


def test_validity_ends_on_birthdays_and_cards_ends_as_everybodys(house: House, bank: Party) -> None:
    personas = make_personas(12)
    pairs = planted(house.authority, bank, 12)
    for persona, pair in zip(personas, pairs, strict=True):
        ends = {load_der_x509_certificate(der).not_valid_after_utc.date() for der in pair.certificates.values()}
        assert len(ends) == 1
        (end,) = ends
        born = persona.attributes.birth_date.earliest
        assert (end.month, end.day) == (born.month, born.day)


def test_one_authority_s_tracers_are_as_good_on_another_store(tmp_path: Path) -> None:
    """The same steps over SQLite."""
    with sqlite_store(tmp_path) as store:
        authority = make_authority(begin=store.begin)
        bank = add_verifier(store.begin, "bank")
        (pair,) = planted(authority, bank)
        with store.begin(write=False) as work:
            assert len(serials_of(work, make_register(authority))) == len(pair.certificates)
