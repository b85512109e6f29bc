"""The tables of changes, of their lags, of changes of status, and of what stands, beside `store.tables`."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text

from domain.changes import Leg
from domain.revocation import RevocationCause
from store.metadata import metadata
from store.types import Choice, Municipal, RowId, SerialOctets, UtcDateTime

# What lists should say anew: a row for each act and series of lists, also where it changed thousands of certificates.
# Kept as long as receipts: nothing else is made of it.
changes = Table(
    "changes",
    metadata,
    Column("issuer", Text, nullable=False),
    Column("municipality", Municipal, nullable=False),
    Column("number", RowId, nullable=False),
    Column("count", RowId, nullable=False),
    Column("receipt", Text, nullable=False),
    Column("cause", Choice(RevocationCause)),
    Column("received_at", UtcDateTime, nullable=False),
    Column("committed_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("issuer", "municipality", "number"),
    Index(None, "receipt"),
    Index(None, "committed_at"),
)

# Standing revocations by series of lists, counted by triggers of the database alone: how many, and the sum of their
# weights (`domain.revocation.weight`). What a list says must come to the same.
revocation_counts = Table(
    "revocation_counts",
    metadata,
    Column("issuer", Text, nullable=False),
    Column("municipality", Municipal, nullable=False),
    Column("entries", RowId, nullable=False),
    Column("weight", RowId, nullable=False),
    PrimaryKeyConstraint("issuer", "municipality"),
)

# How long changes took, counted once, when their first list is out. Bound 0: longer than every bound.
lag_counts = Table(
    "lag_counts",
    metadata,
    Column("leg", Choice(Leg), nullable=False),
    Column("bound", Integer, nullable=False),
    Column("count", RowId, nullable=False),
    Column("seconds", RowId, nullable=False),
    PrimaryKeyConstraint("leg", "bound"),
)

# Certificates whose status changed, in the order of the commits: status models follow them. Of use until every node has
# seen them; a model that is older is made anew.
status_changes = Table(
    "status_changes",
    metadata,
    Column("sequence", RowId, primary_key=True, autoincrement=True),
    Column("issuer", Text, nullable=False),
    Column("serial", SerialOctets, nullable=False),
    # The beginning of the audit head's digest after that commit; null from processes of the version before.
    Column("link", LargeBinary),
)
