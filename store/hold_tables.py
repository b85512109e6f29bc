"""The tables of holds beside `store.tables`: those that were lifted, and attempts that named nobody."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table, Text

from store.tables import metadata
from store.types import RowId, SerialOctets, UtcDateTime

# Holds that were lifted: why an entry is on no list any more. Kept as long as issuance records.
releases = Table(
    "releases",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("serial", SerialOctets, nullable=False),
    Column("held_at", UtcDateTime, nullable=False),
    Column("released_at", UtcDateTime, nullable=False),
    Column("receipt", Text, nullable=False),
    ForeignKeyConstraint(["issuer", "serial"], ["certificates.issuer", "certificates.serial"]),
    Index(None, "issuer", "serial"),
)

# Attempts at a hold that named nobody, while they count against their caller.
hold_misses = Table(
    "hold_misses",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("caller", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "caller", "at"),
)
