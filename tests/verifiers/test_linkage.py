"""The linkage game: complete databases of two verifiers match residents no better than chance, and event times do."""

from __future__ import annotations

import hashlib
from math import sqrt

import pytest

from domain.certificates import Kind
from domain.handles import Recipient
from tests.support.linkage import (
    PLAYERS,
    WAYS,
    Describe,
    Game,
    Row,
    at_once,
    by_handle,
    in_days,
    join_on_times,
    make_keys,
    spread,
)

BANK, HOSPITAL, PLATFORM = Recipient(3), Recipient(4), Recipient(5)
SHOP, SCHOOL = Recipient(5, 6), Recipient(5, 7)
SIDES = [
    pytest.param((BANK, HOSPITAL), id="two-verifiers"),
    pytest.param((PLATFORM, SHOP), id="a-platform-and-a-provider-behind-it"),
    pytest.param((SHOP, SCHOOL), id="two-providers-behind-one-platform"),
    pytest.param((SHOP, BANK), id="a-provider-and-another-verifier"),
]
HELD = [
    pytest.param(by_handle(make_keys(1)), id="one-handle-each"),
    pytest.param(by_handle(make_keys(1), *Kind), id="both-handles-of-a-pair"),
    pytest.param(by_handle(make_keys(1, 2), *Kind), id="pairs-under-two-generations-of-the-key"),
]


def digest(*parts: object) -> bytes:
    return hashlib.sha256(repr(parts).encode()).digest()


def serial(_: Recipient, person: int) -> Row:
    return (digest("serial", person)[:16].hex(),)


def tail_of_serial(recipient: Recipient, person: int) -> Row:
    return (f"{recipient.party}-{digest(recipient, person).hex()[:8]}{serial(recipient, person)[0][-8:]}",)


def masked(recipient: Recipient, person: int) -> Row:
    octets = zip(digest("serial", person)[:16], digest("mask", recipient), strict=False)
    return ("".join(chr(a ^ b) for a, b in octets),)


def in_order(recipient: Recipient, person: int) -> Row:
    return (f"{person * (7 + recipient.party):020d}",)


def with_noise(recipient: Recipient, person: int) -> Row:
    few = digest("few", recipient, person)[0] & 0x11
    noise = (octet & few for octet in digest(recipient, person))
    return ("".join(chr(a ^ b) for a, b in zip(digest("serial", person), noise, strict=True)),)


def apart_alike(recipient: Recipient, person: int) -> Row:
    one = digest(recipient, person)[:16]
    other = (a ^ b for a, b in zip(one, digest("serial", person), strict=False))
    return one.decode("latin-1"), "".join(map(chr, other))


WEAK: dict[str, Describe] = {
    "same-text": serial,
    "same-part": tail_of_serial,
    "same-rank": in_order,
    "same-mask": masked,
    "nearest": with_noise,
    "same-difference": apart_alike,
}
"""For each player a scheme that it breaks."""


@pytest.mark.parametrize("player", PLAYERS)
def test_each_player_breaks_a_scheme_that_is_weak(player: str) -> None:
    game = Game.of(WEAK[player], (BANK, HOSPITAL), common=150, own=0, known=50)
    assert game.play(PLAYERS[player]) > 90


@pytest.mark.parametrize("player", PLAYERS)
@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize("recipients", SIDES)
def test_handles_are_matched_no_better_than_by_chance(
    player: str, held: Describe, recipients: tuple[Recipient, Recipient]
) -> None:
    game = Game.of(held, recipients, common=200, own=60, known=60)
    assert game.play(PLAYERS[player]) <= game.chance + 6 * sqrt(game.chance)


def test_the_same_recipient_s_own_databases_are_matched_as_they_should() -> None:
    game = Game.of(by_handle(make_keys(1)), (BANK, BANK), common=100, own=20, known=0)
    assert game.play(PLAYERS["same-text"]) == 100


def test_event_times_join_what_handles_keep_apart_and_the_spread_of_news_blunts_that() -> None:
    """What docs/handles.md says of event times, in a smaller game."""
    rates = {}
    for name, (told, tolerance) in WAYS.items():
        rows = join_on_times(told, tolerance, customers=4000, rate=0.25, years=4)
        rates[name] = {row.events: row.matched / row.residents for row in rows if row.events <= 2}
    exact, by_day, by_spread = rates.values()
    assert exact == {1: 1.0, 2: 1.0}
    assert by_day[1] > 0.3
    assert by_spread[1] < 0.06
    assert by_spread[2] < 0.8 < by_day[2]


def test_one_event_is_matched_as_rarely_as_the_days_allow() -> None:
    """In a month 1,000 residents have one: the player has hundreds to choose from, and one of them is right."""
    rows = join_on_times(spread, 27.0, customers=12_000, rate=1.0, years=1 / 12, seed=3)
    (once,) = [row for row in rows if row.events == 1]
    assert once.residents > 800
    assert once.matched / once.residents < 0.02
    (exact,) = join_on_times(at_once, 0.0, customers=12_000, rate=1.0, years=1 / 12, seed=3)
    assert exact.matched == exact.residents
    (daily,) = join_on_times(in_days, 0.0, customers=12_000, rate=1.0, years=1 / 12, seed=3)
    assert once.matched < daily.matched < exact.matched
