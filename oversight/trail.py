"""The audit trail as it was told: events read back, and gathered by what they are about."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from audit.chain import body_of
from domain.events import Act, AuditEvent, AuditRow
from oversight.findings import certificate_name, list_name, notice_name, segment_name


@dataclass(frozen=True, slots=True)
class Told:
    """One audit event, read back from its row."""

    sequence: int
    act: Act
    actor: str
    at: datetime
    facts: Mapping[str, object]

    @property
    def subject(self) -> str | None:
        """The name of the certificate, list, notice or segment that the event is about; None for events about none."""
        match self.facts:
            case {"application": int(application), "kind": str(kind)}:
                return certificate_name(application, kind)
            case {"list": str(scope), "number": int(number)}:
                return list_name(scope, number)
            case {"sender": str(sender), "notice": str(notice_id)}:
                return notice_name(sender, notice_id)
            case {"segment": str(name)}:
                return segment_name(name)
        return None


def expanded(told: Told) -> Iterator[Told]:
    """The events, each about one certificate or resident, that a row about many of them stands for; else the event.
    Raises ValueError for a row that does not say which."""
    alone = _ALONE.get(told.act)
    if alone is None:
        yield told
        return
    facts = dict(told.facts)
    certificates, residents = facts.pop("certificates", []), facts.pop("residents", [])
    if not isinstance(certificates, list) or not isinstance(residents, list):
        raise ValueError("the event does not name what it is about")  # noqa: TRY004
    for named in certificates:
        match named:
            case [int(application), str(kind)]:
                yield replace(told, act=alone, facts={**facts, "application": application, "kind": kind})
            case _:
                raise ValueError("the event names something that is no certificate")
    for named in residents:
        match named:
            case [int(sequence), int(resident)]:
                about = {"notice": str(sequence), "sequence": sequence, "resident": resident}
                yield replace(told, act=alone, facts={**facts, **about})
            case _:
                raise ValueError("the event names somebody who is no resident")


_ALONE = {
    Act.CERTIFICATES_HELD: Act.HELD,
    Act.CERTIFICATES_REVOKED: Act.REVOKED,
    Act.RESIDENTS_CHANGED: Act.RESIDENT_CHANGED,
}


def read_row(row: AuditRow) -> Told:
    """The event in a row. Raises ValueError for a body that no `audit.chain.body_of` wrote."""
    match json.loads(row.body):
        case {"act": str(act), "actor": str(actor), "at": str(at), "facts": dict(facts)}:
            return Told(row.sequence, Act(act), actor, datetime.fromisoformat(at), facts)
    raise ValueError("the body is not that of an event")


def _kept(row: AuditRow) -> Iterator[tuple[str, int, str]]:
    """(subject, sequence, body) of each event in the row that has a subject."""
    told = read_row(row)
    for event in expanded(told):
        if (subject := event.subject) is not None:
            body = row.body if event is told else body_of(AuditEvent(event.act, event.actor, event.at, event.facts))
            yield subject, row.sequence, body


class Trail:
    """The events about certificates, lists, notices and segments, by subject.

    They lie in a temporary file that only this process can open and that vanishes with it, so that memory does not
    grow with the trail. Audit rows hold no protected data, so neither does the file.
    """

    def __init__(self) -> None:
        self.unreadable: list[int] = []
        self._file = sqlite3.connect("")
        self._file.execute(
            "CREATE TABLE told (subject TEXT, sequence INTEGER, body TEXT, "
            "PRIMARY KEY (subject, sequence)) WITHOUT ROWID"
        )

    def gather(self, rows: Iterable[AuditRow]) -> Iterator[AuditRow]:
        """The rows as they come; each is kept on the way. Sequences of unreadable ones go to `unreadable`."""
        for row in rows:
            try:
                self._file.executemany("INSERT OR IGNORE INTO told VALUES (?, ?, ?)", list(_kept(row)))
            except ValueError:
                self.unreadable.append(row.sequence)
            yield row

    def take(self, subject: str) -> list[Told]:
        """The events about `subject`, oldest first. They are gone afterwards."""
        found = self._file.execute(
            "SELECT sequence, body FROM told WHERE subject = ? ORDER BY sequence", (subject,)
        ).fetchall()
        self._file.execute("DELETE FROM told WHERE subject = ?", (subject,))
        return [read_row(AuditRow(sequence, body, b"")) for sequence, body in found]

    def last(self, subject: str) -> Told | None:
        """The last event about `subject`, if nobody took them; it stays."""
        query = "SELECT sequence, body FROM told WHERE subject = ? ORDER BY sequence DESC LIMIT 1"
        row = self._file.execute(query, (subject,)).fetchone()
        return read_row(AuditRow(row[0], row[1], b"")) if row else None

    def left(self) -> Iterator[tuple[str, Told]]:
        """The subjects that nobody took, each with the last event about it."""
        # SQLite takes the other columns from the row with the maximum.
        newest = "SELECT subject, max(sequence), body FROM told GROUP BY subject ORDER BY subject"
        for subject, sequence, body in self._file.execute(newest):
            yield subject, read_row(AuditRow(sequence, body, b""))

    def close(self) -> None:
        self._file.close()
