"""Fields of a resident record or a notice: how each is written, and all that is wrong with one object at once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar, cast

from domain.birth import BirthDate
from domain.people import MunicipalityCode, ResidentCode, Sex
from policies.characters import LONGEST_ADDRESS, LONGEST_NAME
from policies.repertoire import REPERTOIRE, Unfit, characters_of, unfit

Value = TypeVar("Value")

_HALF_KANA = re.compile("[\uff61-\uff9f]+")
_FULL = {0x20: 0x3000} | {point: point + 0xFEE0 for point in range(0x21, 0x7F)}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SEXES = {sex.value: sex for sex in Sex}

_UNFIT = {
    Unfit.HALF_WIDTH: "holds half-width characters; the register writes letters, digits and spaces full width",
    Unfit.UNSEEN: "holds a control or otherwise invisible character",
    Unfit.DAMAGED: "holds a replacement character: it was damaged by a conversion",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: `field` names the field (None: the whole line or object), `problem` goes on from the name.
    The value itself is never told."""

    field: str | None
    problem: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.field} {self.problem}" if self.field else place + self.problem


class FieldFaults(ValueError):
    """All faults of one object."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


class Fields:
    """One object whose fields must be exactly `names` and all strings. Collects faults until `check`."""

    def __init__(self, content: Mapping[str, object], names: frozenset[str]) -> None:
        self._content = content
        self._faults: list[Fault] = []
        if content.keys() != names:
            # A foreign name may be anybody's data (a file without header, say), so it is counted and not told.
            foreign = len(content.keys() - names)
            if foreign:
                self.fault(None, f"there are fields of other names ({foreign}); known are {', '.join(sorted(names))}")

    def fault(self, field: str | None, problem: str) -> None:
        self._faults.append(Fault(field, problem))

    def take(self, name: str, read: Callable[[str], Value]) -> Value:
        """What `read` makes of the field. Not to be used before `check`: after a fault it is no value at all."""
        text = self._content.get(name)
        if isinstance(text, str):
            try:
                return read(text)
            except ValueError as fault:
                self.fault(name, str(fault))
        else:
            self.fault(name, "must be a string" if name in self._content else "is missing")
        return cast(Value, None)

    def check(self) -> None:
        """Raises FieldFaults if anything was wrong so far."""
        if self._faults:
            raise FieldFaults(tuple(self._faults))


def resident_code(text: str) -> ResidentCode:
    """住民票コード: eleven digits."""
    return _rephrased(ResidentCode, text, "must be eleven digits with their check digit")


def municipality_code(municipalities: Container[MunicipalityCode]) -> Callable[[str], MunicipalityCode]:
    """Reads a code of one of `municipalities`."""

    def read(text: str) -> MunicipalityCode:
        code = _rephrased(MunicipalityCode, text, "must be six digits with their check digit")
        if code not in municipalities:
            raise ValueError("is not the code of a municipality")
        return code

    return read


def _rephrased(make: Callable[[str], Value], text: str, problem: str) -> Value:
    try:
        return make(text)
    except ValueError:
        raise ValueError(problem) from None


def name(text: str) -> str:
    """氏名, as the register writes it."""
    return _register_text(text, LONGEST_NAME)


def address(text: str) -> str:
    """住所, as the register writes it."""
    return _register_text(text, LONGEST_ADDRESS)


def as_typed(read: Callable[[str], Value]) -> Callable[[str], Value]:
    """Reads what somebody typed who need not know how registers write: half-width letters, digits, kana and spaces
    become full width, and space around it is left out. Only for texts that are compared, and never kept."""
    return lambda text: read(_HALF_KANA.sub(_composed, text.translate(_FULL)).strip())


def _composed(run: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", run[0])


def _register_text(text: str, longest: int) -> str:
    """The text as the register writes it, unchanged: normalising would replace the register's own characters
    (NFC makes U+795E of U+FA19, for example)."""
    if not text:
        raise ValueError("is empty")
    if len(text) > longest and len(characters_of(text)) > longest:
        raise ValueError(f"is longer than {longest} characters")
    if text != text.strip():
        raise ValueError("has space around it")
    if not REPERTOIRE.issuperset(text):
        for point in text:
            if reason := unfit(point):
                raise ValueError(_UNFIT[reason])
    return text


def day(text: str) -> date:
    """A calendar day, YYYY-MM-DD."""
    if _DAY.fullmatch(text) is None:
        raise ValueError("must be written YYYY-MM-DD")
    return _rephrased(date.fromisoformat, text, "is not a day of the calendar")


def birth_date(latest: date) -> Callable[[str], BirthDate]:
    """Reads a birth date that can be one of somebody born by `latest`."""

    def read(text: str) -> BirthDate:
        born = BirthDate.read(text)
        if born.earliest > latest:
            raise ValueError("lies in the future")
        return born

    return read


def sex(text: str) -> Sex:
    """性別, by its digit."""
    try:
        return _SEXES[text]
    except KeyError:
        raise ValueError(f"must be one of {', '.join(_SEXES)}") from None
