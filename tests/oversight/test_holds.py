"""Holds that were lifted: database, trail, lists and rules tell one story, and what contradicts it is found."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ca.ageing import age_holds
from domain.certificates import Carrier, CertificateRecord, Kind
from domain.holds import Release
from domain.revocation import RevocationCause
from tests.support.house import HOUR, MINUTE, PATIENCE, House
from tests.support.memory import MemoryStore

PHONE = Carrier.MOBILE_DEVICE


@pytest.fixture
def found(house: House) -> House:
    """Resident 1 lost and found a phone (application 2), and still has the card; all of it is published."""
    house.issue(1, house.requests("ec"))
    house.issue(1, house.requests("ec"), carrier=PHONE)
    house.publish()
    house.clock.forward(HOUR)
    house.hold(1, PHONE)
    house.publish()
    house.clock.forward(HOUR)
    house.release(1)
    return house


NAME = "the authentication certificate of application 2"


def certificate(memory: MemoryStore, kind: Kind = Kind.AUTHENTICATION, carrier: Carrier = PHONE) -> CertificateRecord:
    return next(row for row in memory.tables.certificates.values() if (row.kind, row.carrier) == (kind, carrier))


def release(memory: MemoryStore) -> Release:
    (lifted,) = memory.tables.releases.values()
    return lifted


def test_the_list_may_say_so_a_little_later(found: House) -> None:
    assert found.faults() == []
    assert "authentication-g2/13221.crl: changes that wait for the next list: 1" in found.notes()
    found.publish()
    assert found.faults() == []
    assert found.notes() == []


def test_a_lifted_hold_that_stays_listed_is_named(found: House) -> None:
    found.clock.forward(PATIENCE + MINUTE)
    assert "authentication-g2/13221.crl: lifted holds that stay listed longer than 0:10:00: 1" in found.faults()


def test_a_phone_that_is_lost_again_gives_no_finding(found: House) -> None:
    found.publish()
    found.clock.forward(HOUR)
    found.hold(1)
    found.publish()
    found.clock.forward(HOUR)
    found.revoke(1, RevocationCause.CARD_LOST)
    found.publish()
    assert found.faults() == []
    assert found.notes() == []


def test_two_changes_between_two_lists_give_no_finding(found: House) -> None:
    found.clock.forward(MINUTE)
    found.hold(1, PHONE)
    assert found.faults() == []


def test_a_hold_that_was_reported_gives_no_finding(found: House) -> None:
    found.publish()
    found.hold(1)
    found.clock.forward(timedelta(days=31))
    assert age_holds(found.authority, "publisher:test").reported == 3
    found.publish()
    assert found.faults() == []


def test_a_card_that_was_released_is_named(found: House, memory: MemoryStore) -> None:
    card = certificate(memory, carrier=Carrier.CARD)
    lifted = replace(release(memory), issuer=card.issuer, serial=card.serial)
    memory.tables.releases[2] = lifted
    texts = found.faults()
    assert (
        "the authentication certificate of application 1 was released; holds of its kind on a card never are" in texts
    )


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        pytest.param(
            {"released_at": timedelta(minutes=1)},
            "was released at other times, or more or less often, in the database than in the audit trail",
            id="another-time",
        ),
        pytest.param(
            {"held_at": timedelta(minutes=1)},
            "was released from a hold that the audit trail does not tell of",
            id="another-hold",
        ),
    ],
)
def test_an_altered_release_is_named(
    found: House, memory: MemoryStore, changes: dict[str, timedelta], fault: str
) -> None:
    found.publish()
    old = release(memory)
    moved = {name: getattr(old, name) + by for name, by in changes.items()}
    memory.tables.releases[1] = replace(old, **moved)
    assert f"{NAME} {fault}" in found.faults()


def test_a_hold_that_vanished_without_a_release_is_named(found: House, memory: MemoryStore) -> None:
    found.publish()
    found.hold(1, PHONE)
    found.publish()
    phone = certificate(memory)
    del memory.tables.revocations[phone.issuer, phone.serial]
    texts = found.faults()
    assert f"{NAME} is revoked or held by the audit trail and not in the database" in texts
    assert "authentication-g2/13221.crl: entries of certificates that are not revoked: 1" in texts


def test_a_release_that_was_forgotten_is_named(found: House, memory: MemoryStore) -> None:
    found.publish()
    memory.tables.releases.clear()
    assert found.faults() == [
        f"{NAME} was released at other times, or more or less often, in the database than in the audit trail"
    ]
