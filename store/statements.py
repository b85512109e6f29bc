"""The statements of one transaction, with database errors turned into refusals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, Executable, Row
from sqlalchemy.exc import SQLAlchemyError

from store.faults import Refusals, fault_of

Parameters = Mapping[str, Any]
AnyRow = Row[*tuple[Any, ...]]

_CHUNK = 1000
"""Rows a stream fetches at a time."""


class Statements:
    """What repositories speak to. After an error nothing more can be said: PostgreSQL would refuse it, SQLite must."""

    def __init__(self, connection: Connection, write: bool) -> None:
        self._connection = connection
        self._write = write
        self.over = False

    def run(
        self,
        statement: Executable,
        parameters: Parameters | Sequence[Parameters] | None = None,
        refusals: Refusals | None = None,
        chunk: int | None = None,
    ) -> CursorResult[*tuple[Any, ...]]:
        """Execute; `refusals` says by constraint what a violation means.

        Raises those, Refusal(BUSY), Refusal(STORE_UNAVAILABLE) or DatabaseBug, never a database error.
        """
        if self.over:
            raise RuntimeError("this unit of work is over")
        if statement.is_dml and not self._write:
            raise RuntimeError("this unit of work only reads")
        options = {} if chunk is None else {"yield_per": chunk}
        try:
            return self._connection.execute(statement, parameters, execution_options=options)
        except SQLAlchemyError as error:
            fault = fault_of(error, refusals or {})
        self.over = True
        raise fault

    def one(self, statement: Executable, parameters: Parameters) -> AnyRow | None:
        """The only row, or None."""
        return self.run(statement, parameters).one_or_none()

    def many(self, statement: Executable, parameters: Parameters | None = None) -> Sequence[AnyRow]:
        """All rows at once."""
        return self.run(statement, parameters).all()

    def stream(self, statement: Executable, parameters: Parameters | None = None) -> Iterator[AnyRow]:
        """Rows as they are asked for, while the unit of work is open."""
        result = self.run(statement, parameters, chunk=_CHUNK)
        try:
            yield from result
        except SQLAlchemyError as error:
            fault = fault_of(error, {})
        else:
            return
        finally:
            result.close()
        self.over = True
        raise fault

    def commit(self) -> None:
        """Commit; nothing can be said afterwards. Raises as `run` does."""
        if self.over or not self._write:
            raise RuntimeError("this unit of work only reads" if not self._write else "this unit of work is over")
        self.over = True
        try:
            self._connection.commit()
        except SQLAlchemyError as error:
            fault = fault_of(error, {})
        else:
            return
        raise fault
