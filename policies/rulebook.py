"""The rulebook: every rule that decides something, by id, with what it says and where that is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from domain.certificates import Carrier, Kind
from domain.events import Act, EventType
from domain.holds import HoldRules
from domain.revocation import CauseRule, PairRule, RevocationCause
from policies.code_rules import CODE_RULES, Rule
from policies.correspondence import CORRESPONDENCE_RULES
from policies.detection import RESTRAINT_RULES, DetectionRule
from policies.events import EventRule
from policies.issuance import IssuanceRules
from policies.notation import NotationRule
from policies.retention import Records, RetentionRule
from policies.rulings import AdmissionRules, AdmissionTable
from policies.standings import VerifierRules


@dataclass(frozen=True, slots=True)
class LawTables:
    """The tables of law that are data: `config/law/*.toml`, or what two officers put in their place."""

    causes: Mapping[RevocationCause, CauseRule]
    pair: PairRule
    events: Mapping[EventType, EventRule]
    issuance: IssuanceRules
    holds: HoldRules
    retention: Mapping[Records, RetentionRule]
    verifiers: VerifierRules
    detection: Mapping[str, DetectionRule]
    admission: AdmissionRules


def rules_of(tables: LawTables) -> tuple[Rule, ...]:
    """Every rule, table by table."""
    return (
        *_admission("admission", tables.admission.status),
        *_admission("operator", tables.admission.operators),
        *(
            Rule(f"correspondence/{row.id}", row.needs, "told", row.source, row.verified)
            for row in CORRESPONDENCE_RULES
        ),
        *_revocation(tables),
        *_events(tables),
        *_holds(tables.holds),
        *(
            Rule(f"issuance/{row.rule.value}", row.title_en, f"{row.value} {row.meaning}", row.source, row.verified)
            for row in tables.issuance.values()
        ),
        *(
            Rule(f"retention/{row.records.value}", row.title_en, row.words, row.source, row.verified)
            for row in tables.retention.values()
        ),
        *_verifiers(tables.verifiers),
        *_detection(tables.detection),
        *(
            Rule(
                f"restraint/{row.id}",
                f"an alarm of the grade {row.grade.word} stands",
                row.then,
                row.source,
                row.verified,
            )
            for row in RESTRAINT_RULES
        ),
        *(
            Rule(f"notation/{row.word}", f"texts differ in: {row.title_en}", "they may be equal", _NOTATION, False)
            for row in NotationRule
        ),
        *CODE_RULES,
    )


def _admission(name: str, table: AdmissionTable) -> Iterator[Rule]:
    for row in table.rows:
        when = " or ".join(
            " and ".join(f"{fact} {'/'.join(sorted(words))}" for fact, words in condition.items())
            for condition in row.when
        )
        then = "admitted" if row.refusal is None else f"refused: {row.refusal.value}"
        yield Rule(f"{name}/{row.id}", f"{when or 'otherwise'}: {row.detail}", then, row.source, row.verified)


def _revocation(tables: LawTables) -> Iterator[Rule]:
    for row in tables.causes.values():
        by = " ".join(sorted(row.by))
        effects = "; ".join(f"{name}: {effect}" for name, effect in effects_of(row).items())
        yield Rule(f"revocation/{row.cause.value}", f"{row.title_en}, by {by}", effects, row.source, row.verified)
    exception = tables.pair.exception.value
    yield Rule(
        "revocation/pair", "any cause", f"both or none, but for {exception}", tables.pair.source, tables.pair.verified
    )


def effects_of(row: CauseRule) -> dict[str, str]:
    """What a cause does, by kind and carrier."""
    return {
        f"{kind.value} on {carrier.value}": f"{effect.word} {effect.reason.word if effect.reason else ''}".strip()
        for kind in Kind
        for carrier in Carrier
        for effect in (row.effects[kind, carrier],)
    }


def _events(tables: LawTables) -> Iterator[Rule]:
    for row in tables.events.values():
        cause = row.cause.value if row.cause else "no certificate ends"
        yield Rule(
            f"event/{row.event.value}", row.title_ja, f"{cause}; record {row.state.value}", row.source, row.verified
        )


def _holds(rules: HoldRules) -> Iterator[Rule]:
    for release in (rules.releases[place] for place in product(Kind, Carrier)):
        when = f"{release.kind.value} on {release.carrier.value}"
        then = f"{release.effect.value} {' '.join(sorted(release.by))}".strip()
        yield Rule(
            f"hold/release-{release.kind.value}-{release.carrier.value}", when, then, release.source, release.verified
        )
    for age in (rules.ages[carrier] for carrier in Carrier):
        then = f"{age.effect.value} after {age.days} days"
        yield Rule(f"hold/age-{age.carrier.value}", f"on {age.carrier.value}", then, age.source, age.verified)
    desk = rules.desk
    yield Rule(
        "hold/desk", f"{desk.attempts} misses in {desk.window}", "refused", desk.source, "unverified" not in desk.source
    )


def _verifiers(rules: VerifierRules) -> Iterator[Rule]:
    for row in rules.standings.values():
        kinds = " and ".join(sorted(kind.value for kind in row.kinds))
        then = f"may verify {kinds} certificates, approved for {row.years} years at most"
        yield Rule(f"standing/{row.standing.value}", row.said.title_en, then, row.said.source, row.said.verified)
    for criterion in rules.criteria.values():
        said, whose = criterion.said, ", ".join(sorted(standing.value for standing in criterion.standings))
        yield Rule(f"criterion/{criterion.id}", said.title_en, f"to be shown by {whose}", said.source, said.verified)
    for purpose in rules.purposes.values():
        said, whose = purpose.said, ", ".join(sorted(standing.value for standing in purpose.standings))
        yield Rule(f"purpose/{purpose.id}", said.title_en, f"may be declared by {whose}", said.source, said.verified)


def _detection(rules: Mapping[str, DetectionRule]) -> Iterator[Rule]:
    for row in rules.values():
        levels = ", ".join(f"{name} from {level:g}" for name, level in row.when.items())
        then = f"{row.grade.word}, from {row.requests} questions a day with {levels}"
        yield Rule(f"detection/{row.id}", row.title_en, then, row.source, row.verified)


_NOTATION = "ours, after how names and addresses are written; no text says which writings are equal"

_FACTS = {
    Act.REVOKED: ("revocation", "cause"),
    Act.HELD: ("revocation", "cause"),
    Act.CERTIFICATES_REVOKED: ("revocation", "cause"),
    Act.CERTIFICATES_HELD: ("revocation", "cause"),
    Act.RESIDENT_CHANGED: ("event", "event"),
    Act.RESIDENTS_CHANGED: ("event", "event"),
    Act.ERASED: ("retention", "records"),
    Act.ALARM_RAISED: ("detection", "rule"),
}
_ALWAYS = {
    Act.RESERVED: ("code/validity", "code/key"),
    Act.VERIFIER_APPROVED: ("code/two-officers",),
    Act.VERIFIER_SUSPENDED: ("code/two-officers",),
    Act.VERIFIER_RESUMED: ("code/two-officers",),
    Act.VERIFIER_WITHDRAWN: ("code/two-officers",),
    Act.PROPOSAL_CONFIRMED: ("code/two-officers",),
    Act.PROPOSAL_REFUSED: ("code/two-officers",),
    Act.HOLD_MISSED: ("hold/desk",),
    Act.VALIDATED: ("operator/registered-operator", "code/consent-time", "code/items", "code/documents"),
    Act.HANDLE_KEY_CURRENT: ("code/two-officers",),
    Act.HANDLE_KEY_RETIRED: ("code/two-officers", "code/change-over"),
    Act.PROVISIONS_UNLOCKED: ("code/two-officers",),
    Act.PROVISIONS_ERASED: ("retention/provisions",),
    Act.LEDGER_ERASED: ("retention/provisions",),
    Act.LEDGER_DISCLOSED: ("code/disclosure",),
    Act.ALARM_DECIDED: ("restraint/waits-for-decision", "restraint/blocked-by-officers", "code/unanswered-alarm"),
}
"""What an audit row decided by, where the act says it; otherwise a fact of the row names the row of the table."""


def rules_behind(act: Act, facts: Mapping[str, object]) -> tuple[str, ...]:
    """The ids of the rules that an audit row was decided by; none for acts that no rule decides."""
    if act is Act.RESERVED:
        return (f"issuance/{issuance_of(facts)}", *_ALWAYS[act])
    if act in (Act.RELEASED, Act.HOLD_AGED):
        carriers = [facts["carrier"]] if "carrier" in facts else [carrier.value for carrier in Carrier]
        rule = "age" if act is Act.HOLD_AGED else f"release-{facts['kind']}"
        return tuple(f"hold/{rule}-{carrier}" for carrier in carriers)
    if act in _FACTS:
        table, fact = _FACTS[act]
        return (f"{table}/{facts[fact]}",) if fact in facts else ()
    return _ALWAYS.get(act, ())


def issuance_of(facts: Mapping[str, object]) -> str:
    """By which row of the table of issuance a certificate was reserved. Audit rows of before it stood in them tell no
    more than whether the certificate waited."""
    return str(facts.get("issuance") or ("replacement" if facts.get("pending") else "first-issue"))
