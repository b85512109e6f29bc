"""Rules of detection: which numbers of a verifier's day call for a note, a reason, or patience. A table of data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from domain.detection import Grade
from domain.errors import Code, Refusal
from policies.tables import Table

_COLUMNS = ("id", "grade", "requests", "title_ja", "title_en", "source", "verified")


@dataclass(frozen=True, slots=True)
class Measures:
    """A verifier's day, as rules see it. All but the first three are shares from 0 to 1 or ratios.

    `bare`: questions without evidence of a transaction; `barer`: beyond the verifier's usual share of them. `dead`:
    answered otherwise than good. `polls`: questions for each certificate. `fanned`: certificates asked about for three
    purposes or more. `returning`: those asked about on the verifier's last day, too. `shared`: the greatest share that
    one other verifier asked about on days before, and not on this one, beyond what the two always had in common.
    `surge`: how many times its usual number of questions, beside what others had that day. `night`: questions between
    midnight and five in Japan.
    """

    requests: float
    distinct: float
    bare: float
    barer: float
    dead: float
    polls: float
    fanned: float
    returning: float
    shared: float
    surge: float
    night: float


NAMES = tuple(field.name for field in fields(Measures))


@dataclass(frozen=True, slots=True)
class DetectionRule:
    """One row: it holds for a day with at least so many `requests` on which every measure in `when` is reached."""

    id: str
    grade: Grade
    requests: int
    when: Mapping[str, float]
    title_ja: str
    title_en: str
    source: str
    verified: bool

    def holds(self, day: Measures) -> bool:
        return day.requests >= self.requests and all(getattr(day, name) >= least for name, least in self.when.items())


@dataclass(frozen=True, slots=True)
class RestraintRule:
    """What an alarm of that grade does to the verifier's requests while nobody has dismissed it."""

    id: str
    grade: Grade
    code: Code
    then: str
    detail: str
    source: str
    verified: bool

    def refuse(self) -> Refusal:
        """The refusal; `facts` name the row."""
        return Refusal(
            self.code, self.detail, facts={"rule": self.id, "source": self.source, "verified": self.verified}
        )


_SOURCE = "公的個人認証法 §18(7): provision may be refused"
RESTRAINT_RULES = (
    RestraintRule(
        "waits-for-decision",
        Grade.TRY_LATER,
        Code.BUSY,
        "tryLater, until officers have decided",
        "questions of this verifier wait for a decision; see its alarms, and say why",
        _SOURCE,
        verified=True,
    ),
    RestraintRule(
        "blocked-by-officers",
        Grade.BLOCK,
        Code.NOT_ADMITTED,
        "refused, until two officers decide an appeal",
        "the verifier is blocked by decision; see its alarms, and appeal",
        _SOURCE,
        verified=True,
    ),
)


def judge(day: Measures, rules: Mapping[str, DetectionRule]) -> Iterator[DetectionRule]:
    """The rules that hold for a day."""
    return (rule for rule in rules.values() if rule.holds(day))


def load_detection(content: Mapping[str, object]) -> Mapping[str, DetectionRule]:
    """The table from a parsed document with rows `rule`. Raises TableFaults with every fault found."""
    table = Table("rule")
    grades = {grade.word: grade for grade in Grade if grade is not Grade.BLOCK}
    rules: dict[str, DetectionRule] = {}
    for row in table.rows(content, _COLUMNS, optional=NAMES[1:]):
        id_, grade = row.text("id"), row.choice("grade", grades)
        title_ja, title_en, source = row.text("title_ja"), row.text("title_en"), row.text("source")
        verified, least = row.flag("verified"), row.content.get("requests")
        when = {name: row.content[name] for name in NAMES[1:] if name in row.content}
        if type(least) is not int or least < 1:
            row.fault("requests: want a whole number from 1")
        if not when or not all(type(value) in (int, float) and value >= 0 for value in when.values()):  # type: ignore[operator]
            row.fault("want at least one measure with the number from which on the rule holds")
        if id_ in rules:
            row.fault("this rule stands twice")
        if grade is not None and isinstance(least, int):
            levels = {name: float(value) for name, value in when.items() if isinstance(value, int | float)}
            rules[id_] = DetectionRule(
                id_, grade, least, MappingProxyType(levels), title_ja, title_en, source, verified
            )
    table.done()
    return MappingProxyType(rules)
