"""Prepared statements: written with SQLAlchemy, compiled once for a database, and run on its driver."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeGuard, cast

from sqlalchemy import LargeBinary, Select
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.types import TypeEngine

from store.types import Converted

Statement = Select[*tuple[Any, ...]] | UpdateBase
Parameters = Mapping[str, Any]
AnyRow = Any
"""A row of a result, by position and by name."""

PLANNED_ANEW = {"planned_anew": True}
"""The execution options of a statement for which PostgreSQL makes a plan each time, for the values and the tables as
they are then. One that it keeps may be from when there was nothing to look through, and stays while that grows."""

_Conversion = Callable[[Any], Any]
_Step = tuple[int, _Conversion, bool]
"""The place of a value that is not given to the driver, or taken from it, as it is; how it is converted; and whether
that has a say on None, too, which to all types of ours but one is NULL."""


class Prepared:
    """A statement's text, and how values go into it and rows come out of it.

    To have SQLAlchemy run a short statement takes several times as long as the statement itself. So it says what the
    text is and what the column types mean, and no more; drivers keep prepared what they are given again.
    """

    __slots__ = ("_binds", "_constants", "_given", "_reads", "_row", "options", "text")

    def __init__(self, statement: Statement, names: Iterable[str], dialect: Dialect) -> None:
        """`names` are those of the parameters it will be given, among them the columns an INSERT or UPDATE sets.

        Raises ValueError when the text depends on values, as that of an IN with a list does.
        """
        compiled: SQLCompiler = statement.compile(dialect=dialect, column_keys=list(names), for_executemany=True)
        if compiled.post_compile_params:
            raise ValueError("this statement has no text before its values are known")
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        columns = statement.exported_columns
        self.text = compiled.string
        self.options: Mapping[str, Any] = {}
        """What the driver is told besides."""
        if dialect.name == "postgresql" and PLANNED_ANEW.items() <= statement.get_execution_options().items():
            self.options = {"prepare": False}
        wanted = list(compiled.positiontup or ())
        self._given = _taker(wanted)
        self._constants = {name: bind.effective_value for name, bind in binds.items() if not bind.required}
        self._binds = [
            (place, convert, not _is_ours(kind, Converted.process_bind_param))
            for place, kind in enumerate(binds[name].type for name in wanted)
            if (convert := _bind_conversion(kind, dialect))
        ]
        self._reads = [
            (place, convert, not _is_ours(column.type, Converted.process_result_value))
            for place, column in enumerate(columns)
            if (convert := _read_conversion(column.type, dialect))
        ]
        row: Any = namedtuple("_row", [column.name for column in columns], rename=True)  # type: ignore[misc]
        self._row: Callable[[Iterable[Any]], AnyRow] = row._make

    def values(self, parameters: Parameters) -> list[Any]:
        """What the driver is given beside the text."""
        given = self._given({**self._constants, **parameters} if self._constants else parameters)
        return _converted(given, self._binds)

    def row(self, read: Iterable[Any]) -> AnyRow:
        """A row as the driver read it, in our types."""
        return self._row(_converted(read, self._reads))


@lru_cache(maxsize=512)
def prepare(statement: Statement, names: tuple[str, ...], dialect: Dialect) -> Prepared:
    """Cached: statements are constants of their modules, and each is given few sets of names."""
    return Prepared(statement, names, dialect)


def _taker(names: Sequence[str]) -> Callable[[Parameters], Iterable[Any]]:
    """Takes the values of these names, in their order."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda parameters: [parameters[name] for name in names]


def _converted(values: Iterable[Any], steps: Sequence[_Step]) -> list[Any]:
    found = [*values]
    for place, convert, even_none in steps:
        if (value := found[place]) is not None or even_none:
            found[place] = convert(value)
    return found


def _bind_conversion(kind: TypeEngine[Any], dialect: Dialect) -> _Conversion | None:
    if isinstance(kind, LargeBinary):
        return None  # the drivers take bytes
    if _is_ours(kind, Converted.process_bind_param) and not _bind_conversion(_plain(kind, dialect), dialect):
        return kind.stored
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _read_conversion(kind: TypeEngine[Any], dialect: Dialect) -> _Conversion | None:
    if _is_ours(kind, Converted.process_result_value) and not _plain(kind, dialect).result_processor(dialect, None):
        return kind.read
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _is_ours(kind: TypeEngine[Any], conversion: Callable[..., Any]) -> TypeGuard[Converted[Any]]:
    """Whether a column type of ours converts as most do, so that it can be asked itself: three calls fewer a value."""
    return isinstance(kind, Converted) and getattr(type(kind), conversion.__name__) is conversion


def _plain(kind: Converted[Any], dialect: Dialect) -> TypeEngine[Any]:
    """The type of the column as the database has it."""
    return cast(Converted[Any], kind.dialect_impl(dialect)).impl_instance
