"""Rulings: a table of admission at work, in which the first row that holds decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.errors import Code, Refusal
from policies.admission import Admitted, Inquiry
from policies.circumstances import FACTS, Circumstances, circumstances_of

Condition = Mapping[str, frozenset[str]]
"""Fact → the words that it must be one of; nothing must hold for it to be empty."""

_MOST_KEPT = 10_000
_PLACES = {fact: place for place, fact in enumerate(FACTS)}


@dataclass(frozen=True, slots=True)
class AdmissionRule:
    """One row. It holds where one of the conditions in `when` does; `refusal` is the outcome, None means admitted.
    `verified` is false where the text in force was not seen to say so, or where it is this project's reading."""

    id: str
    when: Sequence[Condition]
    refusal: Code | None
    detail: str
    title_ja: str
    source: str
    verified: bool

    def holds(self, found: Circumstances) -> bool:
        return any(all(found[_PLACES[fact]] in words for fact, words in one.items()) for one in self.when)


class AdmissionTable:
    """Rows in order; the last one always holds. Threads may share it.

    What was decided is kept by its circumstances, of which there are few: so many rows cost as much as one.
    """

    def __init__(self, rows: Sequence[AdmissionRule]) -> None:
        self.rows = tuple(rows)
        conditions = (condition for row in rows for condition in row.when)
        words = frozenset[str]().union(*(condition.get("declared", ()) for condition in conditions))
        self.purposes = words - set(FACTS["declared"])
        self._decided: dict[Circumstances, AdmissionRule] = {}

    def decide(self, inquiry: Inquiry) -> AdmissionRule:
        """The row that decides."""
        found = circumstances_of(inquiry, self.purposes)
        row = self._decided.get(found)
        if row is None:
            row = next(row for row in self.rows if row.holds(found))
            if len(self._decided) < _MOST_KEPT:
                self._decided[found] = row
        return row

    def admit(self, inquiry: Inquiry) -> Admitted:
        """Who is admitted, and what for. Raises Refusal(UNKNOWN_CALLER) or Refusal(NOT_ADMITTED); `facts` name the
        deciding row and where it is written."""
        row = self.decide(inquiry)
        if row.refusal is not None:
            facts = {"rule": row.id, "source": row.source, "verified": row.verified}
            raise Refusal(row.refusal, row.detail, facts=facts)
        return Admitted(inquiry.party, inquiry.provider, inquiry.meant or "")


@dataclass(frozen=True, slots=True)
class AdmissionRules:
    """Who may be given status, and who may have signatures validated without being approved. `purposes` are all that
    may be declared."""

    status: AdmissionTable
    operators: AdmissionTable
    purposes: frozenset[str]
