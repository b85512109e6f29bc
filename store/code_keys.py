"""Generations of the keys of resident codes: which are in use, and the rows that hold what was made with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Column, bindparam, func, insert, select, tuple_, update

from domain.code_keys import CodedRow, CodeKeyRecord, CodeMove, CodePart
from store.code_tables import code_keys, code_moves
from store.statements import Statements
from store.tables import applications, audit_head, batch_items, batches, mass_rows, notices, receipts, residents

_k, _m = code_keys.c, code_moves.c
_IN_USE = select(audit_head.c.code_keys)
_USE = update(audit_head)
_COLUMNS = tuple(field.name for field in fields(CodeKeyRecord))
_ALL = select(*(_k[name] for name in _COLUMNS)).order_by(_k.generation)
_REPLACE = update(code_keys).where(_k.generation == bindparam("of_generation"))
_INSERT = insert(code_keys)
_THE_MOVE = (_m.generation == bindparam("of_generation"), _m.part == bindparam("of_part"))
_MOVE = select(_m.after, _m.moved, _m.done_at).where(*_THE_MOVE)
_KEEP_MOVE = update(code_moves).where(*_THE_MOVE)
_FIRST_MOVE = insert(code_moves)


class _Source:
    """Where the values of a part are: the key of its table, and its columns by their names in CodedRow."""

    def __init__(
        self, key: Sequence[Column[Any]], columns: dict[str, Column[Any]], forgotten: Sequence[Column[Any]] = ()
    ) -> None:
        """`forgotten` are columns made with the keys that are emptied, and filled again by others."""
        table, values = key[0].table, columns.values()
        after = [bindparam(f"after_{place}", type_=column.type) for place, column in enumerate(key)]
        named = [column == bindparam(f"key_{place}", type_=column.type) for place, column in enumerate(key)]
        self.names = tuple(columns)
        self.columns = {name: column.name for name, column in columns.items()}
        self.width = len(key)
        self.forgotten = dict.fromkeys(column.name for column in forgotten)
        self.first = select(*key, *values).order_by(*key).limit(bindparam("limit"))
        self.next = self.first.where(tuple_(*key) > tuple_(*after))
        self.rewrite = update(table).where(*named)
        self.size = select(func.count()).select_from(table)


_SOURCES = {
    CodePart.RESIDENTS: _Source(
        [residents.c.id],
        {"index": residents.c.code_index, "sealed": residents.c.code_sealed},
        forgotten=[residents.c.items_digest],
    ),
    CodePart.NOTICES: _Source(
        [notices.c.sender, notices.c.notice_id], {"digest": notices.c.content, "concealed": notices.c.sealed}
    ),
    CodePart.APPLICATIONS: _Source([applications.c.id], {"digest": applications.c.content}),
    CodePart.MASS_ROWS: _Source([mass_rows.c.event, mass_rows.c.position], {"concealed": mass_rows.c.sealed}),
    CodePart.RECEIPTS: _Source([receipts.c.caller, receipts.c.key], {"digest": receipts.c.content}),
    CodePart.BATCHES: _Source([batches.c.id], {"digest": batches.c.content}),
    CodePart.BATCH_ITEMS: _Source([batch_items.c.batch_id, batch_items.c.line], {"concealed": batch_items.c.sealed}),
}


class CodeKeys:
    """`domain.ports.CodeKeyRepository`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def in_use(self) -> tuple[int, ...]:
        generations: tuple[int, ...] = self._statements.one(_IN_USE).code_keys
        return generations

    def use(self, generations: Sequence[int]) -> None:
        self._statements.run(_USE, {"code_keys": tuple(generations)})

    def all(self) -> Sequence[CodeKeyRecord]:
        return [CodeKeyRecord(*row) for row in self._statements.many(_ALL)]

    def put(self, record: CodeKeyRecord) -> None:
        values = {name: getattr(record, name) for name in _COLUMNS}
        if self._statements.run(_REPLACE, {"of_generation": record.generation, **values}) == 0:
            self._statements.run(_INSERT, values)

    def move(self, generation: int, part: CodePart) -> CodeMove:
        row = self._statements.find(_MOVE, {"of_generation": generation, "of_part": part})
        return CodeMove(generation, part, tuple(json.loads(row[0])), *row[1:]) if row else CodeMove(generation, part)

    def keep_move(self, move: CodeMove) -> None:
        values = {"after": json.dumps(move.after), "moved": move.moved, "done_at": move.done_at}
        named = {"of_generation": move.generation, "of_part": move.part}
        if self._statements.run(_KEEP_MOVE, {**named, **values}) == 0:
            self._statements.run(_FIRST_MOVE, {"generation": move.generation, "part": move.part, **values})

    def page(self, part: CodePart, after: tuple[int | str, ...], limit: int) -> Sequence[CodedRow]:
        source = _SOURCES[part]
        places = {f"after_{place}": value for place, value in enumerate(after)}
        rows = self._statements.many(source.next if after else source.first, {**places, "limit": limit})
        return [
            CodedRow(tuple(row[: source.width]), **dict(zip(source.names, row[source.width :], strict=True)))
            for row in rows
        ]

    def rewrite(self, part: CodePart, rows: Sequence[CodedRow]) -> None:
        """Raises LookupError when one of the rows is not there."""
        source = _SOURCES[part]
        if rows and self._statements.run(source.rewrite, [_values(source, row) for row in rows]) != len(rows):
            raise LookupError("a row that was to be rewritten is gone")

    def size(self, part: CodePart) -> int:
        size: int = self._statements.one(_SOURCES[part].size)[0]
        return size


def _values(source: _Source, row: CodedRow) -> dict[str, Any]:
    key = {f"key_{place}": value for place, value in enumerate(row.key)}
    return {**key, **source.forgotten, **{column: getattr(row, name) for name, column in source.columns.items()}}
