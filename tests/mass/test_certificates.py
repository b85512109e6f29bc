"""Mass events on certificates: exactly those selected, each once, and every pair whole at each step."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from domain.certificates import Carrier, IssuerId, Kind
from domain.errors import Code, Refusal
from domain.mass import MassEvent, MassState
from domain.parties import LOCAL_OPERATOR
from domain.people import MunicipalityCode
from domain.revocation import CrlReason, RevocationCause
from domain.serial import SerialNumber
from mass.certificates import refine, scan, share
from mass.preview import told
from mass.run import run, step
from tests.oversight.test_reconcile import check_head
from tests.support.house import HOUR, House
from tests.support.mass import Town, audit_acts, list_file
from tests.support.memory import MemoryStore
from tests.support.residents import HINO, KIYOSE
from tests.support.stores import Store

G2 = {kind: IssuerId(f"{kind.value}-g2") for kind in Kind}
ALL = {(application, kind.value) for application in (1, 2, 3, 4) for kind in Kind}


def held(town: Town) -> set[tuple[int, str]]:
    return {name for name, word in town.statuses().items() if word == "revoked"}


def test_everything_is_held_and_all_parts_agree_after_each_step(store: Store, tmp_path: Path) -> None:
    town = Town(House(store.begin, store.status, tmp_path / "crl", check_head))
    event = town.preview(town.order())
    assert held(town) == set()
    seen: list[int] = []

    def look(now: MassEvent) -> None:
        assert town.house.faults() == []
        seen.append(len(held(town)))
        town.house.publish()
        assert town.house.faults() == []

    done = town.run(event, look)
    assert (done.state, done.step, dict(done.tally)) == (MassState.DONE, event.steps, {"held": 8})
    assert held(town) == ALL
    assert seen == sorted(seen)
    assert len(set(seen)) > 2
    with town.house.begin(write=False) as work:
        rows = list(work.revocations.all())
        assert {(row.cause, row.reason) for row in rows} == {
            (RevocationCause.TEMPORARY_STOP, CrlReason.CERTIFICATE_HOLD)
        }
        assert all(row.ended_at is None for row in work.certificates.all())


@pytest.mark.parametrize(
    ("selected", "expected"),
    [
        pytest.param({"issuers": frozenset({G2[Kind.SIGNATURE]})}, {1, 2, 3, 4}, id="of an issuer"),
        pytest.param({"kinds": frozenset({Kind.SIGNATURE})}, {1, 2, 3, 4}, id="of a kind"),
        pytest.param(
            {"kinds": frozenset({Kind.SIGNATURE}), "carriers": frozenset({Carrier.MOBILE_DEVICE})}, {4}, id="on phones"
        ),
        pytest.param(
            {"kinds": frozenset({Kind.SIGNATURE}), "municipality": MunicipalityCode("132217")},
            {1, 2, 3, 4},
            id="of a municipality",
        ),
    ],
)
def test_only_what_is_selected_is_held(town: Town, selected: dict[str, Any], expected: set[int]) -> None:
    town.do(town.order(**selected))
    assert held(town) == {(application, Kind.SIGNATURE.value) for application in expected}


def test_certificates_are_selected_by_when_they_were_applied_for_and_by_profile(town: Town) -> None:
    began = town.house.clock.now
    town.house.clock.forward(HOUR)
    town.add_residents(5, 5)
    town.house.issue(5, town.house.requests("rsa"))
    with town.house.begin(write=False) as work:
        profile = work.certificates.of_application(5)[0].profile_digest
    for selected, expected in (
        ({"issued_from": began + HOUR}, {5}),
        ({"issued_before": began + HOUR}, {1, 2, 3, 4}),
        ({"issued_from": began + HOUR, "issued_before": began + HOUR}, set()),
        ({"profile": profile}, {5}),
    ):
        order = town.order(kinds=frozenset({Kind.SIGNATURE}), **selected)
        if expected:
            assert told(town.preview(order))["changes"] == len(expected)
        else:
            with pytest.raises(Refusal) as refused:
                town.preview(order)
            assert refused.value.code is Code.NO_LIVE_CERTIFICATE


def test_the_leak_of_an_issuers_key_ends_everything_under_it_and_no_pair_is_broken(town: Town) -> None:
    order = town.order(RevocationCause.ISSUER_KEY, issuers=frozenset({G2[Kind.AUTHENTICATION]}))
    event = town.preview(order)
    assert [(row["kind"], row["carrier"], row["count"]) for row in told(event)["certificates"]] == [  # type: ignore[attr-defined]
        ("authentication", "card", 3),
        ("authentication", "mobile-device", 1),
        ("signature", "card", 3),
        ("signature", "mobile-device", 1),
    ]
    done = town.run(event, lambda _: _sound(town))
    assert (dict(done.tally), held(town)) == ({"revoked": 8}, ALL)
    with town.house.begin(write=False) as work:
        assert {row.reason for row in work.revocations.all()} == {CrlReason.CA_COMPROMISE}
        assert all(row.ended_at for row in work.certificates.all())
    town.house.publish()
    _sound(town)


def _sound(town: Town) -> None:
    assert town.house.faults() == []


def test_signing_certificates_end_before_the_others_of_their_pairs(town: Town) -> None:
    done = town.run(town.preview(town.order(RevocationCause.RECORD_ERROR)), lambda _: _sound(town))
    assert dict(done.tally) == {"revoked": 8}


@pytest.mark.parametrize(
    ("place", "alone", "expected"),
    [
        pytest.param(KIYOSE, False, {(1, "signature"), (1, "authentication")}, id="the live pair"),
        pytest.param(HINO, False, {(4, "signature"), (4, "authentication")}, id="the pair that waits"),
        pytest.param(
            KIYOSE,
            True,
            {(1, "signature"), (1, "authentication"), (4, "signature")},
            id="the live pair and what follows",
        ),
    ],
)
def test_what_waits_for_its_hand_over_goes_with_what_came_with_it(
    town: Town, memory: MemoryStore, place: MunicipalityCode, alone: bool, expected: set[tuple[int, str]]
) -> None:
    for key, row in list(memory.tables.certificates.items()):
        if row.application_id == 4 and alone and row.kind is Kind.AUTHENTICATION:
            del memory.tables.certificates[key]
        elif row.application_id == 4:
            memory.tables.certificates[key] = replace(row, carrier=Carrier.CARD, pending=True, municipality=HINO)
        elif row.application_id != 1:
            del memory.tables.certificates[key]
    town.do(town.order(RevocationCause.RECORD_ERROR, kinds=frozenset({Kind.AUTHENTICATION}), municipality=place))
    assert held(town) == expected


def test_what_was_issued_after_the_preview_is_left_alone(town: Town) -> None:
    event = town.preview(town.order())
    town.add_residents(5, 5)
    town.house.issue(5)
    assert dict(town.run(event).tally) == {"held": 8}
    assert held(town) == ALL


def test_what_ended_after_the_preview_stays_as_it_is(town: Town) -> None:
    event = town.preview(town.order(RevocationCause.CARD_ENDED))
    assert told(event)["changes"] == 8
    town.house.revoke(2, RevocationCause.HOLDER_REQUEST)
    before = _revocation_causes(town)
    assert dict(town.run(event).tally) == {"revoked": 6, "already": 2}
    assert [cause for cause in _revocation_causes(town) if cause is RevocationCause.HOLDER_REQUEST] == before


def _revocation_causes(town: Town) -> list[RevocationCause]:
    with town.house.begin(write=False) as work:
        return [row.cause for row in work.revocations.all()]


def test_holds_become_revocations_and_keep_their_time_and_holds_stay(town: Town) -> None:
    town.house.revoke(2, RevocationCause.TEMPORARY_STOP)
    since = town.house.clock.now
    town.house.clock.forward(HOUR)
    assert dict(town.do(town.order()).tally) == {"held": 6, "already": 2}
    town.house.clock.forward(HOUR)
    assert dict(town.do(town.order(RevocationCause.ISSUER_KEY)).tally) == {"revoked": 8}
    with town.house.begin(write=False) as work:
        times = sorted(row.revoked_at for row in work.revocations.all())
    assert times == [since] * 2 + [since + HOUR] * 6
    town.house.publish()
    _sound(town)


def test_expired_certificates_are_counted_and_left(town: Town) -> None:
    town.house.clock.forward(timedelta(days=365 * 12))
    with pytest.raises(Refusal) as refused:
        town.preview(town.order())
    assert refused.value.code is Code.NO_LIVE_CERTIFICATE


def test_a_list_of_residents_narrows_the_selection(town: Town) -> None:
    event = town.preview(town.order(listed=True, carriers=frozenset({Carrier.CARD})), list_file(1, 3))
    assert told(event)["changes"] == 4
    assert dict(town.run(event, lambda _: _sound(town)).tally) == {"held": 4}
    assert {application for application, _ in held(town)} == {1, 3}
    with town.house.begin(write=False) as work:
        assert work.mass.rows(event.id, 0, 100) == []


def test_each_certificate_names_the_event_and_one_audit_row_tells_of_a_step(town: Town) -> None:
    event = town.do(town.order())
    with town.house.begin(write=False) as work:
        rows = [row.body for row in work.audit.rows() if f'"mass":"{event.id}"' in row.body]
    steps = [row for row in rows if '"certificates-held"' in row]
    assert audit_acts(town).count("mass-confirmed") == audit_acts(town).count("mass-done") == 1
    assert 1 < len(steps) <= event.steps
    assert sum(row.count("[") - 1 for row in steps) == 8


@pytest.mark.parametrize("fault", ["lost", "kept"])
def test_a_step_whose_commit_fails_is_done_once(town: Town, memory: Any, fault: str) -> None:
    event = town.confirm(town.preview(town.order()))
    for number in range(1, 2 * event.steps + 2, 2):
        memory.faults[memory.commits + number] = fault
    while event.state is MassState.RUNNING:
        with suppress(Refusal):
            event = run(town.parts, event.id, LOCAL_OPERATOR)
        _sound(town)
    memory.faults.clear()
    assert dict(event.tally) == {"held": 8}
    assert audit_acts(town).count("mass-done") == 1
    town.house.publish()
    _sound(town)


def test_two_runs_of_one_event_do_each_step_once(town: Town) -> None:
    event = town.confirm(town.preview(town.order()))
    states = [step(town.parts, event.id, LOCAL_OPERATOR) for _ in range(event.steps + 3)]
    assert [state.step for state in states] == [*range(1, event.steps + 1), *[event.steps] * 3]
    assert dict(states[-1].tally) == {"held": 8}


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 1000])
def test_shares_are_the_whole_range_of_serials_without_gap_or_overlap(steps: int) -> None:
    shares = [share(number, steps) for number in range(steps)]
    assert shares[0][0] == SerialNumber.drawn_from(bytes(16)).octets
    assert shares[-1][1] == (1 << 127).to_bytes(16)
    assert all(first[1] == second[0] for first, second in pairwise(shares))
    assert all(low < high for low, high in shares)


def test_steps_are_as_many_as_changes_need_and_at_least_as_many_as_are_looked_at(town: Town) -> None:
    with town.house.begin(write=False) as work:
        stretches = scan(town.parts, work, town.order())
    assert [stretch.issuer for stretch in stretches] == [G2[Kind.SIGNATURE], G2[Kind.AUTHENTICATION]]
    assert [row.steps for row in refine(stretches, {G2[Kind.SIGNATURE]: 1001}, 500)] == [3, 1]


def test_certificates_of_an_issuer_that_is_not_configured_stop_the_preview(town: Town) -> None:
    town.parts.issuers.pop(G2[Kind.SIGNATURE])  # type: ignore[attr-defined]
    with pytest.raises(Refusal) as refused:
        town.preview(town.order())
    assert refused.value.code is Code.BAD_CONFIGURATION
