"""The last look before signing: a list that does not say what was planned gets no signature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crl.lint import lint_tbs_crl
from domain.errors import Code, Refusal
from domain.lists import Scope
from domain.revocation import CrlReason, Revocation
from tests.support.authority import KIYOSE
from tests.support.lists import (
    AUTHORITY_SCOPE,
    ELSEWHERE,
    EXPIRY,
    G2,
    ISSUERS,
    NOW,
    SCOPE,
    SIGNERS,
    count_of,
    encode_entries,
    make_octets,
    make_plan,
    make_revocation,
    make_tbs,
    octets_of,
    point_of,
    tally_of,
)

REVOKED = tuple(make_revocation(reason.name, reason) for reason in CrlReason)
PLAN = make_plan()


def refusal_of(
    plan: Any = PLAN,
    listed: Sequence[Revocation] = REVOKED,
    tbs: bytes | None = None,
    read: Sequence[Revocation] = REVOKED,
) -> Refusal:
    """How a list made after `plan` of the `listed` revocations is refused by the linter, which expects the usual;
    `read` are those that came from the database."""
    octets = make_octets(plan, encode_entries(listed)) if tbs is None else octets_of(tbs)
    with pytest.raises(Refusal) as caught:
        lint_tbs_crl(octets, PLAN, tally_of(read), count_of(REVOKED))
    assert caught.value.code is Code.LINT
    return caught.value


@pytest.mark.parametrize("revoked", [(), REVOKED[:1], REVOKED], ids=["no-entries", "one-entry", "every-reason"])
@pytest.mark.parametrize("scope", [SCOPE, AUTHORITY_SCOPE, Scope(G2, KIYOSE.code)], ids=["rsa", "authority", "ec"])
def test_what_was_planned_may_be_signed_once(scope: Scope, revoked: tuple[Revocation, ...]) -> None:
    plan = make_plan(scope)
    octets = make_octets(plan, encode_entries(revoked))
    linted = lint_tbs_crl(octets, plan, tally_of(revoked), count_of(revoked))
    assert linted.redeem() == octets.view()
    with pytest.raises(RuntimeError):
        linted.redeem()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"number": 8}, "number is not the planned one", id="another-number"),
        pytest.param({"algorithm": SIGNERS[G2].algorithm}, "algorithm is not", id="another-algorithm"),
        pytest.param({"point": point_of(ELSEWHERE)}, "point is not", id="another-municipalitys-point"),
        pytest.param({"scope": AUTHORITY_SCOPE}, "point is not", id="said-to-list-authorities"),
        pytest.param({"this_update": NOW}, "this_update is not", id="begins-later"),
        pytest.param({"next_update": EXPIRY}, "next_update is not", id="ends-later"),
        pytest.param({"issuer": ISSUERS[G2]}, "authority_key is not", id="the-other-generations-key"),
        pytest.param({"issuer": replace(PLAN.issuer, subject=b"\x30\x00")}, "issuer is not", id="another-name"),
    ],
)
def test_a_field_that_is_not_the_planned_one_is_refused(changes: dict[str, Any], words: str) -> None:
    assert words in refusal_of(replace(PLAN, **changes)).detail


def test_all_faults_are_named_at_once() -> None:
    detail = refusal_of(replace(PLAN, number=8, this_update=NOW), REVOKED[1:]).detail
    assert "number is not" in detail
    assert "this_update is not" in detail
    assert "it has 6 entries for 7 standing revocations" in detail


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        pytest.param(replace(PLAN, number=0), "number is not positive", id="number-zero"),
        pytest.param(replace(PLAN, number=1 << 159), "more than 20 octets", id="a-number-of-21-octets"),
        pytest.param(replace(PLAN, next_update=PLAN.this_update), "not after this_update", id="ends-as-it-begins"),
        pytest.param(replace(PLAN, scope=Scope(G2, KIYOSE.code)), "another issuer", id="a-scope-of-another-issuer"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(plan: Any, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        lint_tbs_crl(make_octets(plan, []), plan, tally_of([]), count_of([]))


OTHER = make_revocation("never recorded")


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        pytest.param(REVOKED[1:], "6 entries for 7 standing", id="one-is-missing"),
        pytest.param((), "0 entries for 7 standing", id="all-are-missing"),
        pytest.param((*REVOKED, OTHER), "8 entries for 7 standing", id="one-too-many"),
        pytest.param((*REVOKED[1:], OTHER), "other serials", id="one-for-another"),
        pytest.param(
            (*REVOKED[1:], replace(REVOKED[0], reason=CrlReason.SUPERSEDED)), "other reasons than", id="reason-lost"
        ),
        pytest.param(
            (*REVOKED[1:], replace(REVOKED[0], revoked_at=NOW - timedelta(hours=4))),
            "other times than",
            id="time-moved",
        ),
    ],
)
def test_entries_that_are_not_the_standing_revocations_are_refused(listed: Sequence[Revocation], words: str) -> None:
    assert words in refusal_of(listed=listed).detail


@pytest.mark.parametrize(
    ("read", "words"),
    [
        pytest.param(REVOKED[1:], "6 entries, and the database counts 7", id="one-did-not-come"),
        pytest.param((), "0 entries, and the database counts 7", id="none-came"),
        pytest.param((*REVOKED, OTHER), "8 entries, and the database counts 7", id="one-came-that-is-not-there"),
        pytest.param((*REVOKED[1:], OTHER), "than the database's own sum", id="one-came-for-another"),
        pytest.param(
            (*REVOKED[1:], replace(REVOKED[0], reason=CrlReason.SUPERSEDED)), "own sum", id="with-another-reason"
        ),
        pytest.param(
            (*REVOKED[1:], replace(REVOKED[0], revoked_at=NOW - timedelta(hours=4))), "own sum", id="with-another-time"
        ),
    ],
)
def test_entries_as_they_came_are_refused_where_they_do_not_add_up(read: Sequence[Revocation], words: str) -> None:
    assert words in refusal_of(listed=read, read=read).detail


def test_octets_that_cannot_be_read_are_refused() -> None:
    assert "the octets end too early" in refusal_of(tbs=b"\x30").detail


def test_a_day_that_does_not_exist_is_refused() -> None:
    tbs = make_tbs(PLAN, [entry.replace(b"270331", b"270231") for entry in encode_entries(REVOKED)])
    assert "a day that does not exist" in refusal_of(tbs=tbs).detail


def test_no_serial_is_named() -> None:
    detail = refusal_of(listed=REVOKED[1:]).detail
    assert str(REVOKED[0].serial.value) not in detail
    assert REVOKED[0].serial.octets.hex() not in detail
