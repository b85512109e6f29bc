"""Judging: the rules held against a day of all verifiers, alarms raised, and what people say and decide about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from detection.measuring import WINDOW, Who, days_before, measure_day
from detection.sketch import Sketch
from domain.detection import Alarm, AlarmState, Grade
from domain.errors import Code, Refusal
from domain.events import Act, AuditEvent
from domain.parties import Party, Role
from domain.ports import Begin, Clock, UnitOfWork
from domain.proposals import JointAct, Proposal
from policies.admission import Admitted
from policies.detection import RESTRAINT_RULES, DetectionRule, judge
from policies.retention import RetentionRule

ANSWERED_WITHIN: Final = timedelta(days=7)
"""A verifier that is asked for its reason and says nothing is told to try later from then on."""
BLOCK: Final = "verifier-block"
APPEAL: Final = "alarm-appeal"
DECISION: Final = "alarm-decision"
_LONGEST = 2000


def judge_day(
    begin: Begin, rules: Mapping[str, DetectionRule], day: date, now: datetime, actor: str, kept: RetentionRule
) -> Sequence[Alarm]:
    """Hold the rules against what was asked on `day`; the alarms that are new. Judged again, a day that has grown may
    raise more, and none twice. Questions of days long past are forgotten."""
    with begin(write=False) as work:
        days: dict[date, dict[Who, Sketch]] = {}
        for row in work.detection.days(day - timedelta(days=WINDOW), day):
            days.setdefault(row.day, {})[row.who] = Sketch.read(row.content)
    measured = measure_day(days.get(day, {}), days_before(day, days))
    raised: list[Alarm] = []
    with begin() as work:
        for (party, provider), measures in measured.items():
            for rule in judge(measures, rules):
                numbers = {name: round(value, 3) for name, value in asdict(measures).items()}
                id_ = f"{day:%Y%m%d}-{party}-{provider}-{rule.id}"
                if work.detection.alarm(id_) is None:
                    raised.append(Alarm(id_, day, party, provider, rule.id, rule.grade, numbers, now))
        for alarm in raised:
            work.detection.put_alarm(alarm)
            facts = {"alarm": alarm.id, "party": alarm.party, "rule": alarm.rule, "grade": alarm.grade.word}
            work.audit.append(AuditEvent(Act.ALARM_RAISED, actor, now, facts))
        _escalate(work, now, actor)
        work.detection.forget(kept.days_before(now).date())
        work.commit()
    return raised


def _escalate(work: UnitOfWork, now: datetime, actor: str) -> None:
    for alarm in work.detection.alarms():
        silent = alarm.state is AlarmState.OPEN and now - alarm.raised_at > ANSWERED_WITHIN
        if alarm.grade is Grade.JUSTIFY and silent:
            _put(work, replace(alarm, grade=Grade.TRY_LATER), now, actor, "no reason was given in time")


def justify(begin: Begin, party: Party, id_: str, reason: str, now: datetime) -> Alarm:
    """The verifier says why. Raises Refusal(NOT_FOUND) for an alarm that is not its own, or was decided."""
    with begin() as work:
        alarm = _own(work, party, id_)
        if alarm.state is not AlarmState.OPEN:
            raise Refusal(Code.PROPOSAL_CLOSED, "this alarm is not open any more; appeal where it was decided")
        alarm = _put(work, replace(alarm, state=AlarmState.JUSTIFIED), now, party.label, reason)
        work.commit()
    return alarm


def decide(begin: Begin, id_: str, dismissed: bool, reason: str, now: datetime, actor: Party) -> Alarm:
    """A person decides about what only notes or asks. Raises Refusal(SECOND_OFFICER) for an alarm by which a verifier
    is held up, or could be again: two officers let it go or leave it so (`DECISION`, `APPEAL`)."""
    with begin() as work:
        alarm = _find(work, id_)
        if alarm.state is AlarmState.APPEALED:
            raise Refusal(Code.SECOND_OFFICER, f"an appeal is decided by two officers: propose {APPEAL}")
        if alarm.grade is Grade.BLOCK:
            raise Refusal(Code.SECOND_OFFICER, "two officers blocked this verifier; it must appeal")
        if alarm.grade is Grade.TRY_LATER:
            raise Refusal(
                Code.SECOND_OFFICER, f"what holds a verifier up is decided by two officers: propose {DECISION}"
            )
        state = AlarmState.DISMISSED if dismissed else AlarmState.UPHELD
        alarm = _put(work, replace(alarm, state=state), now, actor.label, reason)
        work.commit()
    return alarm


def appeal(begin: Begin, party: Party, id_: str, reason: str, now: datetime) -> Alarm:
    """The verifier does not accept a decision: two officers look at it again."""
    with begin() as work:
        alarm = _own(work, party, id_)
        if alarm.state is not AlarmState.UPHELD:
            raise Refusal(Code.PROPOSAL_CLOSED, "only what was upheld can be appealed; say why instead")
        alarm = _put(work, replace(alarm, state=AlarmState.APPEALED), now, party.label, reason)
        work.commit()
    return alarm


def alarm_acts() -> tuple[JointAct, ...]:
    """What takes two: to block a verifier, and to decide about one that is held up, or about its appeal. Content:
    `alarm`, and for decisions `outcome`."""
    return (
        JointAct(DECISION, "Decide about a verifier that is held up", "警報の裁定", _check_decision, _decide),
        JointAct(BLOCK, "Block a verifier for an alarm", "検証者への提供の停止", _check_block, _block),
        JointAct(APPEAL, "Decide a verifier's appeal", "不服申立ての裁定", _check_appeal, _decide),
    )


def _check_block(work: UnitOfWork, said: Mapping[str, object], _now: datetime) -> None:
    _require(said, "alarm")
    if _find(work, str(said["alarm"])).state is AlarmState.DISMISSED:
        raise Refusal(Code.PROPOSAL_CLOSED, "the alarm was dismissed")


def _block(work: UnitOfWork, proposal: Proposal, now: datetime) -> Mapping[str, object]:
    alarm = _find(work, str(proposal.said["alarm"]))
    blocked = replace(alarm, grade=Grade.BLOCK, state=AlarmState.UPHELD)
    _put(work, blocked, now, _decider(proposal), proposal.reason)
    return {"alarm": alarm.id}


def _check_decision(work: UnitOfWork, said: Mapping[str, object], _now: datetime) -> None:
    _require_outcome(said)
    alarm = _find(work, str(said["alarm"]))
    if alarm.grade is not Grade.TRY_LATER or alarm.state is AlarmState.APPEALED:
        raise Refusal(Code.PROPOSAL_CLOSED, f"this alarm holds nobody up, or waits for {APPEAL}")


def _check_appeal(work: UnitOfWork, said: Mapping[str, object], _now: datetime) -> None:
    _require_outcome(said)
    if _find(work, str(said["alarm"])).state is not AlarmState.APPEALED:
        raise Refusal(Code.PROPOSAL_CLOSED, "the verifier has not appealed")


def _require_outcome(said: Mapping[str, object]) -> None:
    _require(said, "alarm", "outcome")
    if said["outcome"] not in ("dismissed", "upheld"):
        raise Refusal(Code.MALFORMED, "want the outcome dismissed or upheld", pointer="outcome")


def _decide(work: UnitOfWork, proposal: Proposal, now: datetime) -> Mapping[str, object]:
    alarm = _find(work, str(proposal.said["alarm"]))
    decided = replace(alarm, state=AlarmState(proposal.said["outcome"]))
    _put(work, decided, now, _decider(proposal), proposal.reason)
    return {"alarm": alarm.id}


def _decider(proposal: Proposal) -> str:
    return proposal.decision.officer if proposal.decision else proposal.officer


def _require(said: Mapping[str, object], *names: str) -> None:
    if set(said) != set(names) or not all(isinstance(value, str) for value in said.values()):
        raise Refusal(Code.MALFORMED, f"want the texts {', '.join(names)}, and nothing else")


def _find(work: UnitOfWork, id_: str) -> Alarm:
    alarm = work.detection.alarm(id_)
    if alarm is None:
        raise Refusal(Code.NOT_FOUND, "there is no such alarm; see the list of alarms")
    return alarm


def _own(work: UnitOfWork, party: Party, id_: str) -> Alarm:
    alarm = work.detection.alarm(id_)
    if alarm is None or alarm.party != party.id:
        raise Refusal(Code.NOT_FOUND, "you have no such alarm; see the list of yours")
    return alarm


def _put(work: UnitOfWork, alarm: Alarm, now: datetime, actor: str, words: str) -> Alarm:
    if not words.strip() or len(words) > _LONGEST or not words.replace("\n", " ").isprintable():
        raise Refusal(Code.MALFORMED, "say why, in up to 2,000 printable characters", pointer="reason")
    said = replace(alarm, said=(*alarm.said, f"{now:%Y-%m-%dT%H:%M:%SZ} {actor} {alarm.state.value}: {words}"))
    work.detection.put_alarm(said)
    facts = {"alarm": alarm.id, "state": alarm.state.value, "grade": alarm.grade.word}
    work.audit.append(AuditEvent(Act.ALARM_DECIDED, actor, now, facts))
    return said


@dataclass(slots=True)
class Restraints:
    """Which verifiers are told to try later, or nothing any more: read anew every few seconds. `require` is what the
    gate restrains with."""

    begin: Begin
    every: timedelta = timedelta(seconds=5)
    _read_at: datetime | None = None
    _grades: Mapping[Who, Grade] | None = None

    def require(self, admitted: Admitted, now: datetime) -> None:
        """Raises Refusal(BUSY) for tryLater, Refusal(NOT_ADMITTED) for who is blocked; and what storage raises."""
        party, provider, _ = admitted
        if party is None or party.role is not Role.VERIFIER:
            return
        grades = self._current(now)
        if grades:
            who = (party.id, -1 if provider is None else provider.id)
            grade = max(grades.get(who, 0), grades.get((party.id, -1), 0))
            for rule in RESTRAINT_RULES:
                if rule.grade == grade:
                    raise rule.refuse()

    def _current(self, now: datetime) -> Mapping[Who, Grade]:
        if self._grades is None or self._read_at is None or not timedelta() <= now - self._read_at < self.every:
            # Set first: one thread reads, and the others, who may hold a connection each, go on by what they know.
            self._read_at = now
            try:
                self._grades = self._read()
            except Refusal:
                # So does the node while the database is away.
                if self._grades is None:
                    raise
        return self._grades

    def _read(self) -> Mapping[Who, Grade]:
        grades: dict[Who, Grade] = {}
        with self.begin(write=False) as work:
            for alarm in work.detection.alarms():
                who = (alarm.party, alarm.provider)
                if restrained := alarm.restrains():
                    grades[who] = max(restrained, grades.get(who, Grade.NOTE))
        return grades


def days_to_judge(clock: Clock) -> tuple[date, date]:
    """Yesterday, of which records may still have come in, and today."""
    today = clock().date()
    return today - timedelta(days=1), today
