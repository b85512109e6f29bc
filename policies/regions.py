"""Regions: sets of circumstances cut up by conditions, to see what each row of a decision table is left to decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Region = Mapping[str, frozenset[str]]
"""Everything in which each fact is one of these words."""

MOST = 2000
"""Regions that a table may be cut into; one with more is too tangled for people, too."""


def cut(region: Region, condition: Region) -> tuple[Region | None, list[Region]]:
    """The part of a region in which the condition holds, and the rest in pieces that have nothing in common."""
    within = {fact: region[fact] & words for fact, words in condition.items()}
    if not all(within.values()):
        return None, [region]
    rest: list[Region] = []
    before = dict(region)
    for fact, words in within.items():
        if outside := region[fact] - words:
            rest.append({**before, fact: outside})
        before[fact] = words
    return before, rest


def deal(whole: Region, rows: Iterable[Sequence[Region]]) -> tuple[list[list[Region]], list[Region]]:
    """For each row, of which one condition must hold, what it is the first to decide about; and what no row does.

    Raises ValueError for more than `MOST` regions.
    """
    left, dealt = [whole], []
    for conditions in rows:
        taken: list[Region] = []
        for condition in conditions:
            after: list[Region] = []
            for region in left:
                part, rest = cut(region, condition)
                after += rest
                taken += [part] if part is not None else []
            left = after
            if len(left) + len(taken) > MOST:
                raise ValueError("too many regions")
        dealt.append(taken)
    return dealt, left
