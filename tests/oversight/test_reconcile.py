"""Reconciliation as a whole: silent over a sound authority, exact about open work, and never naming a person."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.chain import GENESIS, chain
from domain.certificates import Kind
from domain.errors import Refusal
from domain.events import Act, AuditEvent, AuditHead
from domain.revocation import RevocationCause
from keys.algorithms import verify
from oversight.findings import Finding
from oversight.reconcile import reconcile
from store.engine import open_writer
from tests.support.house import HOUR, House, live
from tests.support.memory import MemoryStore
from tests.support.signers import spki_of
from tests.support.stores import Store, audit_signer


def check_head(key_id: str, octets: bytes, signature: bytes) -> bool:
    """As an auditor would who was given the public key."""
    signer = audit_signer()
    return key_id == signer.key_id and verify(spki_of(signer.key), signer.algorithm, octets, signature)


def test_a_life_without_fault_gives_no_finding(store: Store, tmp_path: Path) -> None:
    house = House(store.begin, store.status, tmp_path / "crl", check_head)
    live(house)
    assert list(reconcile(house.inspection())) == []


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        pytest.param(
            "UPDATE audit_rows SET body = replace(body, 'kiyose', 'sapporo') WHERE sequence = 2",
            "the audit trail breaks at row 2: the row's digest does not follow from its body and the row before it",
            id="an-edited-audit-row",
        ),
        pytest.param(
            "DELETE FROM audit_rows WHERE sequence = (SELECT max(sequence) FROM audit_rows)",
            "list 3 of signature-g2/13221.crl is recorded as published, the audit trail tells crl-reserved, crl-signed",
            id="a-lost-audit-row",
        ),
        pytest.param(
            "UPDATE certificates SET state = 'reserved' WHERE application_id = 4",
            "the signature certificate of application 4 has no signature although its application is closed",
            id="a-lost-signature",
        ),
        pytest.param(
            "UPDATE revocations SET reason = 0",
            "the signature certificate of application 1 is revoked or held for another cause or reason in the database "
            "than in the audit trail",
            id="lost-reasons",
        ),
        pytest.param(
            "DELETE FROM revocations",
            "signature-g2/13221.crl: entries of certificates that are not revoked: 2",
            id="lost-revocations",
        ),
        pytest.param(
            "UPDATE revocation_counts SET entries = entries + 1",
            "signature-g2/13221.crl: the database counts 3 revocations, 2 stand",
            id="a-count-of-too-many",
        ),
        pytest.param(
            "UPDATE revocation_counts SET weight = weight + 1",
            "signature-g2/13221.crl: revocations that stand are others than those that the database counted",
            id="a-count-of-others",
        ),
    ],
)
def test_a_fault_planted_in_the_database_is_named(store: Store, tmp_path: Path, statement: str, fault: str) -> None:
    house = House(store.begin, store.status, tmp_path / "crl", check_head)
    live(house)
    engine = open_writer(store.url)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
    assert fault in house.faults()


def test_certificates_that_expire_and_are_followed_give_no_finding(house: House) -> None:
    house.issue(1)
    house.issue(2)
    house.revoke(2)
    house.publish()
    house.clock.now = datetime(2032, 1, 1, tzinfo=UTC)
    for _ in range(3):
        house.publish()
        house.clock.forward(24 * HOUR)
    house.issue(1)
    house.publish()
    assert list(reconcile(house.inspection())) == []


def test_progress_names_everything_that_was_looked_at(lived: House) -> None:
    heard: Counter[str] = Counter()
    list(reconcile(lived.inspection(), lambda area, done: heard.update({area: done - heard[area]})))
    assert set(heard) == {"audit", "certificates", "lists"}
    assert (heard["certificates"], heard["lists"]) == (9, 5)


def test_an_empty_authority_has_a_list_to_make_and_nothing_else(house: House) -> None:
    assert list(reconcile(house.inspection())) == [
        Finding("note", "lists", "signature-g1/ca.crl has no list yet; the publisher will make the first one")
    ]


def test_changes_that_wait_for_their_list_are_noted(lived: House) -> None:
    lived.revoke(1)
    assert (lived.faults(), lived.notes()) == (
        [],
        [
            "authentication-g1/13221.crl: changes that wait for the next list: 1",
            "signature-g1/13221.crl: changes that wait for the next list: 1",
        ],
    )


@pytest.mark.parametrize(
    ("failing", "note"),
    [
        pytest.param(
            "lost", "application 6 is unfinished; it will be completed as reserved", id="the-signatures-are-lost"
        ),
        pytest.param("kept", None, id="only-the-answer-is-lost"),
    ],
)
def test_an_interrupted_application_is_noted_until_it_is_completed(
    lived: House, memory: MemoryStore, failing: Literal["lost", "kept"], note: str | None
) -> None:
    requests = lived.requests()
    memory.faults[memory.commits + 2] = failing
    with pytest.raises(Refusal):
        lived.issue(3, requests, key="again")
    assert (lived.faults(), lived.notes()) == ([], [note] if note else [])
    lived.issue(3, requests, key="again")
    assert (lived.faults(), lived.notes()) == ([], [])


def test_an_application_that_stays_unfinished_is_a_fault(lived: House, memory: MemoryStore) -> None:
    memory.faults[memory.commits + 2] = "lost"
    with pytest.raises(Refusal):
        lived.issue(3)
    lived.clock.forward(HOUR)
    assert lived.faults() == ["application 6 has been unfinished since 2027-04-01T02:03:00Z"]


def test_an_open_application_with_a_signature_is_a_fault(lived: House, memory: MemoryStore) -> None:
    memory.tables.applications[5] = replace(memory.tables.applications[5], issued_at=None)
    assert lived.faults() == ["application 5 is open and not all of its certificates are reserved"]


def test_a_closed_application_without_a_signature_is_a_fault(lived: House, memory: MemoryStore) -> None:
    memory.faults[memory.commits + 2] = "lost"
    with pytest.raises(Refusal):
        lived.issue(3)
    memory.tables.applications[6] = replace(memory.tables.applications[6], issued_at=lived.clock.now)
    assert lived.faults() == [
        "the signature certificate of application 6 has no signature although its application is closed",
        "the authentication certificate of application 6 has no signature although its application is closed",
    ]


def test_a_certificate_whose_list_is_not_in_use_is_a_fault(lived: House, memory: MemoryStore) -> None:
    scope = next(scope for scope in memory.tables.scopes if scope.path == "authentication-g2/13221.crl")
    del memory.tables.scopes[scope]
    assert lived.faults()[:1] == [
        "the authentication certificate of application 2 belongs on authentication-g2/13221.crl, which is not in use"
    ]


def test_a_revocation_without_certificate_is_a_fault(lived: House, memory: MemoryStore) -> None:
    lived.revoke(1)
    (key,) = [key for key, row in memory.tables.certificates.items() if row.application_id == 4]
    del memory.tables.certificates[key]
    assert lived.faults() == [
        "a revocation of signature-g1/13221.crl has no certificate",
        "the audit trail tells of the signature certificate of application 4, the database does not know it",
    ]


def rewrite(memory: MemoryStore, sequence: int, body: str | None = None) -> None:
    """Make row `sequence` say `body` (None: take it away) and forge the chain behind it."""
    rows = [row for row in memory.tables.audit.values() if row.sequence != sequence or body is not None]
    bodies = [body if row.sequence == sequence and body else row.body for row in rows]
    memory.tables.audit = {row.sequence: row for row in chain((0, GENESIS), bodies)}


def test_an_edited_audit_row_breaks_the_chain(lived: House, memory: MemoryStore) -> None:
    row = memory.tables.audit[3]
    memory.tables.audit[3] = replace(row, body=row.body.replace("kiyose", "sapporo"))
    (fault,) = lived.faults()
    assert fault.startswith("the audit trail breaks at row 3: ")


def test_rows_behind_a_break_are_still_compared(lived: House, memory: MemoryStore) -> None:
    memory.tables.audit[1] = replace(memory.tables.audit[1], digest=bytes(32))
    assert len(lived.faults()) == 1


def test_a_head_that_nobody_signed_is_a_fault(lived: House) -> None:
    (fault,) = lived.faults(check_head=lambda key_id, octets, signature: False)
    assert "the signature of a head is wrong" in fault


def test_a_forged_chain_is_found_by_an_earlier_head(lived: House, memory: MemoryStore) -> None:
    kept = AuditHead(4, memory.tables.audit[4].digest, b"", "memory")
    assert lived.faults(anchor=kept) == []
    rewrite(memory, 2, memory.tables.audit[2].body.replace("kiyose", "sapporo"))
    assert lived.faults() == []
    (fault,) = lived.faults(anchor=kept)
    assert "not the one that the earlier head vouched for" in fault


@pytest.mark.parametrize("body", ["{}", "not JSON", '{"act":"unheard-of","actor":"","at":"","facts":{}}'])
def test_a_row_that_is_no_event_is_a_fault(lived: House, memory: MemoryStore, body: str) -> None:
    begun = len(memory.tables.audit)
    rewrite(memory, begun, body)
    assert f"row {begun} of the audit trail is no event of this authority" in lived.faults()


def test_events_of_what_never_was_are_faults(lived: House) -> None:
    with lived.begin() as work:
        facts = {"application": 77, "kind": "signature", "issuer": "signature-g1"}
        work.audit.append(AuditEvent(Act.ISSUED, "operator:somebody", lived.clock.now, facts))
        work.audit.append(AuditEvent(Act.CRL_SIGNED, "publisher:x", lived.clock.now, {"list": "a/b.crl", "number": 3}))
        work.commit()
    assert lived.faults() == [
        "the audit trail tells of the list 3 of a/b.crl, the database does not know it",
        "the audit trail tells of the signature certificate of application 77, the database does not know it",
    ]


ACTS = (
    "issue",
    "sign",
    "publish",
    "revoke",
    "revoke signature",
    "revoke authentication",
    "hold",
    "move",
    "interrupt issue",
    "interrupt publish",
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(1, 2)), max_size=12))
def test_no_sequence_of_acts_leaves_a_fault(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int]]
) -> None:
    memory = MemoryStore()
    house = House(memory.begin, memory, tmp_path_factory.mktemp("crl"), lambda key_id, octets, signature: True)
    for act, number in acts:
        with suppress(Refusal):
            perform(house, memory, act, number)
        memory.faults.clear()
        assert house.faults() == []
    house.publish()
    assert house.faults() == []
    assert [note for note in house.notes() if "unfinished" not in note] == []


def perform(house: House, memory: MemoryStore, act: str, number: int) -> None:
    match act:
        case "issue":
            house.issue(number, house.requests("ec"))
        case "sign":
            house.issue(number, {Kind.SIGNATURE: house.requests("ec")[Kind.SIGNATURE]})
        case "interrupt issue":
            memory.faults[memory.commits + 2] = "lost"
            house.issue(number, house.requests("ec"))
        case "interrupt publish":
            memory.faults[memory.commits + 2 + number] = "lost"
            house.publish()
        case "publish":
            house.publish()
        case "revoke":
            house.revoke(number)
        case "revoke signature":
            house.revoke(number, RevocationCause.HOLDER_REQUEST, Kind.SIGNATURE)
        case "revoke authentication":
            house.revoke(number, RevocationCause.KEY_REPORT, Kind.AUTHENTICATION)
        case "move":
            house.move(number)
        case "hold":
            house.revoke(number, RevocationCause.TEMPORARY_STOP)
