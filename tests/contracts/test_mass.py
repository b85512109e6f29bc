"""Mass events, and what they read and write many of at once, on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.certificates import CertificateRecord, IssuerId, Kind
from domain.errors import Code, Refusal
from domain.events import EventType, NoticeRecord, NoticeState
from domain.lists import Scope
from domain.mass import MassEvent, MassRow, MassState, Stretch, Target
from domain.people import MunicipalityCode
from domain.revocation import CrlReason, Revocation, RevocationCause
from tests.support.people import KIYOSE, PERSON, serial_of
from tests.support.stores import NOW, Store, add_certificate, add_resident, digest_of, revocation_of

SECOND = timedelta(seconds=1)
HINO = MunicipalityCode("132128")
LOW, HIGH = bytes(16), b"\xff" * 16
ISSUER = IssuerId("signature-g1")
EVENT = MassEvent(
    "0a" * 8,
    '{"order":"住居表示"}',
    "{}",
    (Stretch(ISSUER, 3), Stretch(None, 2)),
    MassState.PREVIEWED,
    "operator:terminal",
    NOW,
)
RUNNING = replace(
    EVENT,
    state=MassState.RUNNING,
    step=4,
    tally={"held": 7},
    confirmed_by="operator:other",
    confirmed_at=NOW + SECOND,
    ended_at=NOW + 2 * SECOND,
)


def target_of(record: CertificateRecord, standing: Revocation | None = None, *, ended: bool = False) -> Target:
    return Target(
        record.issuer,
        record.serial,
        record.kind,
        record.carrier,
        record.resident_id,
        record.application_id,
        record.municipality,
        record.validity.not_after,
        record.profile_digest,
        record.reserved_at,
        ended,
        record.pending,
        standing,
    )


def on_hold(record: CertificateRecord) -> Revocation:
    return revocation_of(record, reason=CrlReason.CERTIFICATE_HOLD, cause=RevocationCause.TEMPORARY_STOP)


def test_an_event_comes_back_as_it_went_and_as_it_became(any_store: Store) -> None:
    later = replace(EVENT, id="later", previewed_at=NOW + SECOND)
    with any_store.begin() as work:
        assert work.mass.find(EVENT.id) is None
        for event in (EVENT, later):
            work.mass.put(event)
        assert work.mass.find(EVENT.id) == EVENT
        work.mass.put(RUNNING)
        assert work.mass.all() == [later, RUNNING]


def test_what_is_kept_with_a_preview_is_read_by_position_and_dropped(any_store: Store) -> None:
    rows = [MassRow(position, 40 - position, b"sealed" if position == 2 else None) for position in (3, 1, 2)]
    with any_store.begin() as work:
        work.mass.keep("one", rows)
        work.mass.keep("one", [])
        work.mass.keep("other", rows[:1])
        assert work.mass.rows("one", 0, 9) == sorted(rows, key=lambda row: row.position)
        assert [row.position for row in work.mass.rows("one", 1, 2)] == [2]
        work.mass.forget("one")
        assert work.mass.rows("one", 0, 9) == []
        assert work.mass.rows("other", 0, 9) == rows[:1]


def test_targets_are_read_by_serial_with_what_stands(any_store: Store) -> None:
    good, held, ended = (add_certificate(any_store.begin, label) for label in ("good", "held", "ended"))
    elsewhere = add_certificate(any_store.begin, "elsewhere", municipality=HINO)
    other = add_certificate(any_store.begin, "other", issuer=IssuerId("authentication-g1"), kind=Kind.AUTHENTICATION)
    hold, revoked = on_hold(held), revocation_of(ended)
    with any_store.begin() as work:
        for revocation in (hold, revoked):
            work.revocations.put(revocation, "receipt", NOW)
        work.certificates.end(ended.issuer, ended.serial, NOW)
        found = work.certificates.targets(ISSUER, LOW, HIGH, None)
        expected = [target_of(good), target_of(held, hold), target_of(ended, revoked, ended=True), target_of(elsewhere)]
        assert found == sorted(expected, key=lambda row: row.serial)
        assert work.certificates.targets(ISSUER, LOW, HIGH, HINO) == [target_of(elsewhere)]
        assert work.certificates.targets(ISSUER, found[1].serial.octets, found[2].serial.octets, None) == [found[1]]
        of = work.certificates.targets_of([held.resident_id, other.resident_id, 10_000])
        assert sorted(of, key=lambda row: row.application_id) == [target_of(held, hold), target_of(other)]
        assert work.certificates.targets_of([]) == []
        assert work.certificates.count_by_issuer() == {ISSUER: 4, other.issuer: 1}
        assert work.applications.newest() == other.application_id


def test_serials_of_the_whole_range_are_within_its_ends(any_store: Store) -> None:
    record = add_certificate(any_store.begin)
    with any_store.begin(write=False) as work:
        low, high = (1 << 126).to_bytes(16), (1 << 127).to_bytes(16)
        assert work.certificates.targets(ISSUER, low, high, None) == [target_of(record)]


def test_many_are_revoked_and_ended_at_once_and_count_in_their_scopes(any_store: Store) -> None:
    records = [add_certificate(any_store.begin, f"holder {number}") for number in range(3)]
    elsewhere = add_certificate(any_store.begin, "elsewhere", municipality=HINO)
    rows = [on_hold(record) for record in (*records, elsewhere)]
    final = [replace(row, reason=CrlReason.CA_COMPROMISE, cause=RevocationCause.ISSUER_KEY) for row in rows[:2]]
    with any_store.begin() as work:
        work.revocations.put_many([(row, "mass", NOW) for row in rows], over_holds=False)
        work.revocations.put_many([], over_holds=False)
        work.revocations.put_many([(row, "mass", NOW) for row in final], over_holds=True)
        work.certificates.end_many([(row.issuer, row.serial) for row in final], NOW)
        work.certificates.end_many([], NOW)
        work.commit()
    with any_store.begin(write=False) as work:
        assert sorted(work.revocations.all(), key=lambda row: row.serial) == sorted(
            (*final, *rows[2:]), key=lambda row: row.serial
        )
        scopes = [work.lists.scope(Scope(ISSUER, code)) for code in (KIYOSE.code, HINO)]
        assert [scope and scope.wanted for scope in scopes] == [5, 1]
        assert list(work.revocations.orphans()) == []
        ended = [row for row in work.certificates.all() if row.ended_at is not None]
        assert {row.serial for row in ended} == {row.serial for row in final}


@pytest.mark.parametrize(
    ("first", "over_holds"),
    [
        pytest.param(None, True, id="a hold that is not there"),
        pytest.param(CrlReason.CERTIFICATE_HOLD, False, id="a hold where there should be nothing"),
        pytest.param(CrlReason.KEY_COMPROMISE, False, id="a revocation where there should be nothing"),
        pytest.param(CrlReason.KEY_COMPROMISE, True, id="a revocation where there should be a hold"),
    ],
)
def test_many_are_not_revoked_over_another_state(any_store: Store, first: CrlReason | None, over_holds: bool) -> None:
    record = add_certificate(any_store.begin)
    if first is not None:
        with any_store.begin() as work:
            work.revocations.put(revocation_of(record, reason=first), "first", NOW)
            work.commit()
    with any_store.begin() as work, pytest.raises(Refusal) as refused:
        work.revocations.put_many([(revocation_of(record), "mass", NOW)], over_holds=over_holds)
    assert refused.value.code is Code.ALREADY_APPLIED


def test_residents_are_read_and_written_many_at_once(any_store: Store) -> None:
    moved = replace(PERSON, address="東京都日野市水車前１")
    with any_store.begin() as work:
        assert work.residents.newest() == 0
        ids = [add_resident(work, f"resident {number}") for number in range(3)]
        found = work.residents.get_many([*ids, 10_000])
        assert found == {row: work.residents.get(row) for row in ids}
        changed = [replace(found[row], municipality=HINO, attributes=moved) for row in ids[1:]]
        work.residents.update_many(changed, NOW)
        work.residents.update_many([], NOW)
        assert [work.residents.get(row) for row in ids] == [found[ids[0]], *changed]
        assert work.residents.of_municipality(HINO, 0, ids[-1]) == changed
        assert work.residents.of_municipality(HINO, ids[1], ids[-1]) == changed[1:]
        assert work.residents.of_municipality(KIYOSE.code, 0, ids[0]) == [found[ids[0]]]
        assert (work.residents.newest(), work.residents.get_many([])) == (ids[-1], {})
        with pytest.raises(LookupError):
            work.residents.update_many([replace(changed[0], id=10_000)], NOW)


def test_more_residents_than_a_statement_asks_for_are_all_found(any_store: Store) -> None:
    with any_store.begin() as work:
        rows = [(digest_of(str(number)), b"sealed", KIYOSE.code, PERSON) for number in range(1200)]
        work.residents.put_many(rows, NOW)
        newest = work.residents.newest()
        assert len(work.residents.get_many(range(1, newest + 1))) == 1200


def test_notices_are_put_and_their_newest_days_read_many_at_once(any_store: Store) -> None:
    with any_store.begin() as work:
        ids = [add_resident(work, f"resident {number}") for number in range(3)]
        days = [NOW.date(), NOW.date() - timedelta(days=1), NOW.date() + timedelta(days=1)]
        rows = [
            NoticeRecord(
                "mass:1",
                str(number),
                None,
                digest_of("content"),
                NoticeState.APPLIED,
                NOW,
                resident_id=resident,
                type=EventType.ADDRESS_RENAMING,
                effective_on=day,
                municipality=KIYOSE.code,
            )
            for number, (resident, day) in enumerate(zip((ids[0], ids[0], ids[1]), days, strict=True))
        ]
        work.notices.put_many(rows)
        work.notices.put_many([])
        assert work.notices.find("mass:1", "2") == rows[2]
        assert work.notices.latest_effective_many(ids) == {ids[0]: days[0], ids[1]: days[2]}
        assert work.notices.latest_effective(ids[0]) == days[0]


def test_notices_are_found_many_at_once(any_store: Store) -> None:
    with any_store.begin() as work:
        rows = [
            NoticeRecord("one", f"n{number}", number, digest_of("content"), NoticeState.QUARANTINED, NOW)
            for number in range(1, 6)
        ]
        work.notices.put_many([*rows, replace(rows[1], sender="other"), replace(rows[0], sequence=None, notice_id="x")])
        found = work.notices.find_many("one", ["n2", "n5", "n9"])
        assert sorted(found, key=lambda row: row.notice_id) == [rows[1], rows[4]]
        assert work.notices.between("one", 2, 4) == rows[1:4]
        assert (work.notices.find_many("one", []), work.notices.between("other", 3, 9)) == ([], [])


def test_live_certificates_are_found_many_at_once(any_store: Store) -> None:
    one, other, ended = (add_certificate(any_store.begin, label) for label in ("one", "other", "ended"))
    with any_store.begin() as work:
        work.certificates.end(ended.issuer, ended.serial, NOW)
        found = work.certificates.live_of_many([other.resident_id, one.resident_id, ended.resident_id])
        assert sorted(found, key=lambda row: row.application_id) == [one, other]


def test_receipts_are_kept_many_at_once(any_store: Store) -> None:
    with any_store.begin() as work:
        work.revocations.keep_receipts(
            [("a", "1", digest_of("x"), "one", None), ("a", "2", digest_of("y"), "two", None)]
        )
        work.revocations.keep_receipts([])
        assert work.revocations.receipt("a", "2") == (digest_of("y"), "two")
        with pytest.raises(Refusal) as refused:
            work.revocations.keep_receipts(
                [("a", "3", digest_of("x"), "one", None), ("a", "2", digest_of("y"), "two", None)]
            )
        assert refused.value.code is Code.IN_PROGRESS


def test_a_serial_has_no_share_in_what_is_shown_of_targets(any_store: Store) -> None:
    add_certificate(any_store.begin, serial=serial_of("shown"))
    with any_store.begin(write=False) as work:
        (target,) = work.certificates.targets(ISSUER, LOW, HIGH, None)
    assert str(serial_of("shown").value) not in repr(target)
