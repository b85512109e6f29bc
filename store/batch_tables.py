"""The tables of batches: files of applications, their items, and the queues of municipalities."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from domain.batches import ItemState
from domain.errors import Code
from store.metadata import metadata
from store.types import Choice, Municipal, RowId, UtcDateTime

# Files of applications. Deleted with their items when the retention after their end is over.
batches = Table(
    "batches",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("caller", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("content", LargeBinary(32), nullable=False),
    Column("items", Integer, nullable=False),
    Column("open", Integer, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("cancelled_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    UniqueConstraint("caller", "key"),
)

# One row for each line. What it asks for is sealed, and erased when the item ends.
batch_items = Table(
    "batch_items",
    metadata,
    Column("batch_id", RowId, ForeignKey("batches.id"), nullable=False),
    Column("line", Integer, nullable=False),
    Column("key", Text),
    Column("state", Choice(ItemState), nullable=False),
    Column("municipality", Municipal),
    Column("slot", Integer),
    Column("application_id", RowId, ForeignKey("applications.id")),
    Column("reason", Choice(Code)),
    Column("detail", Text),
    Column("pointer", Text),
    Column("sealed", LargeBinary),
    PrimaryKeyConstraint("batch_id", "line"),
    Index(
        "batch_items_waiting",
        "municipality",
        "batch_id",
        "line",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(
        "batch_items_begun",
        "slot",
        "batch_id",
        "line",
        sqlite_where=text("state = 'begun'"),
        postgresql_where=text("state = 'begun'"),
    ),
)

# The queue of each municipality: how many items wait in it, and when it was served last, in rounds.
batch_queues = Table(
    "batch_queues",
    metadata,
    Column("municipality", Municipal, primary_key=True),
    Column("waiting", Integer, nullable=False),
    Column("served", RowId, nullable=False),
)
