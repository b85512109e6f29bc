"""Certificates under inspection: each contradiction between row, octets, revocation, audit trail and OCSP is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ca.octets import tbs_fields, tbs_of
from domain import der, oids
from domain.certificates import Carrier, CertificateRecord, CertificateState, IssuerId, Kind
from domain.events import Act, AuditEvent
from domain.revocation import CrlReason, Revocation, RevocationCause
from domain.status import GOOD, UNKNOWN, CertificateStatus
from oversight.certificates import directory_of, status_by_record
from tests.support.authority import SAPPORO
from tests.support.forgery import (
    Certificate,
    Liar,
    change_certificate,
    change_revocation,
    damaged,
    record_of,
    renamed,
    signed_anew,
    texts,
)
from tests.support.house import HOUR, House
from tests.support.lists import ISSUERS
from tests.support.memory import MemoryStore
from tests.support.people import serial_of

REVOKED, LIVE, HELD_THEN_REVOKED = (1, Kind.SIGNATURE), (1, Kind.AUTHENTICATION), (2, Kind.SIGNATURE)
SIGNING = (4, Kind.SIGNATURE)
"""Certificates of `live`, by application and kind."""


def status_of(memory: MemoryStore, certificate: Certificate) -> CertificateStatus:
    row = record_of(memory, certificate)
    return memory.status_of(row.issuer, row.serial)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        pytest.param(
            lambda row: {"der": damaged(row.der)},
            "has a signature that is not one of authentication-g1",
            id="a-signature-that-does-not-verify",
        ),
        pytest.param(lambda row: {"der": b"\x30\x00"}, "cannot be read: the octets end too early", id="no-certificate"),
        pytest.param(
            lambda row: {"der": renamed(row)},
            "holds other octets than were reserved",
            id="another-certificate-than-was-reserved",
        ),
        pytest.param(
            lambda row: {"validity": replace(row.validity, not_before=row.validity.not_before - HOUR)},
            "has another validity than its row",
            id="another-validity",
        ),
        pytest.param(lambda row: {"spki_digest": bytes(32)}, "certifies another key than its row", id="another-key"),
        pytest.param(
            lambda row: {"profile_digest": "other"}, "was reserved under another profile", id="another-profile"
        ),
        pytest.param(
            lambda row: {"kind": Kind.SIGNATURE},
            "is not of the kind and name that authentication-g1 issues",
            id="another-kind",
        ),
        pytest.param(
            lambda row: {"issuer": IssuerId("authentication-g2")},
            "has a signature that is not one of authentication-g2",
            id="another-generation",
        ),
        pytest.param(
            lambda row: {"issuer": IssuerId("authentication-g7")},
            "belongs to issuer authentication-g7, which is not configured",
            id="an-issuer-nobody-knows",
        ),
        pytest.param(
            lambda row: {"ended_at": row.reserved_at}, "was ended without revocation or expiry", id="ended-for-nothing"
        ),
        pytest.param(
            lambda row: {"ended_at": row.validity.not_after},
            "was let expire in the audit trail or in the database, not in both",
            id="expired-without-a-word",
        ),
    ],
)
def test_a_changed_row_is_named(
    lived: House, memory: MemoryStore, changes: Callable[[CertificateRecord], dict[str, Any]], text: str
) -> None:
    change_certificate(memory, LIVE, **changes(record_of(memory, LIVE)))
    assert any(fault.endswith(text) and "application 1 " in fault for fault in texts(lived, "certificates"))


def test_a_row_under_another_serial_is_named(lived: House, memory: MemoryStore) -> None:
    row = record_of(memory, LIVE)
    del memory.tables.certificates[row.issuer, row.serial]
    memory.tables.certificates[row.issuer, serial_of("x")] = replace(row, serial=serial_of("x"))
    assert texts(lived, "certificates") == [
        "the authentication certificate of application 1 carries another serial number than its row"
    ]


def test_a_certificate_that_was_never_reserved_is_named(lived: House, memory: MemoryStore) -> None:
    row = record_of(memory, LIVE)
    ghost = replace(row, serial=serial_of("ghost"), application_id=99, ended_at=row.validity.not_after)
    memory.tables.certificates[ghost.issuer, ghost.serial] = ghost
    name = "the authentication certificate of application 99"
    assert texts(lived, "certificates") == [
        f"{name} was reserved 0 times by the audit trail",
        f"{name} is issued; the audit trail tells 0 times that it was issued",
        f"{name} was let expire in the audit trail or in the database, not in both",
        f"{name} carries another serial number than its row",
    ]


@pytest.mark.parametrize(
    ("certificate", "changes", "text"),
    [
        pytest.param(REVOKED, {"ended_at": None}, "is revoked and still counts as live", id="revoked-and-live"),
        pytest.param(
            SIGNING,
            {"validity": None},
            "outlives its authentication certificate",
            id="a-signing-certificate-that-outlives-its-pair",
        ),
    ],
)
def test_an_end_that_does_not_follow_is_named(
    lived: House, memory: MemoryStore, certificate: Certificate, changes: dict[str, Any], text: str
) -> None:
    if "validity" in changes:
        validity = record_of(memory, certificate).validity
        changes = {"validity": replace(validity, not_after=validity.not_after + HOUR)}
    change_certificate(memory, certificate, **changes)
    assert any(fault.endswith(text) for fault in texts(lived, "certificates"))


def test_a_signing_certificate_that_lost_its_authentication_certificate_is_named(
    lived: House, memory: MemoryStore
) -> None:
    lost = "the signature certificate of application 4 is live although its authentication certificate has ended"
    change_certificate(memory, LIVE, ended_at=lived.clock.now)
    assert lost in texts(lived, "certificates")
    change_certificate(memory, LIVE, carrier=Carrier.MOBILE_DEVICE)
    assert lost in texts(lived, "certificates")


def test_a_holder_who_ends_the_authentication_certificate_leaves_no_signing_certificate(lived: House) -> None:
    lived.revoke(1, RevocationCause.HOLDER_REQUEST, Kind.AUTHENTICATION)
    assert lived.faults() == []


def test_a_lost_card_ends_both(lived: House, memory: MemoryStore) -> None:
    lived.revoke(1, RevocationCause.CARD_LOST)
    row = record_of(memory, SIGNING)
    del memory.tables.revocations[row.issuer, row.serial]
    change_certificate(memory, SIGNING, ended_at=None)
    assert "the signature certificate of application 4 is live although its authentication certificate has ended" in (
        texts(lived, "certificates")
    )


def test_a_pair_that_expired_needs_no_end(lived: House) -> None:
    lived.clock.now = ISSUERS[IssuerId("signature-g1")].validity.not_after
    assert texts(lived, "certificates") == []


@pytest.mark.parametrize(
    ("certificate", "changes", "text"),
    [
        pytest.param(
            REVOKED,
            {"cause": RevocationCause.KEY_REPORT},
            "is revoked or held for another cause or reason in the database than in the audit trail",
            id="another-cause",
        ),
        pytest.param(
            REVOKED,
            {"reason": CrlReason.SUPERSEDED},
            "is revoked or held for another cause or reason in the database than in the audit trail",
            id="another-reason",
        ),
        pytest.param(
            HELD_THEN_REVOKED,
            {"reason": CrlReason.CERTIFICATE_HOLD},
            "is revoked or held for another cause or reason in the database than in the audit trail",
            id="a-revocation-turned-back-into-a-hold",
        ),
        pytest.param(
            REVOKED,
            {"municipality": SAPPORO.code},
            "is revoked under another municipality or expiry than it was issued with",
            id="another-municipality",
        ),
    ],
)
def test_a_changed_revocation_is_named(
    lived: House, memory: MemoryStore, certificate: Certificate, changes: dict[str, Any], text: str
) -> None:
    change_revocation(memory, certificate, **changes)
    application, kind = certificate
    assert f"the {kind.value} certificate of application {application} {text}" in texts(lived, "certificates")


def test_a_lost_revocation_is_named(lived: House, memory: MemoryStore) -> None:
    row = record_of(memory, REVOKED)
    del memory.tables.revocations[row.issuer, row.serial]
    assert texts(lived, "certificates") == [
        "the signature certificate of application 1 was ended without revocation or expiry",
        "the signature certificate of application 1 was let expire in the audit trail or in the database, not in both",
        "the signature certificate of application 1 is revoked or held by the audit trail and not in the database",
    ]


def test_a_revocation_the_audit_trail_knows_nothing_of_is_named(lived: House, memory: MemoryStore) -> None:
    row = record_of(memory, LIVE)
    change_certificate(memory, LIVE, ended_at=lived.clock.now)
    memory.tables.revocations[row.issuer, row.serial] = Revocation(
        row.issuer,
        row.serial,
        row.municipality,
        RevocationCause.RECORD_ERROR,
        CrlReason.AFFILIATION_CHANGED,
        lived.clock.now,
        row.validity.not_after,
    )
    assert (
        "the authentication certificate of application 1 is revoked or held in the database; "
        "the audit trail tells nothing of it"
    ) in texts(lived, "certificates")


def test_acts_after_a_revocation_are_named(lived: House, memory: MemoryStore) -> None:
    facts = {"application": 1, "kind": "signature", "issuer": "signature-g2", "cause": "temporary-stop", "reason": 6}
    with lived.begin() as work:
        work.audit.append(AuditEvent(Act.HELD, "operator:x", lived.clock.now, facts))
        work.commit()
    name = "the signature certificate of application 1"
    assert texts(lived, "certificates") == [
        f"{name} belongs to another issuer by audit row {len(memory.tables.audit)}",
        f"{name} was revoked and then changed again by the audit trail",
        f"{name} is revoked or held for another cause or reason in the database than in the audit trail",
    ]


def test_a_status_that_is_not_the_databases_is_named(lived: House, memory: MemoryStore) -> None:
    at = lived.clock.now
    lived.status = Liar(
        memory,
        {
            REVOKED: GOOD,
            LIVE: UNKNOWN,
            HELD_THEN_REVOKED: CertificateStatus("revoked", at, CrlReason.KEY_COMPROMISE),
            SIGNING: CertificateStatus("revoked", at, CrlReason.UNSPECIFIED),
        },
    )
    assert sorted(texts(lived, "status")) == [
        "the authentication certificate of application 1 is good by the database, OCSP says unknown",
        "the signature certificate of application 1 is revoked by the database, OCSP says good",
        (
            "the signature certificate of application 2 is revoked by the database, OCSP says revoked "
            "with another time or reason"
        ),
        "the signature certificate of application 4 is good by the database, OCSP says revoked",
    ]


def test_a_reason_lost_on_the_way_to_ocsp_is_named(lived: House, memory: MemoryStore) -> None:
    status = status_of(memory, REVOKED)
    lived.status = Liar(memory, {REVOKED: replace(status, reason=None)})
    assert len(texts(lived, "status")) == 1


def test_a_reason_left_out_because_there_is_none_is_no_fault(lived: House, memory: MemoryStore) -> None:
    lived.revoke(1, RevocationCause.NEVER_DELIVERED)
    status = status_of(memory, SIGNING)
    assert status.reason is CrlReason.UNSPECIFIED
    lived.status = Liar(memory, {SIGNING: replace(status, reason=None)})
    assert texts(lived, "status") == []


def test_what_changes_between_two_looks_is_no_fault(lived: House, memory: MemoryStore) -> None:
    lived.status = Liar(memory, {LIVE: CertificateStatus("revoked", lived.clock.now, CrlReason.SUPERSEDED)}, times=1)
    assert texts(lived, "status") == []


def test_a_reserved_certificate_is_unknown_even_if_it_was_revoked_meanwhile(memory: MemoryStore, lived: House) -> None:
    row = record_of(memory, REVOKED)
    revocation = memory.tables.revocations[row.issuer, row.serial]
    assert status_by_record(replace(row, state=CertificateState.RESERVED), revocation) == UNKNOWN
    assert status_by_record(row, revocation) == memory.status_of(row.issuer, row.serial)


def test_a_certificate_without_a_distribution_point_says_nothing_of_lists(lived: House, memory: MemoryStore) -> None:
    row = record_of(memory, LIVE)
    points = der.oid(oids.CRL_DISTRIBUTION_POINTS)
    change_certificate(memory, LIVE, der=signed_anew(row, points, points[:-1] + b"\x7f"))
    assert lived.faults() == ["the authentication certificate of application 1 holds other octets than were reserved"]


def test_the_directory_entry_is_the_first_name_of_the_distribution_point(lived: House, memory: MemoryStore) -> None:
    fields = tbs_fields(tbs_of(record_of(memory, LIVE).der))
    entry = directory_of(fields)
    assert entry is not None
    assert entry[:1] == b"\xa4"
    assert entry.endswith(b"Kiyose-shi CRLDP")
    assert directory_of(fields._replace(extensions=())) is None
