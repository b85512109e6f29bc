"""The tables of the generations of keys of resident codes, beside `store.tables`."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text

from domain.code_keys import CodePart
from store.tables import metadata
from store.types import Choice, RowId, UtcDateTime

# Generations of the keys of resident codes, never the keys: those are secrets, outside the database.
code_keys = Table(
    "code_keys",
    metadata,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("check", LargeBinary(32), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("superseded_at", UtcDateTime),
    Column("retired_at", UtcDateTime),
    Column("kept", LargeBinary),
)

# How far the rows of each part were moved to a generation.
code_moves = Table(
    "code_moves",
    metadata,
    Column("generation", Integer, ForeignKey("code_keys.generation"), nullable=False),
    Column("part", Choice(CodePart), nullable=False),
    Column("after", Text, nullable=False),
    Column("moved", RowId, nullable=False),
    Column("done_at", UtcDateTime),
    PrimaryKeyConstraint("generation", "part"),
)
