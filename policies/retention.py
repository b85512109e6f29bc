"""Retention: how long records of a certificate are kept after its expiry, as a table of rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from types import MappingProxyType

from policies.tables import Table
from policies.validity import JST, day_in_japan, end_of_day, last_day_of_years

_COLUMNS = ("records", "title_ja", "title_en", "basis", "source", "verified")


class Records(Enum):
    """Groups of rows that are kept alike."""

    REVOCATIONS = "revocations"
    CERTIFICATES = "certificates"
    RESIDENTS = "residents"
    RECEIPTS = "receipts"
    PROVISIONS = "provisions"
    ASKED = "asked"
    NEWS = "news"
    SUBSCRIPTIONS = "subscriptions"
    AUDIT = "audit"


_RECORDS = {records.value: records for records in Records}
_BASES = {"expiry": "years", "hand-over": "years", "day": "days", "none": ""}
"""What is counted from then on."""
_BASIS_OF = {
    Records.REVOCATIONS: "expiry",
    Records.CERTIFICATES: "expiry",
    Records.PROVISIONS: "hand-over",
    Records.ASKED: "day",
    Records.NEWS: "day",
}
"""By what those are erased that erase themselves; of the others no table may say that."""
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """One row of the table. `years` count from the day after expiry, or after the hand-over, `days` from the day
    itself; with neither nothing is erased by itself."""

    records: Records
    title_ja: str
    title_en: str
    years: int | None
    source: str
    verified: bool
    days: int | None = None

    @property
    def words(self) -> str:
        """How long that is."""
        if self.days is not None:
            return f"erased {self.days} days after"
        return "not erased by itself" if self.years is None else f"erased {self.years} years after"

    def days_before(self, now: datetime) -> datetime:
        """What is of before this moment is not kept any longer at `now`."""
        return _NEVER if self.days is None else now - timedelta(days=self.days)

    def kept_until(self, not_after: datetime) -> datetime:
        """The last second for which the record of a certificate that ended then is kept. `years` is not None."""
        if self.years is None:
            raise ValueError(f"nothing says how long {self.records.value} are kept")
        if self.years == 0:
            return not_after
        day_after = day_in_japan(not_after) + timedelta(days=1)
        return end_of_day(last_day_of_years(day_after, self.years))

    def over_before(self, now: datetime) -> datetime:
        """Records of certificates that ended before this moment, and of no others, are not kept any longer at `now`."""
        if self.years is None:
            return _NEVER
        if self.years == 0:
            return now
        # Close to the day, from below; the days around 29 February make the rest.
        today = day_in_japan(now)
        day = last_day_of_years(today, -self.years) - timedelta(days=3)
        while self.kept_until(end_of_day(day)) < now:
            day += timedelta(days=1)
        return datetime(day.year, day.month, day.day, tzinfo=JST).astimezone(UTC)


def load_retention(content: Mapping[str, object]) -> Mapping[Records, RetentionRule]:
    """The table from a parsed document with rows `retention`. Raises TableFaults with every fault found."""
    table = Table("retention")
    rules: dict[Records, RetentionRule] = {}
    for row in table.rows(content, _COLUMNS, optional=("years", "days")):
        records, counted = row.choice("records", _RECORDS), row.choice("basis", _BASES)
        basis, own = row.content.get("basis"), _BASIS_OF.get(records) if records else None
        if records is not None and counted and basis != own:
            row.fault(f"basis: {records.value} are {f'erased by {own}' if own else 'not erased by themselves'}")
        title_ja, title_en = row.text("title_ja"), row.text("title_en")
        source, verified = row.text("source"), row.flag("verified")
        years, days = row.content.get("years"), row.content.get("days")
        if counted is not None and (counted == "years") != (type(years) is int and 0 <= years <= 100):
            row.fault("years: want a whole number of years from 0 to 100 with expiry or hand-over, and none without")
        if counted is not None and (counted == "days") != (type(days) is int and 1 <= days <= 3650):
            row.fault("days: want a whole number of days from 1 to 3650 with day, and none without")
        if records in rules:
            row.fault("these records stand twice")
        if records is not None:
            kept, for_days = (number if isinstance(number, int) else None for number in (years, days))
            rules[records] = RetentionRule(records, title_ja, title_en, kept, source, verified, for_days)
    table.require_all(_RECORDS, rules)
    return MappingProxyType(rules)
