"""Detection: a verifier's day in numbers and a keyed sample, and alarms that people decide about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum, IntEnum
from typing import Protocol

NOBODY = -1
"""The provider of a party that asks for itself."""


class Grade(IntEnum):
    """What an alarm does. The first three come by rule; only two officers block."""

    NOTE = 1
    JUSTIFY = 2
    TRY_LATER = 3
    BLOCK = 4

    @property
    def word(self) -> str:
        return self.name.lower().replace("_", "-")


class AlarmState(Enum):
    """OPEN: nobody decided. JUSTIFIED: the verifier said why. APPEALED: it does not accept the decision."""

    OPEN = "open"
    JUSTIFIED = "justified"
    UPHELD = "upheld"
    DISMISSED = "dismissed"
    APPEALED = "appealed"


@dataclass(frozen=True, slots=True)
class AskingDay:
    """What one verifier, or one provider behind a platform, asked on one day (UTC). `content` is what
    `detection.sketch.Sketch` keeps: counts, and a sample of keyed digests that mean nothing without the month's key."""

    day: date
    party: int
    provider: int
    content: bytes = field(repr=False)

    @property
    def who(self) -> tuple[int, int]:
        return self.party, self.provider


@dataclass(frozen=True, slots=True)
class Alarm:
    """A rule that held for a verifier's day. `measures` are the numbers that it held for; `said` is what the verifier
    and the officers wrote, in order."""

    id: str
    day: date
    party: int
    provider: int
    rule: str
    grade: Grade
    measures: Mapping[str, float]
    raised_at: datetime
    state: AlarmState = AlarmState.OPEN
    said: tuple[str, ...] = ()

    def restrains(self) -> Grade | None:
        """What it does to the verifier's questions now: TRY_LATER while nobody dismissed it, BLOCK by decision."""
        return None if self.state is AlarmState.DISMISSED or self.grade < Grade.TRY_LATER else self.grade


class DetectionRepository(Protocol):
    """Days of verifiers, and alarms."""

    def day(self, day: date, party: int, provider: int) -> AskingDay | None: ...

    def put_day(self, day: AskingDay) -> None:
        """Insert, or replace."""

    def days(self, first: date, last: date) -> Iterator[AskingDay]:
        """All of these days, by day."""

    def forget(self, before: date) -> int:
        """Erase days before this one; how many rows."""

    def put_alarm(self, alarm: Alarm) -> None:
        """Insert, or replace the one with this id."""

    def alarm(self, id_: str) -> Alarm | None: ...

    def alarms(self, party: int | None = None) -> Sequence[Alarm]:
        """Those of a party, or all; newest first."""
