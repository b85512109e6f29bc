"""Statements about any of several values, whose text does not depend on how many there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam

from store.prepared import PLANNED_ANEW, AnyRow
from store.statements import Statements

_SIZES = (16, 250, 1000)
_NONE: Mapping[str, Any] = {}


class AnyOf:
    """A selection of the rows whose column has one of several values."""

    def __init__(self, selection: Select[*tuple[Any, ...]], column: ColumnElement[Any]) -> None:
        names = [f"value_{number}" for number in range(_SIZES[-1])]
        binds = [bindparam(name, type_=column.type) for name in names]
        selection = selection.execution_options(**PLANNED_ANEW)
        self._statements = {size: selection.where(column.in_(binds[:size])) for size in _SIZES}

    def rows(
        self, statements: Statements, values: Sequence[Any], others: Mapping[str, Any] = _NONE
    ) -> Iterator[AnyRow]:
        """The rows, in no order; as many statements as it takes. `others` are parameters beside the values."""
        for start in range(0, len(values), _SIZES[-1]):
            chunk = values[start : start + _SIZES[-1]]
            size = next(size for size in _SIZES if size >= len(chunk))
            # The last value fills the places that are left.
            given = {f"value_{number}": chunk[min(number, len(chunk) - 1)] for number in range(size)}
            yield from statements.many(self._statements[size], {**given, **others})
