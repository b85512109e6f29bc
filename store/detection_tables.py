"""The tables of detection: days of verifiers, and alarms."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, Integer, LargeBinary, PrimaryKeyConstraint, SmallInteger, Table, Text

from domain.detection import AlarmState
from store.metadata import metadata
from store.types import Choice, UtcDateTime

# What a verifier, or a provider behind a platform, asked on a day: counts and keyed digests. Erased after two months.
asking_days = Table(
    "asking_days",
    metadata,
    Column("day", Date, nullable=False),
    Column("party", Integer, nullable=False),
    Column("provider", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("day", "party", "provider"),
)

# Rules that held for such a day, and what people decided. `measures` and `said` are JSON.
alarms = Table(
    "alarms",
    metadata,
    Column("id", Text, primary_key=True),
    Column("day", Date, nullable=False),
    Column("party", Integer, nullable=False),
    Column("provider", Integer, nullable=False),
    Column("rule", Text, nullable=False),
    Column("grade", SmallInteger, nullable=False),
    Column("measures", Text, nullable=False),
    Column("raised_at", UtcDateTime, nullable=False),
    Column("state", Choice(AlarmState), nullable=False),
    Column("said", Text, nullable=False),
    Index(None, "party"),
)
