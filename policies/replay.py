"""Replay: what was decided under the tables in force is decided again under others, and the differences are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.certificates import Carrier, Kind
from domain.errors import Refusal
from domain.events import Act, EventType
from domain.provisions import Channel
from domain.revocation import RevocationCause
from domain.standings import Standing
from policies.admission import Inquiry
from policies.detection import Measures
from policies.retention import Records
from policies.rulebook import LawTables, effects_of, issuance_of
from policies.rulings import AdmissionRule, AdmissionTable


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision on record about one certificate, resident or verifier: what was done, when, by whom, and its facts.
    `carrier` is None where no record tells it."""

    act: Act
    at: datetime
    actor: str
    facts: Mapping[str, object]
    carrier: Carrier | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """So many requests on record that were alike, as they would be put again. `who` is for people; `decided` is the
    word that refused them, nothing for those that were admitted."""

    who: str
    inquiry: Inquiry
    decided: str
    count: int


@dataclass(frozen=True, slots=True)
class Difference:
    """So many decisions by a rule that would have been others."""

    rule: str
    before: str
    after: str
    count: int


@dataclass(frozen=True, slots=True)
class Replay:
    """How many recorded decisions were replayed, and which would have been others. Of `unlike` requests the tables in
    force say something else than what is on record: verifiers have changed since, or the tables."""

    decisions: int
    differences: tuple[Difference, ...]
    unlike: int = 0


def replay(
    old: LawTables,
    new: LawTables,
    recorded: Iterable[Recorded],
    now: datetime,
    days: Iterable[Measures] = (),
    asked: Iterable[Asked] = (),
) -> Replay:
    """Decide everything again. Holds that stand are judged as of `now`. Residents, keys and cards are not on record:
    what depends on them is not replayed. `days` are those of verifiers as detection measured them, `asked` what they
    asked."""
    decisions, unlike, found = 0, 0, Counter[tuple[str, str, str]]()
    holds = _Holds()
    for row in recorded:
        for rule, before, after in (*_row(old, new, row), *holds.follow(old, new, row)):
            decisions += 1
            if before != after:
                found[rule, before, after] += 1
    for rule, before, after in holds.rest(old, new, now):
        decisions += 1
        if before != after:
            found[rule, before, after] += 1
    for day in days:
        decisions += 1
        for rule in sorted(old.detection.keys() | new.detection.keys()):
            before, after = (_alarm(tables, rule, day) for tables in (old, new))
            if before != after:
                found[f"detection/{rule}", before, after] += 1
    for request in asked:
        decisions += request.count
        rows = [_admission(tables, request.inquiry) for tables in (old, new)]
        refused = request.decided in {row.id for row in _table(old, request.inquiry).rows}
        unlike += request.count if refused is (rows[0].refusal is None) else 0
        if rows[0].refusal is not rows[1].refusal:
            rule, *words = _requests(request, *rows)
            found[rule, words[0], words[1]] += request.count
    differences = tuple(Difference(*key, count) for key, count in sorted(found.items()))
    return Replay(decisions, differences, unlike)


_Judged = tuple[str, str, str]


def _row(old: LawTables, new: LawTables, row: Recorded) -> Iterable[_Judged]:
    facts = row.facts
    match row.act:
        case Act.REVOKED | Act.HELD:
            cause, kind = RevocationCause(facts["cause"]), Kind(facts["kind"])
            yield f"revocation/{cause.value}", _effect(old, cause, kind, row), _effect(new, cause, kind, row)
        case Act.RESIDENT_CHANGED:
            event = EventType(facts["event"])
            yield f"event/{event.value}", _event(old, event), _event(new, event)
        case Act.RESERVED:
            word = issuance_of(facts)
            yield f"issuance/{word}", _steps(old, word), _steps(new, word)
        case Act.VERIFIER_APPROVED if facts.get("standing"):
            standing = Standing(facts["standing"])
            yield f"standing/{standing.value}", _approval(old, standing, row), _approval(new, standing, row)
        case Act.ERASED:
            records = Records(facts["records"])
            ended = datetime.fromisoformat(str(facts["expired_at"]))
            rule = f"retention/{records.value}"
            yield rule, _kept(old, records, ended, row.at), _kept(new, records, ended, row.at)


def _effect(tables: LawTables, cause: RevocationCause, kind: Kind, row: Recorded) -> str:
    rule = tables.causes[cause]
    role = row.actor.partition(":")[0]
    may = "" if role in rule.by or row.actor.startswith(("publisher", "authority", "mass")) else f", not by {role}"
    carriers = [row.carrier] if row.carrier else list(Carrier)
    effects = effects_of(rule)
    return "; ".join(effects[f"{kind.value} on {carrier.value}"] for carrier in carriers) + may


def _event(tables: LawTables, event: EventType) -> str:
    rule = tables.events[event]
    if rule.cause is None:
        return f"certificates stay; record {rule.state.value}"
    effects = effects_of(tables.causes[rule.cause])
    return "; ".join(f"{name}: {effect}" for name, effect in effects.items()) + f"; record {rule.state.value}"


def _steps(tables: LawTables, word: str) -> str:
    (row,) = (row for row in tables.issuance.values() if row.rule.value == word)
    return f"{row.value} {row.meaning}"


def _kept(tables: LawTables, records: Records, ended: datetime, at: datetime) -> str:
    rule = tables.retention[records]
    return "erased" if rule.years is not None and rule.kept_until(ended) < at else "kept"


def _approval(tables: LawTables, standing: Standing, row: Recorded) -> str:
    """Whether the standing may be approved for that, for so long, and what it has to show."""
    rules, declared = tables.verifiers, row.facts["purposes"]
    wanted = f"shows {', '.join(rules.wanted(standing))}"
    purposes = {Kind(kind): frozenset(some) for kind, some in declared.items()} if isinstance(declared, dict) else {}
    try:
        rules.require(standing, purposes)
    except Refusal:
        return f"refused; {wanted}"
    longest = row.at + timedelta(days=366 * rules.standings[standing].years)
    too_long = datetime.fromisoformat(str(row.facts["until"])) > longest
    return f"{'too long' if too_long else 'approved'}; {wanted}"


def _table(tables: LawTables, inquiry: Inquiry) -> AdmissionTable:
    by_consent = inquiry.channel is Channel.VALIDATION
    return tables.admission.operators if by_consent else tables.admission.status


def _admission(tables: LawTables, inquiry: Inquiry) -> AdmissionRule:
    return _table(tables, inquiry).decide(inquiry)


def _requests(asked: Asked, before: AdmissionRule, after: AdmissionRule) -> tuple[str, str, str]:
    inquiry = asked.inquiry
    table = "operator" if inquiry.channel is Channel.VALIDATION else "admission"
    way = f"{asked.who}, {inquiry.channel.name.lower()}, {inquiry.kind.value}"
    purpose = f" for {inquiry.meant}" if inquiry.meant else ""
    outcomes = ["admitted" if row.refusal is None else f"refused by {row.id}" for row in (before, after)]
    return f"{table}/{before.id}", f"{way}{purpose}: {outcomes[0]}", outcomes[1]


def _alarm(tables: LawTables, rule: str, day: Measures) -> str:
    row = tables.detection.get(rule)
    return row.grade.word if row is not None and row.holds(day) else "nothing"


class _Holds:
    """Holds from their beginning to their end."""

    def __init__(self) -> None:
        self._standing: dict[tuple[object, object], Recorded] = {}

    def follow(self, old: LawTables, new: LawTables, row: Recorded) -> Iterable[_Judged]:
        key = (row.facts.get("application"), row.facts.get("kind"))
        if row.act is Act.HELD:
            self._standing.setdefault(key, row)
        elif row.act in (Act.RELEASED, Act.REVOKED) and (held := self._standing.pop(key, None)):
            if row.act is Act.RELEASED:
                kind, carrier = Kind(row.facts["kind"]), row.carrier or Carrier.MOBILE_DEVICE
                role = row.actor.partition(":")[0]
                judged = (self._release(tables, kind, carrier, role) for tables in (old, new))
                yield f"hold/release-{kind.value}-{carrier.value}", *judged  # type: ignore[misc]
            yield self._age(old, new, held, row.at - held.at)

    def rest(self, old: LawTables, new: LawTables, now: datetime) -> Iterable[_Judged]:
        """What still stands."""
        for held in self._standing.values():
            yield self._age(old, new, held, now - held.at)

    def _release(self, tables: LawTables, kind: Kind, carrier: Carrier, role: str) -> str:
        rule = tables.holds.releases[kind, carrier]
        return rule.effect.value if role in rule.by else f"{rule.effect.value}, not by {role}"

    def _age(self, old: LawTables, new: LawTables, held: Recorded, stood: timedelta) -> _Judged:
        carrier = held.carrier or Carrier.CARD
        before, after = (self._aged(tables, carrier, stood) for tables in (old, new))
        return f"hold/age-{carrier.value}", before, after

    def _aged(self, tables: LawTables, carrier: Carrier, stood: timedelta) -> str:
        rule = tables.holds.ages[carrier]
        return rule.effect.value if stood >= timedelta(days=rule.days) else "nothing yet"
