"""The tables of provisions: segments that are filed, the ledger and the keys of its months, challenges answered."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from store.metadata import metadata
from store.types import RowId, UtcDateTime

# Files of records, from the moment that they are filed. The row stays when the file is erased.
provision_segments = Table(
    "provision_segments",
    metadata,
    Column("id", LargeBinary(16), primary_key=True),
    Column("node", Text, nullable=False),
    Column("begun_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("records", Integer, nullable=False),
    Column("damaged", Integer, nullable=False),
    Column("filed", Integer, nullable=False),
    Column("digest", LargeBinary(32)),
    Column("erased_at", UtcDateTime),
    Index(None, "node", "last_at"),
)

# The keys of the ledger's months, sealed. Erased with their month, and with them what every copy of a line says.
ledger_epochs = Table(
    "ledger_epochs",
    metadata,
    Column("epoch", String(7), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

# What was told about one certificate or list, sealed; found by a keyed tag.
ledger_lines = Table(
    "ledger_lines",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("epoch", String(7), nullable=False),
    Column("tag", LargeBinary(16), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index(None, "epoch", "tag"),
)

# Challenges by which residents showed who they are: each opens a ledger once.
ledger_challenges = Table(
    "ledger_challenges",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("answered_at", UtcDateTime, nullable=False),
)
