"""Shapes of JSON values: each reads a value strictly and describes itself as JSON Schema, so the two agree."""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any, Generic, TypeVar

from domain.errors import Code, Refusal

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

# Control characters have no place in any text here, and a database may refuse NUL.
_PLAIN = r"[^\u0000-\u001F\u007F-\u009F]*"

_BASE64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"


@dataclass(frozen=True, slots=True)
class Shape(Generic[T]):
    """`read(value, pointer)` gives the value's meaning or raises Refusal(MALFORMED) with that JSON pointer (RFC 6901).

    Refusals say where and what must be otherwise, and never repeat what was sent. `schema` is JSON Schema 2020-12.
    """

    schema: Mapping[str, object]
    read: Callable[[object, str], T]


def text(
    make: Callable[[str], T], low: int, high: int, pattern: str = _PLAIN, form: str = "", **notes: object
) -> Shape[T]:
    """A text of `low` to `high` characters that matches `pattern` (without anchors), given to `make`.

    `form` says what such a text is called. `make` may raise ValueError with a predicate ("is empty") that holds
    nothing of the text. `notes` go into the schema.
    """
    wanted = form or f"a text of {low} to {high} characters without control characters"
    matches = re.compile(pattern).fullmatch

    def read(value: object, pointer: str) -> T:
        if not isinstance(value, str) or not low <= len(value) <= high or not matches(value) or not _encodable(value):
            raise _malformed(f"must be {wanted}", pointer)
        try:
            return make(value)
        except ValueError as error:
            raise _malformed(str(error), pointer) from None

    schema = {"type": "string", "minLength": low, "maxLength": high, "pattern": f"^{pattern}$", **notes}
    return Shape(schema, read)


def day(**notes: object) -> Shape[date]:
    """A calendar day, `2027-04-01`."""

    def make(value: str) -> date:
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError("is not a day of the calendar") from None

    return text(make, 10, 10, r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "a day such as 2027-04-01", format="date", **notes)


def octets(high: int, **notes: object) -> Shape[bytes]:
    """1 to `high` octets (a multiple of three) in base64 (RFC 4648 §4), with padding and without line breaks."""
    form = f"base64 of 1 to {high} octets, padded and on one line"
    longest = high // 3 * 4

    def read(value: object, pointer: str) -> bytes:
        try:
            if isinstance(value, str) and 4 <= len(value) <= longest:
                return a2b_base64(value, strict_mode=True)
        except ValueError:
            pass
        raise _malformed(f"must be {form}", pointer)

    schema = text(str, 4, longest, _BASE64, form, contentEncoding="base64", **notes).schema
    return Shape(schema, read)


def truth(**notes: object) -> Shape[bool]:
    """true or false."""

    def read(value: object, pointer: str) -> bool:
        if not isinstance(value, bool):
            raise _malformed("must be true or false", pointer)
        return value

    return Shape({"type": "boolean", **notes}, read)


def word(choices: type[E], **notes: object) -> Shape[E]:
    """One of the words that are the values of an enumeration."""
    words = {str(choice.value): choice for choice in choices}

    def read(value: object, pointer: str) -> E:
        if not isinstance(value, str) or value not in words:
            raise _malformed(f"must be one of {', '.join(words)}", pointer)
        return words[value]

    return Shape({"type": "string", "enum": list(words), **notes}, read)


def some(of: Shape[T], high: int, **notes: object) -> Shape[frozenset[T]]:
    """A set as a list of 1 to `high` different elements."""

    def read(value: object, pointer: str) -> frozenset[T]:
        if not isinstance(value, list) or not 1 <= len(value) <= high:
            raise _malformed(f"must be a list of 1 to {high} elements", pointer)
        found = frozenset(of.read(element, f"{pointer}/{index}") for index, element in enumerate(value))
        if len(found) != len(value):
            raise _malformed("holds an element twice", pointer)
        return found

    schema = {"type": "array", "items": of.schema, "minItems": 1, "maxItems": high, "uniqueItems": True, **notes}
    return Shape(schema, read)


def several(of: Shape[T], high: int, **notes: object) -> Shape[list[T]]:
    """A list of 1 to `high` elements, in their order."""

    def read(value: object, pointer: str) -> list[T]:
        if not isinstance(value, list) or not 1 <= len(value) <= high:
            raise _malformed(f"must be a list of 1 to {high} elements", pointer)
        return [of.read(element, f"{pointer}/{index}") for index, element in enumerate(value)]

    return Shape({"type": "array", "items": of.schema, "minItems": 1, "maxItems": high, **notes}, read)


def record(
    make: Callable[..., T],
    required: Mapping[str, Shape[Any]],
    optional: Mapping[str, Shape[Any]] | None = None,
    **notes: object,
) -> Shape[T]:
    """An object of exactly these members, given to `make` by name; optional members that are absent are left out.

    `make` may raise ValueError with a predicate that holds nothing of the members.
    """
    members = {**required, **(optional or {})}
    known: dict[str, object] = {"fields": list(members)}

    def read(value: object, pointer: str) -> T:
        if not isinstance(value, dict):
            raise _malformed("must be an object", pointer)
        if not value.keys() <= members.keys():
            raise _malformed("has a field that nobody knows; is it misspelt?", pointer, known)
        for name in required:
            if name not in value:
                raise _malformed("is missing", f"{pointer}/{name}")
        read_members = {name: members[name].read(content, f"{pointer}/{name}") for name, content in value.items()}
        try:
            return make(**read_members)
        except ValueError as error:
            raise _malformed(str(error), pointer) from None

    schema = {
        "type": "object",
        "properties": {name: shape.schema for name, shape in members.items()},
        "required": list(required),
        "additionalProperties": False,
        **notes,
    }
    return Shape(schema, read)


def _encodable(value: str) -> bool:
    """False for half a surrogate pair, which JSON can spell and UTF-8 cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _malformed(predicate: str, pointer: str, facts: dict[str, object] | None = None) -> Refusal:
    return Refusal(Code.MALFORMED, f"{pointer or 'the body'} {predicate}", pointer=pointer, facts=facts)
