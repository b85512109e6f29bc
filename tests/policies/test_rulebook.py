"""Every rule has an id, a source and tests; what was decided is decided again under other rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from config.law import read_law, shipped_texts
from domain.certificates import Carrier
from domain.errors import Code, Refusal
from domain.events import Act
from domain.standings import Standing
from policies.detection import NAMES, Measures
from policies.replay import Difference, Recorded, replay
from policies.rulebook import LawTables, rules_behind, rules_of
from tests.support.documents import read
from tests.support.rule_page import PAGE, functions, judges_of, lines, render, rulebook

NOW = datetime(2027, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)
LAW = read_law(shipped_texts())


def changed(table: str, before: str, after: str) -> LawTables:
    text = shipped_texts()[table]
    assert before in text
    return read_law({**shipped_texts(), table: text.replace(before, after)})


def recorded(act: Act, facts: dict[str, object], carrier: Carrier | None = Carrier.CARD, days: int = 0) -> Recorded:
    return Recorded(act, NOW + days * DAY, "operator:a", {"application": 1, "kind": "signature", **facts}, carrier)


def test_rules_have_ids_and_sources() -> None:
    rules = rulebook()
    assert len({rule.id for rule in rules}) == len(rules) > 60
    for rule in rules:
        assert all((rule.table, rule.word, rule.when, rule.then, rule.source)), rule.id
    assert {rule.table for rule in rules} == {
        "admission",
        "operator",
        "correspondence",
        "revocation",
        "event",
        "hold",
        "issuance",
        "retention",
        "standing",
        "criterion",
        "purpose",
        "detection",
        "restraint",
        "notation",
        "code",
    }


def test_every_rule_has_tests_that_are_there() -> None:
    for rule in rulebook():
        assert judges_of(rule), f"{rule.id} has no line in tests/rules.toml"
    for tests in lines().values():
        for test in tests:
            module, _, function = test.partition("::")
            assert function in functions(module), test


def test_no_line_is_about_a_rule_that_is_gone() -> None:
    ids = {rule.id for rule in rulebook()} | {f"{rule.table}/*" for rule in rulebook()}
    assert set(lines()) <= ids


def test_the_page_of_rules_is_that_of_the_tables() -> None:
    assert read(PAGE) == render()


@pytest.mark.parametrize(
    ("act", "facts", "rules"),
    [
        pytest.param(Act.REVOKED, {"cause": "card-lost"}, ("revocation/card-lost",), id="a-revocation-by-its-cause"),
        pytest.param(Act.RESIDENT_CHANGED, {"event": "death"}, ("event/death",), id="a-change-by-its-event"),
        pytest.param(Act.ERASED, {"records": "revocations"}, ("retention/revocations",), id="an-erasure"),
        pytest.param(
            Act.RELEASED,
            {"kind": "authentication", "carrier": "mobile-device"},
            ("hold/release-authentication-mobile-device",),
            id="a-release",
        ),
        pytest.param(Act.HOLD_AGED, {"carrier": "card"}, ("hold/age-card",), id="a-hold-that-grew-old"),
        pytest.param(
            Act.HOLD_AGED,
            {},
            ("hold/age-card", "hold/age-mobile-device"),
            id="a-hold-whose-record-is-older-than-the-fact",
        ),
        *(
            pytest.param(Act.RESERVED, facts, (f"issuance/{rule}", "code/validity", "code/key"), id=id_)
            for facts, rule, id_ in (
                ({"issuance": "addition", "predecessor": 7, "pending": False}, "addition", "a-re-issue"),
                ({"predecessor": 7, "pending": False}, "first-issue", "an-older-record-of-what-did-not-wait"),
                ({"predecessor": 7, "pending": True}, "replacement", "an-older-record-of-what-waited"),
            )
        ),
        pytest.param(Act.CRL_SIGNED, {}, (), id="what-no-rule-decides"),
    ],
)
def test_the_rule_behind_a_record(act: Act, facts: dict[str, object], rules: tuple[str, ...]) -> None:
    assert rules_behind(act, facts) == rules


def test_rules_behind_records_are_in_the_rulebook() -> None:
    ids = {rule.id for rule in rules_of(LAW)}
    facts = {"kind": "authentication", "cause": "renewal", "event": "removal", "records": "certificates"}
    named = [id_ for act in Act for id_ in rules_behind(act, facts)]
    assert len(named) > 10
    assert set(named) <= ids


def test_nothing_differs_under_the_same_rules() -> None:
    rows = [recorded(Act.REVOKED, {"cause": "card-lost"}), recorded(Act.RESIDENT_CHANGED, {"event": "death"})]
    done = replay(LAW, LAW, rows, NOW)
    assert (done.decisions, done.differences) == (2, ())


def test_what_another_cause_would_have_done_is_counted() -> None:
    row = 'event = "move-within"\ntitle_ja = "転居"\n'
    others = changed("events", row + 'cause = "resident-event"\n', row)
    rows = [recorded(Act.RESIDENT_CHANGED, {"event": "move-within"})] * 3
    rows.append(recorded(Act.RESIDENT_CHANGED, {"event": "death"}))
    done = replay(LAW, others, rows, NOW)
    (difference,) = done.differences
    assert (difference.rule, difference.count, done.decisions) == ("event/move-within", 3, 4)
    assert difference.before.startswith("signature on card: revoked affiliation-changed")
    assert difference.after == "certificates stay; record present"


def test_who_would_not_have_been_heard_is_told() -> None:
    rule = next(iter(LAW.causes))
    others = replace(LAW, causes={**LAW.causes, rule: replace(LAW.causes[rule], by=frozenset({"municipality"}))})
    done = replay(LAW, others, [recorded(Act.REVOKED, {"cause": rule.value})], NOW)
    assert [each.after.endswith(", not by operator") for each in done.differences] == [True]


def test_holds_are_judged_by_how_long_they_stood() -> None:
    others = changed("holds", "days = 30", "days = 7")
    rows = [
        recorded(Act.HELD, {"cause": "temporary-stop"}),
        recorded(Act.REVOKED, {"cause": "card-lost"}, days=10),
        recorded(Act.HELD, {"cause": "temporary-stop", "application": 2}, days=10),
    ]
    done = replay(LAW, others, rows, NOW + 12 * DAY)
    assert done.differences == (Difference("hold/age-card", "nothing yet", "reported", 1),)


@pytest.mark.parametrize(
    ("standing", "kinds", "years", "shown", "purposes"),
    [
        ("administrative-body", 2, 10, 1, 5),
        ("court", 2, 10, 1, 2),
        ("certified-ca", 2, 3, 2, 2),
        ("accredited-private", 2, 3, 6, 5),
        ("group-verifier", 1, 10, 1, 1),
        ("confirmer", 1, 10, 1, 1),
        ("platform-operator", 2, 3, 6, 5),
        ("service-provider", 2, 3, 3, 5),
    ],
)
def test_what_each_standing_needs_and_may(standing: str, kinds: int, years: int, shown: int, purposes: int) -> None:
    which, rules = Standing(standing), LAW.verifiers
    row = rules.standings[which]
    assert (len(row.kinds), row.years, len(rules.wanted(which))) == (kinds, years, shown)
    assert sum(len(rules.purposes_of(which, kind)) for kind in row.kinds) == purposes


def test_approvals_are_judged_by_what_may_be_approved() -> None:
    facts: dict[str, object] = {
        "standing": "court",
        "purposes": {"signature": ["filing"]},
        "until": (NOW + 3000 * DAY).isoformat(),
    }
    rows = [recorded(Act.VERIFIER_APPROVED, facts)]
    assert replay(LAW, LAW, rows, NOW).differences == ()
    shorter = replace(LAW.verifiers.standings[Standing.COURT], years=3)
    standings = {**LAW.verifiers.standings, Standing.COURT: shorter}
    others = replace(LAW, verifiers=replace(LAW.verifiers, standings=standings))
    (difference,) = replay(LAW, others, rows, NOW).differences
    assert difference.after == "too long; shows listed-body"
    without = replace(LAW, verifiers=replace(LAW.verifiers, purposes={}))
    (difference,) = replay(LAW, without, rows, NOW).differences
    assert difference.after == "refused; shows listed-body"


def test_days_of_verifiers_are_judged_again() -> None:
    text = shipped_texts()["detection"]
    others = read_law({**shipped_texts(), "detection": text.replace("bare = 0.5\n", "bare = 0.9\n", 1)})
    quiet = dict.fromkeys(NAMES, 0.0)
    days = [Measures(**quiet | {"requests": 150.0, "bare": bare}) for bare in (0.6, 0.95, 0.1)]
    done = replay(LAW, others, (), NOW, days)
    assert (done.decisions, done.differences) == (3, (Difference("detection/bare-questions", "note", "nothing", 1),))


def test_what_would_still_be_kept_is_told() -> None:
    others = changed("retention", "years = 10", "years = 12")
    ended = (NOW - 4018 * DAY).isoformat()
    rows = [recorded(Act.ERASED, {"records": "certificates", "expired_at": ended})]
    done = replay(LAW, others, rows, NOW)
    assert done.differences == (Difference("retention/certificates", "erased", "kept", 1),)


def test_a_table_with_faults_is_refused_with_all_of_them() -> None:
    with pytest.raises(Refusal) as refused:
        read_law({**shipped_texts(), "holds": "[[age]]\ncarrier = 'card'\n"})
    assert refused.value.code is Code.MALFORMED
    assert "release" in refused.value.detail
    with pytest.raises(Refusal, match="no TOML"):
        read_law({**shipped_texts(), "holds": "]"})
