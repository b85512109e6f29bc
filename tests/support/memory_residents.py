"""Residents, their notices and the generations of code keys in memory, beside `tests.support.memory`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from domain.code_keys import CodedRow, CodeKeyRecord, CodeMove, CodePart
from domain.events import NoticeRecord, NoticeState
from domain.people import BasicAttributes, MunicipalityCode, Resident, ResidentState
from tests.support.memory_tables import Tables


class Residents:
    def __init__(self, tables: Tables, not_found: Callable[[], None]) -> None:
        self._tables = tables
        self._not_found = not_found

    def find(self, *indexes: bytes) -> Resident | None:
        for index in indexes:
            if known := self._tables.codes.get(index):
                return self._tables.residents[known[0]]
        self._not_found()
        return None

    def find_many(self, indexes: Sequence[bytes]) -> Mapping[bytes, Resident]:
        return {index: resident for index in indexes if (resident := self.find(index))}

    def get(self, resident_id: int) -> Resident:
        return self._tables.residents[resident_id]

    def put(
        self,
        index: bytes,
        sealed: bytes,
        municipality: MunicipalityCode,
        attributes: BasicAttributes,
        state: ResidentState,
        at: datetime,
    ) -> tuple[int, bool]:
        known = self._tables.codes.get(index)
        resident_id = known[0] if known else len(self._tables.residents) + 1
        self._tables.codes[index] = (resident_id, sealed)
        self._tables.residents[resident_id] = Resident(resident_id, municipality, attributes, state)
        self._tables.matches.pop(resident_id, None)
        return resident_id, known is None

    def put_many(
        self, rows: Sequence[tuple[bytes, bytes, MunicipalityCode, BasicAttributes]], at: datetime
    ) -> tuple[int, int]:
        new = [self.put(*row, ResidentState.PRESENT, at)[1] for row in rows]
        return sum(new), len(new) - sum(new)

    def update(
        self,
        resident_id: int,
        municipality: MunicipalityCode,
        attributes: BasicAttributes | None,
        state: ResidentState,
        at: datetime,
    ) -> None:
        old = self._tables.residents[resident_id]
        self._tables.residents[resident_id] = Resident(resident_id, municipality, attributes or old.attributes, state)
        if attributes is not None:
            self._tables.matches.pop(resident_id, None)

    def by_items(self, digests: Sequence[bytes]) -> Sequence[Resident]:
        rows = [row for row, digest in sorted(self._tables.matches.items()) if digest in digests]
        return [self.get(row) for row in rows[:2]]

    def unmatched(self, limit: int) -> Sequence[Resident]:
        rows = [row for row in sorted(self._tables.residents) if row not in self._tables.matches]
        return [self.get(row) for row in rows[:limit]]

    def keep_matches(self, digests: Sequence[tuple[int, bytes]]) -> None:
        self._tables.matches.update(digests)

    def get_many(self, resident_ids: Sequence[int]) -> Mapping[int, Resident]:
        return {row: self._tables.residents[row] for row in resident_ids if row in self._tables.residents}

    def update_many(self, residents: Sequence[Resident], at: datetime) -> None:
        for resident in residents:
            self.update(resident.id, resident.municipality, resident.attributes, resident.state, at)

    def of_municipality(self, municipality: MunicipalityCode, after: int, through: int) -> Sequence[Resident]:
        rows = (row for _, row in sorted(self._tables.residents.items()))
        return [row for row in rows if after < row.id <= through and row.municipality == municipality]

    def newest(self) -> int:
        return max(self._tables.residents, default=0)

    def rekey(self, resident_id: int, index: bytes, sealed: bytes, at: datetime) -> None:
        self.get(resident_id)
        (old,) = [known for known, (row, _) in self._tables.codes.items() if row == resident_id]
        del self._tables.codes[old]
        self._tables.codes[index] = (resident_id, sealed)

    def sealed(self) -> Iterator[tuple[bytes, bytes]]:
        yield from ((index, sealed) for index, (_, sealed) in self._tables.codes.items())

    def count(self) -> int:
        return len(self._tables.residents)


class Notices:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def find(self, sender: str, notice_id: str) -> NoticeRecord | None:
        return self._tables.notices.get((sender, notice_id))

    def at(self, sender: str, sequence: int) -> NoticeRecord | None:
        rows = self._tables.notices.values()
        return next((row for row in rows if (row.sender, row.sequence) == (sender, sequence)), None)

    def put(self, record: NoticeRecord) -> None:
        self._tables.notices[record.sender, record.notice_id] = record

    def put_many(self, records: Sequence[NoticeRecord]) -> None:
        for record in records:
            assert (record.sender, record.notice_id) not in self._tables.notices, "a notice came twice"
            self.put(record)

    def find_many(self, sender: str, notice_ids: Sequence[str]) -> Sequence[NoticeRecord]:
        return [found for notice in notice_ids if (found := self.find(sender, notice))]

    def between(self, sender: str, first: int, last: int) -> Sequence[NoticeRecord]:
        rows = self._tables.notices.values()
        found = [row for row in rows if row.sender == sender and row.sequence and first <= row.sequence <= last]
        return sorted(found, key=lambda row: row.sequence or 0)

    def latest_effective_many(self, resident_ids: Sequence[int]) -> Mapping[int, date]:
        return {row: day for row in resident_ids if (day := self.latest_effective(row))}

    def expected(self, sender: str) -> int:
        return self._tables.senders.get(sender, 1)

    def expect(self, sender: str, sequence: int) -> None:
        self._tables.senders[sender] = sequence

    def senders(self) -> Sequence[str]:
        return sorted(self._tables.senders)

    def page(self, sender: str, state: NoticeState, after: int | str, limit: int) -> Sequence[NoticeRecord]:
        rows = [row for row in self._tables.notices.values() if (row.sender, row.state) == (sender, state)]
        seen = (0, after) if isinstance(after, str) else (after, "" if after == 0 else "~" * 200)
        by_place = sorted(((row.sequence or 0, row.notice_id), row) for row in rows)
        return [row for place, row in by_place if place > seen][:limit]

    def all(self) -> Iterator[NoticeRecord]:
        yield from sorted(self._tables.notices.values(), key=lambda row: (row.sender, row.notice_id))

    def latest_effective(self, resident_id: int) -> date | None:
        rows = self._tables.notices.values()
        days = [row.effective_on for row in rows if row.resident_id == resident_id and row.effective_on]
        return max(days, default=None)


class CodeKeys:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def in_use(self) -> tuple[int, ...]:
        return self._tables.in_use.get(None, (1,))

    def use(self, generations: Sequence[int]) -> None:
        self._tables.in_use[None] = tuple(generations)

    def all(self) -> Sequence[CodeKeyRecord]:
        return [record for _, record in sorted(self._tables.code_keys.items())]

    def put(self, record: CodeKeyRecord) -> None:
        self._tables.code_keys[record.generation] = record

    def move(self, generation: int, part: CodePart) -> CodeMove:
        return self._tables.code_moves.get((generation, part), CodeMove(generation, part))

    def keep_move(self, move: CodeMove) -> None:
        self._tables.code_moves[move.generation, move.part] = move

    def _rows(self, part: CodePart) -> list[CodedRow]:
        tables = self._tables
        match part:
            case CodePart.RESIDENTS:
                rows = [CodedRow((row,), index, sealed) for index, (row, sealed) in tables.codes.items()]
            case CodePart.NOTICES:
                rows = [CodedRow(k, digest=row.content, concealed=row.sealed) for k, row in tables.notices.items()]
            case CodePart.APPLICATIONS:
                rows = [CodedRow((row.id,), digest=row.content) for row in tables.applications.values()]
            case CodePart.MASS_ROWS:
                rows = [CodedRow(k, concealed=mass.sealed) for k, mass in tables.mass_rows.items()]
            case CodePart.BATCHES:
                rows = [CodedRow((row.id,), digest=row.content) for row in tables.batches.values()]
            case CodePart.BATCH_ITEMS:
                rows = [CodedRow(k, concealed=row.sealed) for k, row in tables.items.items()]
            case _:
                rows = [CodedRow(k, digest=content) for k, (content, _) in tables.receipts.items()]
        return sorted(rows, key=lambda row: row.key)

    def page(self, part: CodePart, after: tuple[int | str, ...], limit: int) -> Sequence[CodedRow]:
        return [row for row in self._rows(part) if not after or row.key > after][:limit]

    def rewrite(self, part: CodePart, rows: Sequence[CodedRow]) -> None:
        for row in rows:
            self._rewrite(part, row)

    def _rewrite(self, part: CodePart, row: CodedRow) -> None:
        tables, key = self._tables, row.key
        if key not in [known.key for known in self._rows(part)]:
            raise LookupError("a row that was to be rewritten is gone")
        match part, row:
            case CodePart.RESIDENTS, CodedRow((int(number),), bytes(index), bytes(sealed)):
                (old,) = [known for known, (resident, _) in tables.codes.items() if resident == number]
                del tables.codes[old]
                tables.codes[index] = (number, sealed)
                tables.matches.pop(number, None)
            case CodePart.NOTICES, CodedRow((str(sender), str(notice)), digest=bytes(digest)):
                old_notice = tables.notices[sender, notice]
                tables.notices[sender, notice] = replace(old_notice, content=digest, sealed=row.concealed)
            case CodePart.APPLICATIONS, CodedRow((int(number),), digest=bytes(digest)):
                tables.applications[number] = replace(tables.applications[number], content=digest)
            case CodePart.MASS_ROWS, CodedRow((str(event), int(position))):
                old_row = tables.mass_rows[event, position]
                tables.mass_rows[event, position] = replace(old_row, sealed=row.concealed)
            case CodePart.RECEIPTS, CodedRow((str(caller), str(name)), digest=bytes(digest)):
                tables.receipts[caller, name] = (digest, tables.receipts[caller, name][1])
            case CodePart.BATCHES, CodedRow((int(number),), digest=bytes(digest)):
                tables.batches[number] = replace(tables.batches[number], content=digest)
            case CodePart.BATCH_ITEMS, CodedRow((int(number), int(line))):
                tables.items[number, line] = replace(tables.items[number, line], sealed=row.concealed)

    def size(self, part: CodePart) -> int:
        return len(self._rows(part))
