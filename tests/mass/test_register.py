"""Mass events on records: renamed addresses and mergers, by the rules for a notice of each resident."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.events import EventType, NoticeState
from domain.mass import MassState
from domain.people import ResidentState
from domain.revocation import CrlReason
from mass.preview import told
from mass.register import sender_of
from residents.intake import apply_event
from residents.rows import Format
from tests.oversight.test_reconcile import check_head
from tests.support.house import House
from tests.support.mass import Town, list_file
from tests.support.notices import REGISTER, ending, notice
from tests.support.residents import HINO, KIYOSE, attributes, resident_code
from tests.support.stores import Store

RENAMED = "東京都清瀬市新町五丁目１４－３０５"


def test_addresses_of_an_area_are_renamed_and_signing_certificates_end(store: Store, tmp_path: Path) -> None:
    town = Town(House(store.begin, store.status, tmp_path / "crl", check_head))
    event = town.preview(town.renaming())
    said = told(event)
    assert (said["changes"], said["records"]) == (3 + 4, [{"municipality": "132217", "count": 3}])
    assert {row["reason"] for row in said["certificates"]} == {"affiliation-changed"}  # type: ignore[attr-defined]

    def look(_: object) -> None:
        assert town.house.faults() == []

    done = town.run(event, look)
    assert (done.state, dict(done.tally)) == (MassState.DONE, {"records": 3, "revoked": 4, "passed": 0})
    assert town.addresses() == [RENAMED] * 3
    assert (town.count("revoked", Kind.SIGNATURE), town.count("good", Kind.AUTHENTICATION)) == (4, 4)
    town.house.publish()
    look(None)
    with town.house.begin(write=False) as work:
        assert {row.reason for row in work.revocations.all()} == {CrlReason.AFFILIATION_CHANGED}


def test_a_merger_hands_the_records_over(town: Town) -> None:
    order = town.renaming(EventType.MUNICIPALITY_MERGER, into=HINO, old="東京都清瀬市", new="東京都日野市")
    assert dict(town.do(order).tally) == {"records": 3, "revoked": 4, "passed": 0}
    with town.house.begin(write=False) as work:
        residents = work.residents.get_many([1, 2, 3]).values()
    assert {(row.municipality, row.attributes.address) for row in residents} == {
        (HINO, "東京都日野市霞野２－１４－３０５")
    }
    assert town.house.faults() == []


def test_a_list_says_the_new_address_of_each(town: Town) -> None:
    done = town.do(town.renaming(old="", new=""), list_file(3, 1, address="東京都清瀬市新町"))
    assert dict(done.tally) == {"records": 2, "revoked": 3, "passed": 0}
    assert town.addresses() == ["東京都清瀬市新町１", attributes().address, "東京都清瀬市新町３"]


def test_who_cannot_be_changed_so_is_passed_over_and_shown(town: Town) -> None:
    town.add_residents(4, 5)
    event = town.preview(town.renaming())
    apply_event(town.parts.intake, ending(code=resident_code(4)), REGISTER)
    moved = notice(code=resident_code(5), sequence=2, notice_id="2")
    apply_event(town.parts.intake, moved, REGISTER)
    assert dict(town.run(event).tally) == {"records": 3, "revoked": 4, "passed": 2}
    with town.house.begin(write=False) as work:
        rows = work.notices.page(sender_of(event.id), NoticeState.QUARANTINED, 0, 10)
        assert work.residents.get(4).state is ResidentState.DEAD
    assert [(row.sequence, row.reason) for row in rows] == [(4, Code.OUT_OF_ORDER), (5, Code.OUT_OF_ORDER)]
    assert town.house.faults() == []


def test_a_preview_counts_who_would_be_passed_over(town: Town) -> None:
    lines = [
        f"{resident_code(number).digits},{address}" for number, address in ((1, attributes().address), (2, "新町"))
    ]
    file = io.BytesIO("\n".join(("resident_code,address", *lines, "")).encode()), Format.CSV
    assert told(town.preview(town.renaming(old="", new=""), file))["passed"] == {"already-applied": 1}


def test_an_older_notice_comes_too_late_after_the_event(town: Town) -> None:
    town.do(town.renaming())
    late = notice(effective_on=town.renaming().effective_on - timedelta(days=1))
    with pytest.raises(Refusal) as refused:
        apply_event(town.parts.intake, late, REGISTER)
    assert refused.value.code is Code.OUT_OF_ORDER


def test_nothing_of_a_resident_is_kept_or_told(town: Town) -> None:
    event = town.preview(town.renaming(old="", new=""), list_file(1, 2, address="東京都清瀬市新町"))
    with town.house.begin(write=False) as work:
        kept = [row.sealed or b"" for row in work.mass.rows(event.id, 0, 9)]
        said = [row.body for row in work.audit.rows()]
        assert all("新町".encode() not in sealed for sealed in kept)
        assert [row.resident_id for row in work.mass.rows(event.id, 0, 9)] == [1, 2]
    for text in (event.order, event.preview, repr(event), *said):
        for secret in ("新町", "霞野", "霧島", resident_code(1).digits):
            assert secret not in text


@pytest.mark.parametrize(
    ("octets", "faults"),
    [
        pytest.param(b"resident_code\n", ["the list is empty"], id="nobody"),
        pytest.param(b"", ["line 1: the file is empty"], id="nothing"),
        pytest.param(b"code\n1\n", ["line 1: the first line must name the columns resident_code"], id="other columns"),
        pytest.param(
            f"resident_code\n{resident_code(9).digits}\n{resident_code(1).digits}\n{resident_code(1).digits}\n12\n".encode(),
            [
                "line 2: resident_code is that of nobody who is known here",
                "line 4: resident_code stands on an earlier line, too",
                "line 5: resident_code must be eleven digits with their check digit",
            ],
            id="bad lines",
        ),
    ],
)
def test_a_list_with_faults_is_not_taken(town: Town, octets: bytes, faults: list[str]) -> None:
    with pytest.raises(Refusal) as refused:
        town.preview(town.order(listed=True), (io.BytesIO(octets), Format.CSV))
    assert refused.value.code is Code.MALFORMED
    assert refused.value.facts["faults"] == faults
    assert resident_code(9).digits not in f"{refused.value} {refused.value.facts}"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"event": EventType.DEATH}, Code.MALFORMED, id="a death"),
        pytest.param({"into": HINO}, Code.MALFORMED, id="a renaming that hands records over"),
        pytest.param({"new": ""}, Code.MALFORMED, id="no new beginning"),
        pytest.param({"new": " 新町"}, Code.MALFORMED, id="a new beginning with space around it"),
        pytest.param({"old": "東京都日野市"}, Code.NO_LIVE_CERTIFICATE, id="an area where nobody lives"),
        pytest.param({"municipality": HINO, "into": HINO}, Code.NO_LIVE_CERTIFICATE, id="another municipality"),
    ],
)
def test_bad_orders_are_refused(town: Town, changes: dict[str, Any], code: Code) -> None:
    with pytest.raises(Refusal) as refused:
        town.preview(town.renaming(**changes))
    assert refused.value.code is code


def test_a_day_in_the_future_is_refused(town: Town) -> None:
    with pytest.raises(Refusal) as refused:
        town.preview(town.renaming(effective_on=town.renaming().effective_on + timedelta(days=1)))
    assert refused.value.code is Code.OUT_OF_ORDER


def test_residents_of_others_are_not_touched(town: Town) -> None:
    order = town.renaming(municipality=KIYOSE)
    assert order.old
    apply_event(
        town.parts.intake,
        notice(EventType.MOVE_IN, attributes(), code=resident_code(2), municipality=HINO),
        REGISTER,
    )
    assert dict(town.do(order).tally)["records"] == 2
