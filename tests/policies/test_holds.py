"""The rules of holds: every kind and carrier has its row, and a contradiction is refused in words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.certificates import Carrier, Kind
from domain.holds import AgeWord, ReleaseWord
from domain.revocation import RevocationCause
from policies.holds import load_holds
from policies.tables import TableFaults
from tests.support.profiles import parsed

RULES = load_holds(parsed("law/holds.toml"))


@pytest.mark.parametrize(
    ("kind", "carrier", "effect", "cause", "by"),
    [
        pytest.param(Kind.SIGNATURE, Carrier.CARD, "never", None, [], id="a card's hold is never lifted"),
        pytest.param(Kind.AUTHENTICATION, Carrier.CARD, "never", None, [], id="of neither kind"),
        pytest.param(
            Kind.AUTHENTICATION,
            Carrier.MOBILE_DEVICE,
            "released",
            None,
            ["municipality", "operator"],
            id="a phone's authentication certificate is good again",
        ),
        pytest.param(
            Kind.SIGNATURE,
            Carrier.MOBILE_DEVICE,
            "re-issued",
            RevocationCause.RENEWAL,
            ["municipality", "operator"],
            id="a phone's signing certificate is issued anew",
        ),
    ],
)
def test_what_becomes_of_a_hold_when_the_carrier_is_found(
    kind: Kind, carrier: Carrier, effect: str, cause: RevocationCause | None, by: list[str]
) -> None:
    rule = RULES.releases[kind, carrier]
    assert (rule.effect, rule.cause, sorted(rule.by)) == (ReleaseWord(effect), cause, by)


def test_old_holds_are_reported_and_guesses_are_bounded() -> None:
    assert {rule.effect for rule in RULES.ages.values()} == {AgeWord.REPORTED}
    assert RULES.ages.keys() == set(Carrier)
    assert (RULES.desk.attempts, RULES.desk.window) == (30, timedelta(hours=1))


def test_what_is_open_says_so() -> None:
    told = [(rule.verified, rule.source) for rule in RULES.releases.values()]
    told += [(rule.verified, rule.source) for rule in RULES.ages.values()]
    assert all(verified is ("unverified" not in source) for verified, source in told)


def spoilt(table: str, row: int, **columns: object) -> dict[str, Any]:
    content = parsed("law/holds.toml")
    content[table][row] |= columns
    return content


def without(table: str, row: int) -> dict[str, Any]:
    content = parsed("law/holds.toml")
    del content[table][row]
    return content


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (without("release", 1), "release: authentication on mobile-device has no row"),
        (without("age", 0), "age: card has no row"),
        (spoilt("release", 0, effect="perhaps"), "release 1: effect: want one of never, released, re-issued"),
        (spoilt("release", 0, by=["operator"]), "release 1: by: nobody may ask for what never happens"),
        (spoilt("release", 1, by=["desk"]), "release 2: by: want a list of"),
        (spoilt("release", 1, cause="renewal"), "release 2: cause: only what is re-issued has one"),
        (spoilt("release", 2, cause="temporary-stop"), "release 3: cause: want one of"),
        (spoilt("release", 1, kinds=["signature"]), "signature on mobile-device stands twice"),
        (
            {
                **parsed("law/holds.toml"),
                "release": [
                    {**parsed("law/holds.toml")["release"][0], "kinds": ["authentication"]},
                    {**parsed("law/holds.toml")["release"][1], "kinds": ["signature"], "carriers": ["card"]},
                    *parsed("law/holds.toml")["release"][1:],
                ],
            },
            "release: on card the signing certificate would be good beside a held authentication certificate",
        ),
        (spoilt("age", 0, days=0), "age 1: days: want a number from 1 to 3650"),
        (spoilt("age", 0, effect="revoked"), "age 1: cause: want one of"),
        (spoilt("age", 1, carrier="card"), "age 2: this carrier stands twice"),
        (spoilt("age", 0, because="x"), "age 1: because: nobody knows this key"),
        (parsed("law/holds.toml") | {"desk": {"attempts": True}}, "desk: attempts: want a number from 1 to 100000"),
        (parsed("law/holds.toml") | {"desk": 3}, "desk: want a table"),
        (parsed("law/holds.toml") | {"note": "x"}, "note: nobody knows this key"),
    ],
)
def test_spoilt_rules_are_refused(content: dict[str, Any], fault: str) -> None:
    with pytest.raises(TableFaults) as faults:
        load_holds(content)
    assert any(fault in told for told in faults.value.faults), faults.value.faults
