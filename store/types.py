"""Column types that refuse wrong values and mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, Integer, LargeBinary, SmallInteger, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from domain.certificates import Kind
from domain.people import MunicipalityCode
from domain.revocation import CrlReason
from domain.serial import SerialNumber

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

RowId = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only in a column that is called INTEGER."""

municipality_code = lru_cache(maxsize=4096)(MunicipalityCode)
"""The code, checked once per value: there are 1,741 of them and millions of rows."""


class Converted(TypeDecorator[T], Generic[T]):
    """A value of ours in a plain column: `stored` and `read` are each other's inverse, and NULL is None."""

    impl: Any = LargeBinary
    cache_ok = True

    def stored(self, value: T) -> Any:
        raise NotImplementedError

    def read(self, value: Any) -> T:
        raise NotImplementedError

    def process_bind_param(self, value: T | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else self.stored(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> T | None:  # noqa: ARG002
        return None if value is None else self.read(value)


class UtcDateTime(Converted[datetime]):
    """An aware time in whole seconds, stored as seconds since 1970: SQLite has no time zones to lose that way."""

    impl = BigInteger
    cache_ok = True

    def stored(self, value: datetime) -> int:
        if value.tzinfo is None or value.microsecond:
            raise ValueError("a stored time is aware and in whole seconds")
        return int(value.timestamp())

    def read(self, value: int) -> datetime:
        return datetime.fromtimestamp(value, UTC)


class SerialOctets(Converted[SerialNumber]):
    """A serial as its 16 octets, which sort as the number does. No integer column holds 127 bits on both engines."""

    impl = LargeBinary(16)
    cache_ok = True

    def stored(self, value: SerialNumber) -> bytes:
        return value.octets

    def read(self, value: bytes) -> SerialNumber:
        return SerialNumber.of(value)


class Choice(Converted[E]):
    """A member of an enumeration, stored as its value: a later version may rename members but not values."""

    impl = String(32)
    cache_ok = True

    def __init__(self, members: type[E]) -> None:
        super().__init__()
        self.members = members
        self._by_value = {member.value: member for member in members}

    def stored(self, value: E) -> str:
        if not isinstance(value, self.members):
            raise TypeError(f"want a {self.members.__name__}")
        return str(value._value_)  # `value` is a property that costs as much as the rest of this

    def read(self, value: str) -> E:
        return self._by_value[value]


class Reason(Converted[CrlReason]):
    """A CRLReason as its number."""

    impl = SmallInteger
    cache_ok = True

    def stored(self, value: CrlReason) -> int:
        return value.value

    def read(self, value: int) -> CrlReason:
        return CrlReason(value)


class Municipal(Converted[MunicipalityCode]):
    """A 団体コード, six digits."""

    impl = String(6)
    cache_ok = True

    def stored(self, value: MunicipalityCode) -> str:
        return value.value

    def read(self, value: str) -> MunicipalityCode:
        return municipality_code(value)


class MunicipalOrNone(Converted[MunicipalityCode | None]):
    """The municipality of a scope. None is stored as the empty string: NULL cannot be part of a primary key."""

    impl = String(6)
    cache_ok = True
    coerce_to_is_types = ()  # `column == None` stays a comparison with the empty string

    def process_bind_param(self, value: MunicipalityCode | None, dialect: Dialect) -> str:  # noqa: ARG002
        return value.value if value else ""

    def read(self, value: str) -> MunicipalityCode | None:
        return municipality_code(value) if value else None


class Generations(Converted[tuple[int, ...]]):
    """Generations of keys, that for writing first, joined by commas."""

    impl = String(64)
    cache_ok = True

    def stored(self, value: tuple[int, ...]) -> str:
        return ",".join(map(str, value))

    def read(self, value: str) -> tuple[int, ...]:
        return _generations(value)


@lru_cache(maxsize=16)
def _generations(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


class Kinds(Converted[frozenset[Kind]]):
    """A set of certificate kinds, stored as their values in order, joined by commas."""

    impl = String(64)
    cache_ok = True

    def stored(self, value: frozenset[Kind]) -> str:
        return ",".join(sorted(kind.value for kind in value))

    def read(self, value: str) -> frozenset[Kind]:
        return frozenset(map(Kind, value.split(",") if value else ()))
