"""Disclosure: residents see who was told what about them, and nothing about anybody else."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.certificates import IssuerId, Kind
from domain.errors import Code, Refusal
from domain.events import Act
from domain.parties import Party
from domain.provisions import Channel, Provision
from domain.revocation import RevocationCause
from provisions.disclosure import (
    LASTS,
    Disclosure,
    DisclosureOffice,
    IdentityCheck,
    content_of,
    disclose_at_counter,
    disclose_to_owner,
    make_challenge,
)
from provisions.filing import file_due
from provisions.ledger import Told
from provisions.wording import ANSWERS, CARRIERS, CHANNELS, KINDS, disclosure_to_json
from tests.support.authority import KIYOSE_CITY, SAPPORO
from tests.support.house import House
from tests.support.ledger import Holder, make_holder, make_office, serials_of, signed
from tests.support.memory import MemoryStore
from tests.support.provisions import BANK, SHOP, make_filing, make_provision, write_segment
from tests.support.residents import resident_code

SAPPORO_CITY = Party(2, KIYOSE_CITY.role, "sapporo", SAPPORO.code)


@pytest.fixture
def memory() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def house(memory: MemoryStore, tmp_path: Path) -> House:
    house = House(memory.begin, memory, tmp_path, lambda *_: True)
    memory.tables.parties.update({7: BANK, 8: SHOP})
    return house


@pytest.fixture
def office(house: House) -> DisclosureOffice:
    return make_office(house)


@pytest.fixture
def holder(house: House) -> Holder:
    return make_holder(house, 1)


def about(house: House, resident: int, kind: Kind = Kind.AUTHENTICATION, **changes: object) -> Provision:
    """The bank asks about a resident's certificate."""
    issuer, serial = serials_of(house, resident)[kind]
    return make_provision(serial.octets, issuer=issuer, when=house.clock.now, **changes)


def tell(house: House, *provisions: Provision) -> None:
    filing = make_filing(house.directory / "provisions", house.begin, house.clock)
    write_segment(filing.folder, house.clock, *provisions)
    file_due(filing)


def shown(office: DisclosureOffice, holder: Holder) -> list[Told]:
    challenge = make_challenge(office).text
    return list(disclose_to_owner(office, holder.certificate(), challenge, holder.sign(challenge)).told)


def refused(office: DisclosureOffice, certificate: bytes, challenge: str, signature: bytes) -> Code:
    with pytest.raises(Refusal) as told:
        disclose_to_owner(office, certificate, challenge, signature)
    return told.value.code


def test_residents_see_their_own_and_nobody_elses(house: House, office: DisclosureOffice, holder: Holder) -> None:
    other = make_holder(house, 2)
    tell(
        house,
        about(house, 1, evidence=b"twelve octets and more"),
        about(house, 2, purpose="tax"),
        about(house, 1, Kind.SIGNATURE, party=SHOP, provider=BANK, answered="revoked"),
    )
    one, two = shown(office, holder)
    assert (one.party, one.provider, one.purpose, one.channel, one.answered) == (
        "bank",
        None,
        "log-in",
        Channel.OCSP,
        "good",
    )
    assert one.evidence == b"twelve octet".hex()
    assert (two.party, two.provider, two.answered) == ("shop", "bank", "revoked")
    assert [told.record and told.record.kind for told in (one, two)] == [Kind.AUTHENTICATION, Kind.SIGNATURE]
    (elses,) = shown(office, other)
    assert elses.purpose == "tax"


def test_both_kinds_of_keys_open_the_ledger(house: House, office: DisclosureOffice) -> None:
    holder = make_holder(house, 3, rsa_keys=True)
    tell(house, about(house, 3))
    assert len(shown(office, holder)) == 1


def test_lists_with_ones_certificates_are_counted_by_who_had_them(
    house: House, office: DisclosureOffice, holder: Holder
) -> None:
    issuer, _ = serials_of(house, 1)[Kind.SIGNATURE]
    later = house.clock.now + timedelta(days=40)
    download = make_provision(b"13221", issuer=issuer, channel=Channel.CRL, answered="list", purpose="")
    tell(
        house,
        download,
        download,
        download._replace(party=None),
        download._replace(when=later),
        download._replace(asked=b"01100"),
    )
    anybody, bank = shown(office, holder)
    assert (anybody.party, anybody.count, anybody.municipality) == (None, 1, KIYOSE_CITY.municipality)
    assert (bank.party, bank.count, bank.first, bank.last) == ("bank", 3, download.when, later)


def test_filters_with_ones_certificates_are_counted_too(house: House, office: DisclosureOffice, holder: Holder) -> None:
    issuer, _ = serials_of(house, 1)[Kind.SIGNATURE]
    handed = make_provision(b"filter", issuer=issuer, channel=Channel.FILTER, answered="filter", purpose="contract")
    tell(house, handed, handed, handed._replace(issuer=IssuerId("signature-elsewhere")))
    (bank,) = shown(office, holder)
    assert (bank.party, bank.count, bank.municipality, bank.record) == ("bank", 2, None, None)
    rows: Any = disclosure_to_json(Disclosure(house.clock.now, [bank]))["provisions"]
    (said,) = rows
    assert said["about_en"] == "filter of all certificates that were issued"
    assert (said["channel_ja"], said["answer_ja"]) == ("失効情報フィルター", "フィルターの提供")


def test_what_was_told_before_a_renewal_is_shown_to_the_new_certificate(
    house: House, office: DisclosureOffice, holder: Holder
) -> None:
    tell(house, about(house, 1))
    house.revoke(1, RevocationCause.HOLDER_REQUEST)
    renewed = make_holder(house, 1, rsa_keys=True)
    assert len(shown(office, renewed)) == 1
    challenge = make_challenge(office).text
    assert refused(office, holder.certificate(), challenge, holder.sign(challenge)) is Code.NOT_ADMITTED


def test_the_counter_shows_residents_of_its_municipality(
    house: House, office: DisclosureOffice, holder: Holder, memory: MemoryStore
) -> None:
    tell(house, about(house, 1))
    found = disclose_at_counter(office, KIYOSE_CITY, resident_code(1), IdentityCheck.PASSPORT)
    assert len(found.told) == 1
    body = memory.tables.audit[max(memory.tables.audit)].body
    assert Act.LEDGER_DISCLOSED.value in body
    assert '"identity":"passport"' in body
    assert KIYOSE_CITY.label in body
    for caller, number, code in (
        (SAPPORO_CITY, 1, Code.WRONG_MUNICIPALITY),
        (KIYOSE_CITY, 9, Code.UNKNOWN_RESIDENT),
    ):
        with pytest.raises(Refusal) as told:
            disclose_at_counter(office, caller, resident_code(number), IdentityCheck.PASSPORT)
        assert told.value.code is code


def test_a_challenge_is_answered_once_and_each_disclosure_is_audited(
    office: DisclosureOffice, holder: Holder, memory: MemoryStore
) -> None:
    challenge = make_challenge(office).text
    signature = holder.sign(challenge)
    disclose_to_owner(office, holder.certificate(), challenge, signature)
    rows = len(memory.tables.audit)
    assert Act.LEDGER_DISCLOSED.value in memory.tables.audit[rows].body
    assert refused(office, holder.certificate(), challenge, signature) is Code.ALREADY_APPLIED
    assert len(memory.tables.audit) == rows


def test_a_challenge_lasts_five_minutes(house: House, office: DisclosureOffice, holder: Holder) -> None:
    in_time, late = make_challenge(office).text, make_challenge(office).text
    house.clock.forward(LASTS)
    disclose_to_owner(office, holder.certificate(), in_time, holder.sign(in_time))
    house.clock.forward(timedelta(seconds=1))
    assert refused(office, holder.certificate(), late, holder.sign(late)) is Code.BAD_PROOF


def test_nobody_opens_the_ledger_of_another(house: House, office: DisclosureOffice, holder: Holder) -> None:
    other = make_holder(house, 2)
    challenge = make_challenge(office).text
    assert refused(office, holder.certificate(), challenge, other.sign(challenge)) is Code.BAD_PROOF
    assert refused(office, holder.certificate(), challenge, holder.sign("another")) is Code.BAD_PROOF
    assert refused(office, holder.certificate(), challenge, holder.sign(challenge)[:-1]) is Code.BAD_PROOF
    plain = signed(holder.keys[Kind.AUTHENTICATION], challenge.encode())
    assert refused(office, holder.certificate(), challenge, plain) is Code.BAD_PROOF


def test_the_signing_certificate_opens_nothing(office: DisclosureOffice, holder: Holder) -> None:
    """It signs documents: what it signed for somebody must never open a ledger."""
    challenge = make_challenge(office).text
    signature = holder.sign(challenge, Kind.SIGNATURE)
    assert refused(office, holder.certificate(Kind.SIGNATURE), challenge, signature) is Code.UNKNOWN_CALLER


def test_a_certificate_that_is_not_ours_octet_for_octet_opens_nothing(office: DisclosureOffice, holder: Holder) -> None:
    challenge = make_challenge(office).text
    octets = holder.certificate()
    forged = octets[:-1] + bytes((octets[-1] ^ 1,))
    for certificate in (forged, b"", b"certificate", octets[:100]):
        assert refused(office, certificate, challenge, holder.sign(challenge)) is Code.UNKNOWN_CALLER


def test_a_certificate_that_has_ended_or_is_on_hold_opens_nothing(
    house: House, office: DisclosureOffice, holder: Holder
) -> None:
    house.hold(1)
    challenge = make_challenge(office).text
    assert refused(office, holder.certificate(), challenge, holder.sign(challenge)) is Code.NOT_ADMITTED
    house.clock.forward(timedelta(days=11 * 366))
    challenge = make_challenge(office).text
    assert refused(office, holder.certificate(), challenge, holder.sign(challenge)) is Code.NOT_ADMITTED


def test_who_has_seen_a_certificate_does_not_learn_here_whether_it_is_in_force(
    house: House, office: DisclosureOffice, holder: Holder
) -> None:
    challenge = make_challenge(office).text
    signature = make_holder(house, 2).sign(challenge)
    assert refused(office, holder.certificate(), challenge, signature) is Code.BAD_PROOF
    house.hold(1)
    assert refused(office, holder.certificate(), challenge, signature) is Code.BAD_PROOF


@pytest.mark.parametrize("text", ["", "?", "AAAA", base64.urlsafe_b64encode(bytes(40)).decode(), "あ"])
def test_a_challenge_that_is_not_ours_is_no_proof(text: str, office: DisclosureOffice, holder: Holder) -> None:
    assert refused(office, holder.certificate(), text, holder.sign(text)) is Code.BAD_PROOF


def test_a_challenge_of_another_authority_is_no_proof(office: DisclosureOffice, holder: Holder) -> None:
    challenge = make_challenge(replace(office, master=bytes(32))).text
    assert refused(office, holder.certificate(), challenge, holder.sign(challenge)) is Code.BAD_PROOF


def test_every_word_is_there_in_both_languages() -> None:
    assert set(CHANNELS) == set(Channel)
    assert set(KINDS) == set(Kind)
    for table in (CHANNELS, ANSWERS, KINDS, CARRIERS):
        assert all(japanese and english for japanese, english in table.values())


def test_what_is_shown_has_no_serial(house: House, office: DisclosureOffice, holder: Holder) -> None:
    tell(house, about(house, 1))
    found = disclose_at_counter(office, KIYOSE_CITY, resident_code(1), IdentityCheck.OTHER)
    serial = serials_of(house, 1)[Kind.AUTHENTICATION][1]
    for text in (str(disclosure_to_json(found)), repr(found), str(found.told)):
        assert serial.octets.hex() not in text
        assert str(serial.value) not in text
    assert content_of("x").startswith(b"JPKI disclosure")
