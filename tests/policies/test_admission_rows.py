"""The table of admission as a document: what may stand in it, and what no officers can have it say."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.law import shipped_texts
from config.rules import load_admission as shipped
from domain.errors import Code
from policies.admission_rows import FLOOR, STATUS, load_admission
from policies.circumstances import FACTS
from policies.regions import cut, deal
from policies.tables import TableFaults

PURPOSES = ("contract", "log-in")
TEXT = shipped_texts()["admission"]
Change = Callable[[dict[str, Any]], object]


def document() -> dict[str, Any]:
    return tomllib.loads(TEXT)


def row(content: dict[str, Any], id_: str) -> dict[str, Any]:
    return next(row for row in [*content["admission"], *content["operator"]] if row["rule"] == id_)


def drop(content: dict[str, Any], *ids: str) -> None:
    content["admission"] = [row for row in content["admission"] if row["rule"] not in ids]


def faults_of(content: dict[str, Any]) -> str:
    with pytest.raises(TableFaults) as found:
        load_admission(content, PURPOSES)
    return "; ".join(found.value.faults)


BAD: list[tuple[str, Change, str]] = [
    ("a word that no fact may be", lambda c: row(c, "caller-unknown")["when"][0].update(caller=["nobody"]),
     "admission 2, when 1: caller: want a list of unknown, municipality"),
    ("a fact that there is not", lambda c: row(c, "caller-unknown")["when"][0].update(weather=["fine"]),
     "admission 2, when 1: weather: nobody knows this key"),
    ("an empty list of words", lambda c: row(c, "caller-unknown")["when"][0].update(caller=[]), "caller: want a list"),
    ("no conditions in when", lambda c: row(c, "caller-unknown").update(when=[]), "when: want a list of tables"),
    ("a purpose that nobody may declare", lambda c: row(c, "way-not-given")["when"][0].update(declared=["gossip"]),
     "declared: want a list of none, other, contract, log-in"),
    ("an outcome that is none", lambda c: row(c, "caller-unknown").update(outcome="ignored"),
     "outcome: want one of admitted, unknown-caller, not-admitted"),
    ("no source", lambda c: row(c, "caller-unknown").pop("source"), "source: want a text"),
    ("no word whether it was verified", lambda c: row(c, "caller-unknown").pop("verified"), "verified: want true"),
    ("an id that no record has room for", lambda c: row(c, "caller-unknown").update(rule="x" * 36), "want a rule of 3"),
    ("an id that stands twice", lambda c: row(c, "caller-unknown").update(rule="not-a-verifier"), "stands twice"),
    ("a column that is misspelt", lambda c: row(c, "caller-unknown").update(sorce="x"), "sorce: nobody knows this key"),
    ("a table that is misspelt", lambda c: c.update(admision=[]), "admision: nobody knows this key"),
    ("no rows for operators", lambda c: c.pop("operator"), "operator: want a list of tables"),
    ("no last row", lambda c: drop(c, "notified-verifier"), "there are cases that no row decides"),
    ("a row that is never reached", lambda c: row(c, "not-in-force").pop("when"),
     "signature-not-approved decides nothing"),
    ("more rows than anybody reads", lambda c: c.update(admission=c["admission"] * 7), "stands twice"),
    ("strangers let in", lambda c: drop(c, "caller-unknown"),
     "notified-verifier would admit, and no table may: "),
    ("municipalities let in", lambda c: drop(c, "not-a-verifier"), "caller desk, caller municipality"),
    ("the suspended let in", lambda c: drop(c, "not-in-force"), "registration not-in-force"),
    ("the unapproved let in", lambda c: drop(c, "signature-not-approved"), "approval none, approval withdrawn"),
    ("those let in who have not notified", lambda c: drop(c, "not-notified"), "approval not-notified"),
    ("the unapproved let in for one purpose",
     lambda c: c["admission"].insert(1, {**row(c, "notified-verifier"), "rule": "friends",
                                          "when": [{"declared": ["log-in"]}]}), "friends would admit"),
    ("purposes let pass that were not approved", lambda c: drop(c, "purpose-not-approved"), "purpose not-approved"),
    ("a bound credential let loose", lambda c: drop(c, "purpose-not-of-credential"), "credential another-purpose"),
    ("providers let pass that there are not", lambda c: drop(c, "provider-unknown"), "provider unknown"),
    ("operators of another kind let in", lambda c: c.update(operator=[r for r in c["operator"]
                                                                       if r["rule"] != "kind-not-registered"]),
     "operator: registered-operator would admit, and no table may: registered-for another-kind"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "told"), [pytest.param(*case[1:], id=case[0]) for case in BAD])
def test_a_table_that_nobody_could_mean_is_refused_in_clear_words(change: Change, told: str) -> None:
    content = document()
    change(content)
    assert told in faults_of(content)


def test_all_faults_are_told_at_once() -> None:
    content = document()
    row(content, "caller-unknown").update(outcome="ignored", source="")
    assert faults_of(content).count("admission 2: ") == 2


ALLOWED: list[tuple[str, Change]] = [
    ("status is open to nobody, whatever the setting", lambda c: drop(c, "open-to-all")),
    ("lists are open alone", lambda c: row(c, "open-to-all")["when"][0].update(channel=["crl"])),
    ("a way less for courts", lambda c: row(c, "way-not-given")["when"].append(
        {"standing": ["court"], "channel": ["handle", "notice"]})),
    ("a purpose less by filters", lambda c: row(c, "way-not-given")["when"].append(
        {"channel": ["filter"], "declared": ["log-in"]})),
    ("providers ask themselves", lambda c: drop(c, "asks-through-another")),
]  # fmt: skip


@pytest.mark.parametrize("change", [pytest.param(case[1], id=case[0]) for case in ALLOWED])
def test_what_officers_may_change(change: Change) -> None:
    content = document()
    change(content)
    rules = load_admission(content, PURPOSES)
    assert rules.status.rows[-1].id == "notified-verifier"


def test_what_no_table_may_admit_names_facts_that_there_are() -> None:
    for floor in FLOOR.values():
        assert all(words < set(FACTS[fact]) for fact, words in floor.items())


def test_every_row_has_a_source_and_says_whether_it_was_seen() -> None:
    rows = [*shipped().status.rows, *shipped().operators.rows]
    assert len(rows) == 22
    assert all(row.source and row.detail and row.title_ja for row in rows)
    assert all(row.refusal in (None, Code.UNKNOWN_CALLER, Code.NOT_ADMITTED) for row in rows)
    assert {row.verified for row in rows} == {True, False}


def test_a_tangle_of_conditions_is_refused() -> None:
    chance, content = Random(1), document()
    wide = {fact: words for fact, words in FACTS.items() if len(words) > 2}
    tangle = [
        {fact: chance.sample(wide[fact], len(wide[fact]) // 2 + 1) for fact in chance.sample(sorted(wide), 4)}
        for _ in range(60)
    ]
    content[STATUS].insert(0, {**row(content, "caller-unknown"), "rule": "tangle", "when": tangle})
    assert "too tangled" in faults_of(content)


SMALL = {"one": frozenset("ab"), "two": frozenset("cde"), "three": frozenset("fg")}
CONDITION = st.fixed_dictionaries(
    {}, optional={fact: st.frozensets(st.sampled_from(sorted(words)), min_size=1) for fact, words in SMALL.items()}
)


@given(st.lists(st.lists(CONDITION, min_size=1, max_size=3), max_size=5))
def test_each_case_is_dealt_to_the_first_row_that_holds(rows: list[list[dict[str, frozenset[str]]]]) -> None:
    dealt, left = deal(SMALL, rows)
    for case in [{"one": a, "two": b, "three": c} for a in "ab" for b in "cde" for c in "fg"]:
        first = next(
            (n for n, row in enumerate(rows) if any(all(case[f] in w for f, w in one.items()) for one in row)), None
        )
        found = [n for n, regions in enumerate([*dealt, left]) for region in regions
                 if all(case[fact] in words for fact, words in region.items())]  # fmt: skip
        assert found == [len(rows) if first is None else first]


def test_what_lies_outside_a_condition_stays_whole() -> None:
    assert cut(SMALL, {"one": frozenset("z")}) == (None, [SMALL])
    part, rest = cut(SMALL, {"one": frozenset("a"), "two": frozenset("cd")})
    assert part == {**SMALL, "one": frozenset("a"), "two": frozenset("cd")}
    assert rest == [{**SMALL, "one": frozenset("b")}, {**SMALL, "one": frozenset("a"), "two": frozenset("e")}]
