"""What a verifier learns for a certificate: its own handle, which stays through renewals and ends with an end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.certificates import Carrier, Kind
from domain.errors import Code, Refusal
from domain.parties import Credential, Party, Usage
from domain.provisions import Channel, Provision
from domain.revocation import RevocationCause
from tests.support.certificates import certificate_over
from tests.support.house import HOUR, House
from tests.support.signers import stored_keys
from tests.support.verifiers import OLD_CARD, add_verifier, make_approval, make_office
from verifiers.handle_office import HandleOffice

PHONE = Carrier.MOBILE_DEVICE


def refused(
    office: HandleOffice, party: Party, certificate: bytes, provider: Party | None = None
) -> tuple[Code, str | None]:
    with pytest.raises(Refusal) as refusal:
        office.of(party, provider, certificate)
    return refusal.value.code, refusal.value.pointer


def test_a_certificate_has_one_handle_at_each_verifier_and_at_each_provider_behind_it(
    house: House, office: HandleOffice, bank: Party
) -> None:
    shop, other = (add_verifier(house.begin, name) for name in ("shop", "other"))
    signing = house.issue().certificates[Kind.SIGNATURE]
    handles = [office.of(bank, None, signing), office.of(shop, None, signing)]
    handles += [office.of(bank, shop, signing), office.of(bank, other, signing)]
    assert len({*handles}) == 4
    assert office.of(bank, None, signing) == handles[0]
    assert office.of(bank, shop, signing) == handles[2]


def test_the_two_certificates_of_a_pair_have_handles_of_their_own(
    house: House, office: HandleOffice, bank: Party
) -> None:
    pair = house.issue().certificates
    found = office.of_many(bank, None, [pair[Kind.AUTHENTICATION], pair[Kind.SIGNATURE]])
    assert [one.kind for one in found] == [Kind.AUTHENTICATION, Kind.SIGNATURE]
    assert found[0].handle != found[1].handle
    assert found[1].handle == office.of(bank, None, pair[Kind.SIGNATURE])


def test_a_handle_stays_through_renewals(house: House, office: HandleOffice, bank: Party) -> None:
    first = house.issue(card=OLD_CARD, key="first").certificates
    house.clock.forward(HOUR)
    second = house.issue(card=OLD_CARD, key="second").certificates
    house.deliver("second")
    house.clock.forward(HOUR)
    third = house.issue(key="third").certificates
    for kind in Kind:
        waiting = {office.of(bank, None, pair[kind]) for pair in (first, second, third)}
        assert len(waiting) == 1
    house.deliver("third")
    assert office.of(bank, None, third[Kind.SIGNATURE]) == office.of(bank, None, first[Kind.SIGNATURE])


@pytest.mark.parametrize("cause", [RevocationCause.HOLDER_REQUEST, RevocationCause.CARD_LOST])
def test_a_certificate_after_an_end_has_another_handle(
    house: House, office: HandleOffice, bank: Party, cause: RevocationCause
) -> None:
    first = house.issue().certificates
    before = office.of(bank, None, first[Kind.SIGNATURE])
    house.revoke(1, cause)
    house.clock.forward(timedelta(hours=1))
    second = house.issue().certificates
    assert office.of(bank, None, second[Kind.SIGNATURE]) != before
    assert office.of(bank, None, first[Kind.SIGNATURE]) == before


def test_card_and_phone_have_handles_of_their_own(house: House, office: HandleOffice, bank: Party) -> None:
    card, phone = house.issue().certificates, house.issue(carrier=PHONE).certificates
    assert office.of(bank, None, card[Kind.SIGNATURE]) != office.of(bank, None, phone[Kind.SIGNATURE])


def test_a_verifier_learns_handles_of_kinds_it_has_notified(house: House, office: HandleOffice) -> None:
    login = add_verifier(house.begin, "login", Kind.AUTHENTICATION)
    pair = house.issue().certificates
    assert office.of(login, None, pair[Kind.AUTHENTICATION])
    assert refused(office, login, pair[Kind.SIGNATURE]) == (Code.NOT_ADMITTED, "/certificates/0")


def test_a_provider_that_has_not_notified_a_kind_gets_none_through_its_platform(
    house: House, office: HandleOffice, bank: Party
) -> None:
    shop = add_verifier(house.begin, "shop", Kind.AUTHENTICATION)
    pair = house.issue().certificates
    assert office.of(bank, shop, pair[Kind.AUTHENTICATION])
    assert refused(office, bank, pair[Kind.SIGNATURE], shop)[0] is Code.NOT_ADMITTED


def test_a_suspended_verifier_gets_none(house: House, office: HandleOffice, bank: Party) -> None:
    signing = house.issue().certificates[Kind.SIGNATURE]
    with house.begin() as work:
        work.parties.suspend(bank.id, house.clock())
        found = work.parties.find("verifier", "bank")
        work.commit()
    assert found is not None
    assert refused(office, found, signing)[0] is Code.NOT_ADMITTED


def test_a_credential_that_is_bound_to_a_purpose_speaks_for_no_other(house: House, bank: Party) -> None:
    records: list[Provision] = []
    office = make_office(house.begin, house.clock, record=records.append)
    free = Credential(bytes(32), Usage.TLS, bank, house.clock() + HOUR)
    bound = replace(free, purpose="contract")
    assert [office.purpose_of(free, None, said) for said in (None, "contract", "log-in")] == [
        None,
        "contract",
        "log-in",
    ]
    assert [office.purpose_of(bound, None, said) for said in (None, "contract")] == ["contract", "contract"]
    with pytest.raises(Refusal) as refusal:
        office.purpose_of(bound, None, "log-in")
    assert refusal.value.facts["rule"] == "purpose-not-of-credential"
    assert [(row.purpose, row.answered) for row in records] == [("contract", "refused: purpose-not-of-credential")]


def test_what_is_not_issued_here_has_no_handle(house: House, office: HandleOffice, bank: Party) -> None:
    pair = house.issue().certificates
    signing = pair[Kind.SIGNATURE]
    forged = signing[:-1] + bytes((signing[-1] ^ 1,))
    foreign = certificate_over(stored_keys("responders-p256")[0])
    issuer = office.issuers[next(iter(office.issuers))].certificate
    for octets in (forged, foreign, issuer):
        assert refused(office, bank, octets) == (Code.FOREIGN_ISSUER, "/certificates/0")
    for octets in (b"", b"nothing", signing[:-1]):
        assert refused(office, bank, octets)[0] is Code.MALFORMED


def test_of_several_all_have_handles_or_none(house: House, office: HandleOffice, bank: Party) -> None:
    pair = house.issue().certificates
    with pytest.raises(Refusal) as refusal:
        office.of_many(bank, None, [pair[Kind.SIGNATURE], b"nothing"])
    assert refusal.value.pointer == "/certificates/1"


def test_a_verifier_without_the_right_to_successions_gets_a_handle_for_each_certificate(
    house: House, office: HandleOffice, bank: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = house.issue(card=OLD_CARD, key="first").certificates[Kind.SIGNATURE]
    house.clock.forward(HOUR)
    second = house.issue(key="second").certificates[Kind.SIGNATURE]
    whole = office.of(bank, None, first)
    with monkeypatch.context() as patched:
        patched.setattr("verifiers.handle_office.may_know", lambda *_: False)
        alone = [office.of(bank, None, octets) for octets in (first, second)]
    assert len({whole, *alone}) == 3
    assert office.of(bank, None, second) == whole


def test_every_handle_is_on_record_before_it_is_told(house: House) -> None:
    approvals = tuple(make_approval(kind, "account-opening") for kind in Kind)
    bank = add_verifier(house.begin, "other bank", approvals=approvals)
    records: list[Provision] = []
    office = make_office(house.begin, house.clock, record=records.append)
    pair = house.issue().certificates
    office.of_many(bank, None, [*pair.values()])  # the only purpose that it was approved for need not be said
    with house.begin(write=False) as work:
        known = {row.serial.octets: row.issuer for row in work.certificates.all()}
    assert {row.asked: row.issuer for row in records} == known
    assert {(row.when, row.party, row.purpose, row.channel, row.answered) for row in records} == {
        (house.clock.now, bank, "account-opening", Channel.HANDLE, "handle")
    }

    def full(_: Provision) -> None:
        raise Refusal(Code.STORE_UNAVAILABLE, "there is no room for provision records")

    assert refused(replace(office, record=full), bank, pair[Kind.SIGNATURE])[0] is Code.STORE_UNAVAILABLE


def test_refusals_name_no_serial(house: House, office: HandleOffice, bank: Party) -> None:
    login = add_verifier(house.begin, "login", Kind.AUTHENTICATION)
    signing = house.issue().certificates[Kind.SIGNATURE]
    with house.begin(write=False) as work:
        (serial,) = [row.serial for row in work.certificates.all() if row.kind is Kind.SIGNATURE]
    with pytest.raises(Refusal) as refusal:
        office.of(login, None, signing)
    said = f"{refusal.value} {refusal.value.facts} {refusal.value.pointer} {office!r}".lower()
    assert serial.octets.hex() not in said
    assert str(serial.value) not in said
