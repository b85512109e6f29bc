"""Refusals: closed codes, distinct words, and room for facts that machines may read."""

from __future__ import annotations

import re

import pytest

from domain.errors import Code, Refusal


@pytest.mark.parametrize("code", Code)
def test_every_code_is_a_word_for_urls_and_logs(code: Code) -> None:
    assert re.fullmatch("[a-z]+(-[a-z]+)*", code.value)
    assert code.name == code.value.upper().replace("-", "_")


def test_codes_are_distinct() -> None:
    assert len({code.value for code in Code}) == len(Code)


def test_a_refusal_says_its_code_and_its_detail() -> None:
    refusal = Refusal(Code.BAD_KEY, "make a longer key")
    assert str(refusal) == "bad-key: make a longer key"
    assert (refusal.code, refusal.detail, refusal.pointer, refusal.facts) == (
        Code.BAD_KEY,
        "make a longer key",
        None,
        {},
    )


def test_refusals_do_not_share_their_facts() -> None:
    first, second = (Refusal(Code.LINT, "see") for _ in range(2))
    first.facts["count"] = 1
    assert second.facts == {}


def test_pointer_and_facts_are_kept() -> None:
    refusal = Refusal(Code.MALFORMED, "see", pointer="/card/id", facts={"count": 2})
    assert (refusal.pointer, refusal.facts) == ("/card/id", {"count": 2})
