"""Detection over one state directory: days of verifiers judged, now and again, by the rules in force."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from config.assemble import Services
from detection.judging import days_to_judge, judge_day
from domain.detection import Alarm
from domain.parties import Party
from policies.retention import Records

EVERY = timedelta(hours=1)
"""Between two judgements of the same day, which grows."""


def judge_now(services: Services, actor: str) -> Sequence[Alarm]:
    """Judge yesterday and today; the alarms that are new. Raises Refusal(BUSY), Refusal(STORE_UNAVAILABLE)."""
    now, kept = services.clock(), services.law.retention[Records.ASKED]
    alarms = [
        alarm
        for day in days_to_judge(services.clock)
        for alarm in judge_day(services.begin, services.law.detection, day, now, actor, kept)
    ]
    services.judged_at = now
    return alarms


def judge_due(services: Services, actor: str) -> Sequence[Alarm]:
    """The same if it was not done for an hour."""
    last = services.judged_at
    return judge_now(services, actor) if last is None or services.clock() - last >= EVERY else ()


def alarms_of(services: Services, party: Party) -> Sequence[Alarm]:
    """A verifier's own alarms."""
    with services.begin(write=False) as work:
        return work.detection.alarms(party.id)


def title_of(services: Services, rule: str) -> tuple[str, str]:
    """What a rule is called, in Japanese and English; a rule that is no more by its id."""
    found = services.law.detection.get(rule)
    return (found.title_ja, found.title_en) if found else (rule, rule)
