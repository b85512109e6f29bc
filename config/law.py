"""The tables of law in force: those that ship, and those that two officers put in their place."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache, partial
from importlib.resources import files

from config.traffic import Doors, asked_again
from detection.measuring import days_before, measure_day
from detection.sketch import Sketch
from domain.certificates import Carrier
from domain.errors import Code, Refusal
from domain.events import Act
from domain.ports import Begin, UnitOfWork
from domain.proposals import JointAct, Proposal, spoken
from oversight.trail import expanded, read_row
from policies import admission_rows, causes, detection, events, holds, issuance, retention, standings
from policies.detection import Measures
from policies.replay import Recorded, Replay, replay
from policies.rulebook import LawTables
from policies.tables import TableFaults
from verifiers.officers import require_members, text_of
from verifiers.voices import same_person, signed_by

TABLES = ("causes", "events", "holds", "issuance", "retention", "verifiers", "detection", "admission")
KIND = "rule-change"
_LONGEST = 1 << 17
_REMEMBERED = 10_000
"""Applications whose carriers a replay remembers: their rows on the trail are mostly neighbours."""
_REPLAYED = {
    Act.REVOKED,
    Act.HELD,
    Act.RESIDENT_CHANGED,
    Act.RESERVED,
    Act.RELEASED,
    Act.ERASED,
    Act.VERIFIER_APPROVED,
}

Texts = Mapping[str, str]
"""Table → its document."""


def shipped_texts() -> Texts:
    """The documents that come with the project."""
    return {name: files("config").joinpath(f"law/{name}.toml").read_text("utf-8") for name in TABLES}


def texts_in_force(begin: Begin) -> Texts:
    """The documents that count: of each table the one that was confirmed last, or else the one that ships."""
    with begin(write=False) as work:
        return texts_of(work)


def texts_of(work: UnitOfWork) -> Texts:
    """The same within a unit of work. Raises Refusal(BAD_CONFIGURATION) for what two officers did not sign just so."""
    texts = dict(shipped_texts())
    for proposal in work.proposals.agreed(KIND):
        _require_agreed(work, proposal)
        texts[str(proposal.said["table"])] = str(proposal.said["text"])
    return texts


def _require_agreed(work: UnitOfWork, proposal: Proposal) -> None:
    """A table that nobody but the database vouches for is not used: two officers must have signed just this."""
    decision = proposal.decision
    one = signed_by(work, proposal.voice, spoken("propose", proposal.digest))
    other = signed_by(work, decision.voice, spoken("confirm", proposal.digest)) if decision else None
    if one is None or other is None or same_person(one, other):
        raise Refusal(
            Code.BAD_CONFIGURATION,
            f"the change of a table of law, proposal {proposal.id}, is not what two officers signed; restore it",
        )


def read_law(texts: Texts) -> LawTables:
    """The tables. Raises Refusal(MALFORMED) with every fault of one of them."""
    try:
        parsed = {name: tomllib.loads(text) for name, text in texts.items()}
        verifiers = standings.load_verifiers(parsed["verifiers"])
        return LawTables(
            causes=causes.load_causes(parsed["causes"]),
            pair=causes.load_pair_rule(parsed["causes"]),
            events=events.load_events(parsed["events"]),
            issuance=issuance.load_issuance(parsed["issuance"]),
            holds=holds.load_holds(parsed["holds"]),
            retention=retention.load_retention(parsed["retention"]),
            verifiers=verifiers,
            detection=detection.load_detection(parsed["detection"]),
            admission=admission_rows.load_admission(parsed["admission"], verifiers.purposes),
        )
    except TableFaults as error:
        raise Refusal(Code.MALFORMED, f"the table has faults: {'; '.join(error.faults)}", pointer="text") from None
    except (ValueError, RecursionError):
        raise Refusal(Code.MALFORMED, "the document is no TOML", pointer="text") from None


def replay_change(begin: Begin, table: str, text: str, now: datetime, doors: Doors) -> tuple[Texts, Replay]:
    """What would have been decided otherwise with this document in place of the table in force, over the whole audit
    trail and all requests that are kept; and the documents in force.

    Raises Refusal(NOT_FOUND) for a table that is none, Refusal(TOO_LARGE), and what `read_law` raises.
    """
    with begin(write=False) as work:
        texts = texts_of(work)
        old, new = read_law(texts), _changed(texts, table, text)
        return texts, replay(old, new, _recorded(work), now, _measured(work, now), asked_again(work, doors, now))


def content_of(texts: Texts, table: str, text: str, done: Replay) -> dict[str, object]:
    """The content of a proposal to change the table: the document, what it replaces, and what the replay showed."""
    return {
        "table": table,
        "text": text,
        "replaces": digest_of(texts[table]),
        "replayed": done.decisions,
        "unlike": done.unlike,
        "differences": [f"{each.rule}: {each.before} -> {each.after}: {each.count}" for each in done.differences],
    }


def digest_of(text: str) -> str:
    """SHA-256 of a document, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def law_acts() -> tuple[JointAct, ...]:
    """The act of changing a table of law."""
    return (JointAct(KIND, "Another table of law", "規則表の変更", _check, _do),)


def _changed(texts: Texts, table: str, text: str) -> LawTables:
    if table not in TABLES:
        raise Refusal(Code.NOT_FOUND, f"there is no such table; there are {', '.join(TABLES)}", pointer="table")
    if len(text) > _LONGEST:
        raise Refusal(Code.TOO_LARGE, f"a table has at most {_LONGEST} characters", pointer="text")
    return read_law({**texts, table: text})


def _check(work: UnitOfWork, said: Mapping[str, object], _now: datetime) -> None:
    require_members(said, "table", "text", "replaces", "replayed", "differences", "unlike")
    table, text = text_of(said, "table"), text_of(said, "text")
    texts = texts_of(work)
    _changed(texts, table, text)
    if not isinstance(said.get("replayed"), int) or not isinstance(said.get("differences"), list):
        raise Refusal(Code.MALFORMED, "the content says what a replay showed; propose it by: jpki policy propose")
    if said.get("replaces") != digest_of(texts[table]):
        raise Refusal(Code.OUT_OF_ORDER, "the table was changed since; replay and propose the change anew")


def _do(work: UnitOfWork, proposal: Proposal, _now: datetime) -> Mapping[str, object]:
    # The confirmed proposal is itself what is read from now on, so that it must still prove itself then.
    if proposal.decision is None or proposal.voice.signature is None or proposal.decision.voice.signature is None:
        raise Refusal(
            Code.NOT_ADMITTED,
            "rules are changed by signatures, not over TLS; use jpki proposals confirm",
        )
    _require_agreed(work, proposal)
    said = proposal.said
    return {"table": said["table"], "sha256": digest_of(str(said["text"])), "replaces": said["replaces"]}


def _recorded(work: UnitOfWork) -> Iterator[Recorded]:
    carriers_of = lru_cache(maxsize=_REMEMBERED)(partial(_carriers_of, work))
    for told in (told for row in work.audit.rows() for told in expanded(read_row(row))):
        if told.act not in _REPLAYED:
            continue
        facts, application = told.facts, told.facts.get("application")
        if told.act is Act.VERIFIER_APPROVED:
            facts = {**facts, "standing": _standing_of(work, str(facts["party"]))}
        carriers = carriers_of(application) if isinstance(application, int) else {}
        yield Recorded(told.act, told.at, told.actor, facts, carriers.get(str(facts.get("kind"))))


def _carriers_of(work: UnitOfWork, application: int) -> Mapping[str, Carrier]:
    return {row.kind.value: row.carrier for row in work.certificates.of_application(application)}


def _measured(work: UnitOfWork, now: datetime) -> Iterator[Measures]:
    """What verifiers asked on the days that are still kept, measured as detection does."""
    days: dict[date, dict[tuple[int, int], Sketch]] = {}
    for row in work.detection.days(date.min, now.date()):
        days.setdefault(row.day, {})[row.who] = Sketch.read(row.content)
    for day, today in sorted(days.items()):
        yield from measure_day(today, days_before(day, days)).values()


def _standing_of(work: UnitOfWork, label: str) -> str:
    role, _, name = label.partition(":")
    party = work.parties.find(role, name)
    return party.standing.value if party is not None and party.standing is not None else ""
