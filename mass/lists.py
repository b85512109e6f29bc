"""Lists of residents that come with an order: all lines are right, or none is taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import BinaryIO

from domain.errors import Code, Refusal
from domain.mass import MassRow, label_of
from domain.people import ResidentCode
from residents import fields
from residents.fields import Fault, FieldFaults, Fields
from residents.parts import Intake
from residents.rows import Format, read_rows

CODE, ADDRESS = "resident_code", "address"
FAULTS_TOLD = 20
_TOGETHER = 1000

Entry = tuple[int, ResidentCode, str | None]
"""Line, code, and the new address where the list says one."""


def read_list(intake: Intake, file: BinaryIO, form: Format, event: str, *, addresses: bool) -> list[MassRow]:
    """The residents of a list, one a line: CSV with column names or JSON Lines, with new addresses or without.

    Raises Refusal(MALFORMED) with the first FAULTS_TOLD faults by line, no value told: a line that cannot be read, a
    code that nobody has here, a resident named twice, an empty list.
    """
    columns = (CODE, ADDRESS) if addresses else (CODE,)
    faults: list[Fault] = []
    rows: list[MassRow] = []
    seen: set[int] = set()
    entries = _entries(file, form, columns, faults)
    while together := list(islice(entries, _TOGETHER)):
        rows += _found(intake, together, event, faults, seen)
    if not rows and not faults:
        faults.append(Fault(None, "the list is empty"))
    if faults:
        told = [str(fault) for fault in sorted(faults, key=lambda fault: fault.line or 0)[:FAULTS_TOLD]]
        raise Refusal(
            Code.MALFORMED,
            f"the list has {len(faults)} faults; nothing was taken from it. Mend it and preview again",
            facts={"faults": told},
        )
    return rows


def _entries(file: BinaryIO, form: Format, columns: tuple[str, ...], faults: list[Fault]) -> Iterator[Entry]:
    for line, row in read_rows(file, form, columns):
        if isinstance(row, Fault):
            faults.append(row)
            continue
        source = Fields(row, frozenset(columns))
        code = source.take(CODE, fields.resident_code)
        address = source.take(ADDRESS, fields.address) if ADDRESS in columns else None
        try:
            source.check()
        except FieldFaults as caught:
            faults += [Fault(fault.field, fault.problem, line) for fault in caught.faults]
        else:
            yield line, code, address


def _found(
    intake: Intake, entries: Sequence[Entry], event: str, faults: list[Fault], seen: set[int]
) -> Iterator[MassRow]:
    residents = _residents(intake, [code for _, code, _ in entries])
    for resident, (line, _, address) in zip(residents, entries, strict=True):
        if resident is None:
            faults.append(Fault(CODE, "is that of nobody who is known here", line))
        elif resident in seen:
            faults.append(Fault(CODE, "stands on an earlier line, too", line))
        else:
            seen.add(resident)
            position = len(seen)
            sealed = intake.sealer.conceal(address.encode(), label_of(event, position)) if address is not None else None
            yield MassRow(position, resident, sealed)


def _residents(intake: Intake, codes: Sequence[ResidentCode]) -> list[int | None]:
    """The row ids, under whichever generation of keys a row is stored."""
    ids: list[int | None] = [None] * len(codes)
    with intake.begin(write=False) as work:
        for indexes in zip(*map(intake.sealer.indexes, codes), strict=True):
            missing = [index for place, index in enumerate(indexes) if ids[place] is None]
            found = work.residents.find_many(missing) if missing else {}
            ids = [found[index].id if index in found else known for known, index in zip(ids, indexes, strict=True)]
    return ids
