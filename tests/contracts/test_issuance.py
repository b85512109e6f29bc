"""Applications and issuance records on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.certificates import Carrier, CertificateState, IssuerId, Kind
from domain.errors import Code, Refusal
from domain.lists import Scope
from tests.support.people import KIYOSE, serial_of
from tests.support.stores import (
    NOW,
    Store,
    add_application,
    add_certificate,
    add_resident,
    digest_of,
    make_certificate,
    revocation_of,
)


def test_an_application_is_found_by_its_key_and_by_its_id(any_store: Store) -> None:
    with any_store.begin() as work:
        resident_id = add_resident(work)
        number = work.applications.open("清瀬市", "key", digest_of("content"), resident_id, KIYOSE.code, NOW)
        found = work.applications.find("清瀬市", "key")
        assert found is not None
        assert found == work.applications.get(number)
        assert (found.caller, found.key, found.content) == ("清瀬市", "key", digest_of("content"))
        assert (found.resident_id, found.municipality, found.received_at) == (resident_id, KIYOSE.code, NOW)
        assert found.issued_at is None
        assert work.applications.find("日野市", "key") is None
        with pytest.raises(LookupError):
            work.applications.get(number + 1)


def test_a_caller_uses_a_key_once(any_store: Store) -> None:
    with any_store.begin() as work:
        resident_id = add_resident(work)
        add_application(work, resident_id, "key")
        assert work.applications.open("日野市", "key", digest_of("key"), resident_id, KIYOSE.code, NOW)
        with pytest.raises(Refusal) as refused:
            add_application(work, resident_id, "key")
        assert refused.value.code is Code.IN_PROGRESS


def test_unfinished_applications_are_those_received_before_and_not_issued(any_store: Store) -> None:
    with any_store.begin() as work:
        resident_id = add_resident(work)
        waiting, done = add_application(work, resident_id, "waiting"), add_application(work, resident_id, "done")
        work.applications.close(done, NOW + timedelta(seconds=2))
        assert [row.id for row in work.applications.unfinished(NOW + timedelta(seconds=1))] == [waiting]
        assert list(work.applications.unfinished(NOW)) == []
        assert work.applications.get(done).issued_at == NOW + timedelta(seconds=2)


def test_an_application_is_closed_once(any_store: Store) -> None:
    with any_store.begin() as work:
        number = add_application(work, add_resident(work), "key")
        assert work.applications.close(number, NOW)
        assert not work.applications.close(number, NOW + timedelta(days=1))
        assert not work.applications.close(number + 1, NOW)
        assert work.applications.get(number).issued_at == NOW


def test_a_reserved_certificate_comes_back_as_it_went(any_store: Store) -> None:
    record = add_certificate(any_store.begin)
    with any_store.begin(write=False) as work:
        assert work.certificates.find(record.issuer, record.serial) == record
        assert list(work.certificates.all()) == [record]
        assert list(work.certificates.of_application(record.application_id)) == [record]
        assert list(work.certificates.live_of(record.resident_id)) == [record]
        assert work.certificates.find(IssuerId("signature-g2"), record.serial) is None
        assert work.certificates.find(record.issuer, serial_of("another")) is None


def test_reserving_puts_the_scope_in_use_once(any_store: Store) -> None:
    record = add_certificate(any_store.begin)
    add_certificate(any_store.begin, "another")
    with any_store.begin(write=False) as work:
        scopes = work.lists.scopes()
    assert [(row.scope, row.published) for row in scopes] == [(Scope(record.issuer, record.municipality), None)]


def test_a_pair_is_reserved_and_completed_at_once(any_store: Store) -> None:
    with any_store.begin() as work:
        one = make_certificate(work)
        other = replace(
            one,
            issuer=IssuerId("authentication-g1"),
            serial=serial_of("other"),
            kind=Kind.AUTHENTICATION,
            spki_digest=digest_of("other key"),
        )
        work.certificates.reserve([one, other])
        work.commit()
    with any_store.begin() as work:
        assert {row.scope.issuer for row in work.lists.scopes()} == {one.issuer, other.issuer}
        work.certificates.complete([(one.issuer, one.serial, b"one"), (other.issuer, other.serial, b"other")])
        work.commit()
    with any_store.begin(write=False) as work:
        rows = work.certificates.of_application(one.application_id)
    assert [(row.kind, row.state, row.der) for row in rows] == [
        (Kind.SIGNATURE, CertificateState.ISSUED, b"one"),
        (Kind.AUTHENTICATION, CertificateState.ISSUED, b"other"),
    ]


def test_of_certificates_reserved_at_once_all_are_refused_with_one(any_store: Store) -> None:
    first = add_certificate(any_store.begin, "first")

    def reserve_with_a_key_used_before() -> None:
        with any_store.begin() as work:
            good = make_certificate(work, "good")
            bad = make_certificate(work, "bad", spki_digest=first.spki_digest)
            work.certificates.reserve([good, bad])

    with pytest.raises(Refusal) as refused:
        reserve_with_a_key_used_before()
    assert refused.value.code is Code.KEY_USED_BEFORE
    with any_store.begin(write=False) as work:
        assert list(work.certificates.all()) == [first]


def test_certificates_are_not_completed_when_one_of_them_was_not_reserved(any_store: Store) -> None:
    record = add_certificate(any_store.begin)
    with any_store.begin() as work, pytest.raises(LookupError):
        work.certificates.complete(
            [(record.issuer, record.serial, b"one"), (record.issuer, serial_of("another"), b"other")]
        )


def test_completing_replaces_the_tbs_once(any_store: Store) -> None:
    record = add_certificate(any_store.begin)
    with any_store.begin() as work:
        work.certificates.complete([(record.issuer, record.serial, b"certificate")])
        expected = replace(record, state=CertificateState.ISSUED, der=b"certificate")
        assert work.certificates.find(record.issuer, record.serial) == expected
        with pytest.raises(LookupError):
            work.certificates.complete([(record.issuer, record.serial, b"another")])
        with pytest.raises(LookupError):
            work.certificates.complete([(record.issuer, serial_of("another"), b"another")])


def test_an_ended_certificate_is_no_longer_live_and_its_first_end_stays(any_store: Store) -> None:
    record = add_certificate(any_store.begin)
    with any_store.begin() as work:
        work.certificates.end(record.issuer, record.serial, NOW)
        work.certificates.end(record.issuer, record.serial, NOW + timedelta(days=1))
        assert list(work.certificates.live_of(record.resident_id)) == []
        assert list(work.certificates.of_resident(record.resident_id)) == [replace(record, ended_at=NOW)]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({}, Code.LIVE_PAIR, id="a-second-live-one-of-a-kind-and-carrier-is-refused"),
        pytest.param({"kind": Kind.AUTHENTICATION}, None, id="the-other-kind-may-live-beside-it"),
        pytest.param({"carrier": Carrier.MOBILE_DEVICE}, None, id="the-phone-may-have-one-beside-the-card"),
    ],
)
def test_live_certificates_of_a_resident(any_store: Store, changes: dict[str, object], code: Code | None) -> None:
    first = add_certificate(any_store.begin, "first")
    outcome = None
    with any_store.begin() as work:
        second = make_certificate(work, "second", resident_id=first.resident_id, **changes)
        try:
            work.certificates.reserve([second])
        except Refusal as refusal:
            outcome = refusal.code
    assert outcome is code


def test_after_the_end_of_one_the_next_may_live(any_store: Store) -> None:
    first = add_certificate(any_store.begin, "first")
    with any_store.begin() as work:
        work.certificates.end(first.issuer, first.serial, NOW)
        second = make_certificate(work, "second", resident_id=first.resident_id)
        work.certificates.reserve([second])
        assert list(work.certificates.live_of(first.resident_id)) == [second]
        assert [row.serial for row in work.certificates.of_resident(first.resident_id)] == [first.serial, second.serial]


def test_a_key_is_certified_once_even_after_the_certificate_ended(any_store: Store) -> None:
    first = add_certificate(any_store.begin, "first", ended_at=NOW)
    with any_store.begin() as work:
        again = make_certificate(work, "second", spki_digest=first.spki_digest)
        with pytest.raises(Refusal) as refused:
            work.certificates.reserve([again])
    assert refused.value.code is Code.KEY_USED_BEFORE


def test_status_is_unknown_before_the_signature_and_never_good_without_a_row(any_store: Store) -> None:
    record = add_certificate(any_store.begin)
    words = [any_store.status.status_of(record.issuer, record.serial).word]
    with any_store.begin() as work:
        work.certificates.complete([(record.issuer, record.serial, b"certificate")])
        work.commit()
    words.append(any_store.status.status_of(record.issuer, record.serial).word)
    with any_store.begin() as work:
        work.revocations.put(revocation_of(record), "receipt", NOW)
        work.commit()
    words.append(any_store.status.status_of(record.issuer, record.serial).word)
    words.append(any_store.status.status_of(IssuerId("signature-g2"), record.serial).word)
    words.append(any_store.status.status_of(record.issuer, serial_of("another")).word)
    assert words == ["unknown", "good", "revoked", "unknown", "unknown"]


def test_one_that_waits_stands_beside_the_live_one_and_takes_its_place(any_store: Store) -> None:
    live = add_certificate(any_store.begin, "live")
    with any_store.begin() as work:
        waits = make_certificate(
            work, "waits", resident_id=live.resident_id, pending=True, predecessor=live.application_id
        )
        work.certificates.reserve([waits])
        assert list(work.certificates.live_of(live.resident_id)) == [live, waits]
        work.commit()
    with any_store.begin() as work, pytest.raises(Refusal) as refused:
        work.certificates.deliver(waits.issuer, waits.serial)
    assert refused.value.code is Code.LIVE_PAIR
    with any_store.begin() as work:
        work.certificates.end(live.issuer, live.serial, NOW)
        work.certificates.deliver(waits.issuer, waits.serial)
        assert work.certificates.find(waits.issuer, waits.serial) == replace(waits, pending=False)
        with pytest.raises(LookupError):
            work.certificates.deliver(waits.issuer, waits.serial)


def test_one_waits_of_a_kind_and_carrier(any_store: Store) -> None:
    first = add_certificate(any_store.begin, "first", pending=True)
    with any_store.begin() as work:
        phone = {"resident_id": first.resident_id, "carrier": Carrier.MOBILE_DEVICE, "pending": True}
        work.certificates.reserve([make_certificate(work, "phone", **phone)])
        second = make_certificate(work, "second", resident_id=first.resident_id, pending=True)
        with pytest.raises(Refusal) as refused:
            work.certificates.reserve([second])
    assert refused.value.code is Code.LIVE_PAIR


def test_what_waits_too_long_is_told_by_application_the_oldest_first(any_store: Store) -> None:
    hour = timedelta(hours=1)
    later = add_certificate(any_store.begin, "later", pending=True, reserved_at=NOW + hour)
    first = add_certificate(any_store.begin, "first", pending=True, reserved_at=NOW)
    ended = add_certificate(any_store.begin, "ended", pending=True, reserved_at=NOW, ended_at=NOW)
    live = add_certificate(any_store.begin, "live", reserved_at=NOW)
    add_certificate(any_store.begin, "unsigned", pending=True, reserved_at=NOW)
    with any_store.begin() as work:
        signed = [(row.issuer, row.serial, b"certificate") for row in (later, first, ended, live)]
        work.certificates.complete(signed)
        old, older = later.application_id, first.application_id
        assert list(work.certificates.overdue(NOW + 2 * hour, 9)) == [older, old]
        assert list(work.certificates.overdue(NOW + 2 * hour, 1)) == [older]
        assert list(work.certificates.overdue(NOW + hour, 9)) == [older]
        assert list(work.certificates.overdue(NOW, 9)) == []
