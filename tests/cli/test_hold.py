"""`jpki hold` and `jpki holds`: by code or by items, and not a word about the holder."""

from __future__ import annotations

import json
import unicodedata
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.terminal import HOLDER, Said, Terminal, issue_pair

CODE = HOLDER["resident_code"]
ITEMS = {item: HOLDER[item] for item in ("name", "address", "birth_date", "sex")}
DAY = timedelta(days=1)


@pytest.fixture
def holder(terminal: Terminal, tmp_path: Path) -> Terminal:
    """A terminal where the holder's pair was issued."""
    issue_pair(terminal, tmp_path / "pair")
    return terminal


def place(terminal: Terminal, *more: str, typed: str = f"{CODE}\n", by: str = "--resident") -> Said:
    said = terminal("hold", "place", by, "-", *more, typed=typed)
    assert not any(value in said.out + said.err for value in (CODE, *list(ITEMS.values())[:3]))
    return said


def by_items(terminal: Terminal, *more: str, **changes: str) -> Said:
    return place(terminal, *more, typed=json.dumps(ITEMS | changes), by="--items")


HELD = [
    f"  {kind} on card: held (certificate-hold since 2027-04-01T00:00:00Z)" for kind in ("signature", "authentication")
]


def test_a_hold_by_code_tells_each_certificate(holder: Terminal) -> None:
    assert place(holder, "--dry-run").out.splitlines() == HELD
    first, *effects = place(holder).out.splitlines()
    assert first.startswith("receipt ")
    assert first.endswith("received 2027-04-01T00:00:00Z, committed 2027-04-01T00:00:00Z")
    assert effects == HELD


def test_a_hold_by_the_items_however_they_are_spoken(holder: Terminal) -> None:
    half_width = unicodedata.normalize("NFKC", ITEMS["address"])
    assert half_width != ITEMS["address"]
    said = by_items(holder, name=ITEMS["name"].replace("　", " "), address=half_width)
    assert (said.code, said.out.splitlines()[1:]) == (0, HELD)


def test_the_items_may_lie_in_a_file(holder: Terminal, tmp_path: Path) -> None:
    (tmp_path / "items.json").write_text(json.dumps(ITEMS))
    assert holder.do("hold", "place", "--items", tmp_path / "items.json").out.splitlines()[1:] == HELD


def test_the_same_key_gives_the_same_receipt(holder: Terminal) -> None:
    first = place(holder, "--key", "loss-1")
    holder.clock.forward(DAY)
    assert place(holder, "--key", "loss-1").out == first.out
    said = place(holder)
    assert (said.code, said.err.startswith("refused (already-applied): ")) == (1, True)


def test_nobody_is_told_from_somebody_else(holder: Terminal) -> None:
    said = by_items(holder, name="榎戸　冬子")
    assert said.code == 1
    assert said.err.startswith("refused (unknown-resident): these items lead to nobody")


@pytest.mark.parametrize("words", [(), ("--resident", CODE, "--items", "-")], ids=["nobody", "twice"])
def test_a_resident_is_named_in_one_way(terminal: Terminal, words: tuple[str, ...]) -> None:
    said = terminal("hold", "place", *words, typed=json.dumps(ITEMS))
    assert (said.code, "name the resident by --resident or by --items" in said.err) == (2, True)


def test_items_that_cannot_be_read_are_refused_in_words(terminal: Terminal) -> None:
    said = terminal("hold", "place", "--items", "-", typed='{"name": "霧島　透子"}')
    assert (said.code, said.err) == (1, "refused (malformed): /address is missing\n")


def test_a_card_is_not_released(holder: Terminal) -> None:
    place(holder)
    said = holder("hold", "release", "--resident", "-", "--carrier", "card", typed=f"{CODE}\n")
    assert (said.code, said.err.startswith("refused (not-releasable): a hold on a card is never lifted")) == (1, True)
    said = holder("hold", "release", "--resident", "-", "--carrier", "mobile-device", typed=f"{CODE}\n")
    assert (said.code, said.err.startswith("refused (not-held): ")) == (1, True)


def test_holds_are_listed_by_age_and_reported_by_the_publisher(holder: Terminal) -> None:
    assert holder.do("holds").rows == []
    place(holder)
    holder.clock.forward(31 * DAY)
    rows = holder.do("holds").rows
    assert [(row["certificate"], row["carrier"], row["days"], row["reported"]) for row in rows] == [
        ("authentication", "card", "31", ""),
        ("signature", "card", "31", ""),
    ]
    assert {row["held since"] for row in rows} == {"2027-04-01T00:00:00Z"}
    assert holder.do("holds", "--older-than", "32").rows == []
    assert len(holder.do("holds", "--older-than", "31").rows) == 0
    assert len(holder.do("holds", "--older-than", "30").rows) == 2
    text = holder.do("holds").out
    assert not any(value in text for value in (CODE, *list(ITEMS.values())[:3]))


def test_a_desk_is_a_party_of_its_own(terminal: Terminal) -> None:
    said = terminal.do("parties", "add", "desk", "call-centre")
    assert said.out.startswith("call-centre may now call the API as desk; its credential: ")
    assert [(row["role"], row["name"]) for row in terminal.do("parties", "list").rows if row["role"] == "desk"] == [
        ("desk", "call-centre")
    ]
