"""Loading of resident records from a file: all of it is checked, then all of it is written in one transaction."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import BinaryIO, Literal

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.parties import Party, Role
from domain.people import Resident, ResidentState
from domain.ports import UnitOfWork
from policies.validity import day_in_japan
from residents.fields import Fault, FieldFaults
from residents.parts import Intake
from residents.records import COLUMNS, ResidentRecord, read_record
from residents.rows import Format, read_rows

FAULTS_TOLD = 100
_BATCH = 1000  # rows that are compared and written together; `find_many` takes no more

_Outcome = Literal["new", "replaced", "unchanged"]

Progress = Callable[[int, int], object]
"""Called with the octets done and the octets in all. The file is read twice, and both readings count."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What was done, by comparison with the stored copy. With faults, nothing was.

    `faults` are the first FAULTS_TOLD, in the order they were found; `more_faults` counts the others.
    """

    new: int = 0
    replaced: int = 0
    unchanged: int = 0
    faults: tuple[Fault, ...] = ()
    more_faults: int = 0


def load_residents(
    intake: Intake, actor: Party, file: BinaryIO, form: Format, on_progress: Progress = lambda *_: None
) -> LoadReport:
    """Take the records of `file` (`docs/formats.md`) into the stored copy of the register: all or none.

    A record that is stored already changes nothing. A record that changes a stored one is refused while the resident
    holds a live signing certificate, and so is one of a resident whose record has ended: those are changes in the
    register, which only a notice may bring, because it revokes what must be revoked.

    Memory grows by some hundred octets a row, for finding codes that appear twice; everything else is bounded.
    Raises Refusal: NOT_ADMITTED for anyone but an operator or the register, MALFORMED for a file that cannot be read
    twice or changes meanwhile.
    """
    if actor.role not in (Role.OPERATOR, Role.REGISTER):
        raise Refusal(Code.NOT_ADMITTED, "only an operator or the register may load resident records")
    if not file.seekable():
        raise Refusal(Code.MALFORMED, "the records must be in a file that can be read twice; save the stream first")
    now = intake.clock()
    size = file.seek(0, os.SEEK_END)
    with intake.begin(write=False) as work:
        rehearsal = _Reading(intake, work, now, write=False)
        rehearsal.read(file, form, lambda done: on_progress(done, 2 * size))
    if rehearsal.report.faults:
        return rehearsal.report
    with intake.begin() as work:
        reading = _Reading(intake, work, now, write=True)
        reading.read(file, form, lambda done: on_progress(size + done, 2 * size))
        report = reading.report
        if reading.file_digest != rehearsal.file_digest:
            raise Refusal(Code.MALFORMED, "the file changed while it was read; load it again")
        if report.faults:
            return report  # the stored copy changed between the two readings
        facts = {
            "new": report.new,
            "replaced": report.replaced,
            "unchanged": report.unchanged,
            # Keyed: the plain digest of a short file would let its codes be found by trying all of them.
            "file": intake.sealer.digest(reading.file_digest).hex(),
        }
        work.audit.append(AuditEvent(Act.RESIDENTS_LOADED, actor.label, now, facts))
        work.commit()
    return report


class _Reading:
    """One reading of a file against one unit of work, as a rehearsal or for good."""

    def __init__(self, intake: Intake, work: UnitOfWork, now: datetime, *, write: bool) -> None:
        self._intake, self._work, self._now, self._write = intake, work, now, write
        self._digest = hashlib.sha256()
        self._done = 0
        self._codes: set[bytes] = set()
        self._batch: list[tuple[int, bytes, ResidentRecord]] = []
        self._counts: Counter[_Outcome] = Counter()
        self._faults: list[Fault] = []
        self._more_faults = 0

    @property
    def file_digest(self) -> bytes:
        return self._digest.digest()

    @property
    def report(self) -> LoadReport:
        if self._faults:
            return LoadReport(faults=tuple(self._faults), more_faults=self._more_faults)
        return LoadReport(self._counts["new"], self._counts["replaced"], self._counts["unchanged"])

    def read(self, file: BinaryIO, form: Format, on_progress: Callable[[int], object]) -> None:
        file.seek(0)
        today = day_in_japan(self._now)
        line = 0
        for line, row in read_rows(file, form, COLUMNS, self._see):
            self._take(line, row, today)
            if len(self._batch) == _BATCH:
                self._settle()
                on_progress(self._done)
        if line == 0:
            self._refuse(Fault(None, "the file holds no record"))
        self._settle()
        on_progress(self._done)

    def _see(self, octets: bytes) -> None:
        self._digest.update(octets)
        self._done += len(octets)

    def _refuse(self, fault: Fault) -> None:
        if len(self._faults) < FAULTS_TOLD:
            self._faults.append(fault)
        else:
            self._more_faults += 1

    def _take(self, line: int, row: Mapping[str, object] | Fault, today: date) -> None:
        """Put the row into the batch, or its faults on the list."""
        if isinstance(row, Fault):
            return self._refuse(row)
        try:
            record = read_record(row, self._intake.municipalities, today)
        except FieldFaults as caught:
            for fault in caught.faults:
                self._refuse(replace(fault, line=line))
            return None
        index = self._intake.sealer.indexes(record.code)[0]
        if index in self._codes:
            return self._refuse(Fault("resident_code", "stands on an earlier line already", line))
        self._codes.add(index)
        return self._batch.append((line, index, record))

    def _settle(self) -> None:
        """Compare the batch with the stored copy, write what differs, and empty it."""
        stored, older = self._stored()
        rows = []
        for line, index, record in self._batch:
            outcome = self._compare(record, stored.get(index), line)
            if isinstance(outcome, Fault):
                self._refuse(outcome)
                continue
            self._counts[outcome] += 1
            if self._write and outcome != "unchanged":
                if index in older:
                    self._work.residents.rekey(stored[index].id, *self._intake.sealer.seal(record.code), self._now)
                rows.append((*self._intake.sealer.seal(record.code), record.municipality, record.attributes))
        if rows:
            self._work.residents.put_many(rows, self._now)
        self._batch.clear()

    def _stored(self) -> tuple[dict[bytes, Resident], set[bytes]]:
        """The batch's residents by index, and those of the indexes under which no row is stored yet, because it was
        made with older keys."""
        found = dict(self._work.residents.find_many([index for _, index, _ in self._batch]))
        older: set[bytes] = set()
        missing = {index: self._intake.sealer.indexes(r.code)[1:] for _, index, r in self._batch if index not in found}
        for others in zip(*missing.values(), strict=True):
            rows = self._work.residents.find_many(others)
            again = {index: rows[other] for index, other in zip(missing, others, strict=True) if other in rows}
            found |= again
            older |= again.keys()
        return found, older

    def _compare(self, record: ResidentRecord, resident: Resident | None, line: int) -> _Outcome | Fault:
        if resident is None:
            return "new"
        if resident.state is not ResidentState.PRESENT:
            return Fault(None, "the resident moved out, or the stored record has ended; send a notice instead", line)
        changed = record.attributes.differing_items(resident.attributes)
        if record.municipality != resident.municipality:
            changed = ("municipality_code", *changed)
        if not changed:
            return "unchanged"
        live = self._work.certificates.live_of(resident.id)
        if any(row.kind is Kind.SIGNATURE and not row.validity.ended(self._now) for row in live):
            problem = f"changes {', '.join(changed)} of a holder of a live signing certificate; send a notice instead"
            return Fault(None, f"the record {problem}", line)
        return "replaced"
