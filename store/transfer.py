"""The move of a whole authority's rows from one database to another, on either engine, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import Code, Refusal
from store import schema
from store.change_tables import revocation_counts
from store.engine import open_writer, parse_url
from store.faults import fault_of
from store.tables import audit_head, audit_rows, metadata

_BLOCK = 5_000
_TAKEN = "the new database has tables of an authority in it; name an empty one"

Advance = Callable[[int, int], None]
"""Called with (rows copied, rows in all)."""


def copy_rows(source: str, target: str, advance: Advance) -> Mapping[str, int]:
    """Copy every row of the database at `source` to the one at `target`; how many there are by table.

    Nobody writes at the source meanwhile: its writers' lock is held. The target has no tables, or those that a copy
    before made and did not fill; it is filled entirely or not at all. Raises Refusal(BAD_CONFIGURATION) for databases
    that do not fit, (STORE_UNAVAILABLE) and (BUSY).
    """
    if parse_url(source) == parse_url(target):
        raise Refusal(Code.BAD_CONFIGURATION, "this is the database that is in use; name another one")
    if faults := schema.check(source):
        raise Refusal(Code.BAD_CONFIGURATION, f"the database in use: {faults[0]}")
    if any(fault in (schema.OLDER, schema.NEWER) for fault in schema.check(target)):
        raise Refusal(Code.BAD_CONFIGURATION, _TAKEN)
    schema.create(target)
    engines = open_writer(source), open_writer(target)
    try:
        with engines[0].begin() as old, engines[1].begin() as new:
            old.execute(select(audit_head).with_for_update())
            if new.scalar(select(func.count()).select_from(audit_rows)):
                raise Refusal(Code.BAD_CONFIGURATION, _TAKEN)
            return _copy(old, new, advance)
    except SQLAlchemyError as error:
        fault = fault_of(error)
    finally:
        for engine in engines:
            engine.dispose()
    raise fault


def _copy(old: Connection, new: Connection, advance: Advance) -> Mapping[str, int]:
    # The new database has counted its revocations when they are there.
    tables = [table for table in metadata.sorted_tables if table is not revocation_counts]
    counts = {table.name: old.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
    total, done = sum(counts.values()), 0
    for table in reversed(tables):
        new.execute(table.delete())  # what a new schema begins with
    for table in tables:
        for block in _blocks(old, table):
            new.execute(table.insert(), block)
            done += len(block)
            advance(done, total)
        _go_on_counting(new, table)
    found = {table.name: new.scalar(select(func.count()).select_from(table)) or 0 for table in tables}
    if found != counts:
        raise Refusal(Code.STORE_UNAVAILABLE, "not every row arrived; nothing was kept, copy once more")
    if new.dialect.name == "postgresql":
        # Or the first questions are planned as if the tables were empty.
        new.execute(text("ANALYZE " + ", ".join(counts)))
    return counts


def _blocks(connection: Connection, table: Table) -> Iterator[Sequence[dict[str, Any]]]:
    """The rows of a table, some at a time; those that others of the same table refer to come first."""
    query = select(table).order_by(*table.primary_key).execution_options(yield_per=_BLOCK)
    blocks = ([dict(row) for row in part] for part in connection.execute(query).mappings().partitions())
    links = [(key.parent.name, key.column.name) for key in table.foreign_keys if key.column.table is table]
    if not links:
        yield from blocks
        return
    waiting = [row for block in blocks for row in block]
    known: dict[str, set[Any]] = {target: {None} for _, target in links}
    while waiting:
        ready = [row for row in waiting if all(row[name] in known[target] for name, target in links)]
        for target, values in known.items():
            values.update(row[target] for row in ready)
        ready_ids = set(map(id, ready))
        waiting = [row for row in waiting if id(row) not in ready_ids]
        yield ready


def _go_on_counting(connection: Connection, table: Table) -> None:
    """Have the next row that PostgreSQL numbers get a number that no row has."""
    column = table.autoincrement_column
    if column is None or connection.dialect.name != "postgresql":
        return
    sequence = connection.scalar(select(func.pg_get_serial_sequence(table.name, column.name)))
    if sequence is not None:
        last = connection.scalar(select(func.max(column)))
        connection.execute(
            text("SELECT setval(:name, :last, :used)"), {"name": sequence, "last": last or 1, "used": last is not None}
        )
