"""The tables of parties beside `store.tables`: who they are, what was approved for them, and on what evidence."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from domain.certificates import Kind
from domain.parties import Role, Usage
from domain.standings import Standing
from store.metadata import metadata
from store.types import Choice, Kinds, Municipal, RowId, UtcDateTime

# Named parties and their credentials: kept as long as audit rows name them.
parties = Table(
    "parties",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("role", Choice(Role), nullable=False),
    Column("name", Text, nullable=False),
    Column("municipality", Municipal),
    Column("kinds", Kinds, nullable=False),
    Column("in_force_until", UtcDateTime),
    Column("suspended_at", UtcDateTime),
    Column("added_at", UtcDateTime, nullable=False),
    # What a verifier is in law, and the party that it asks through.
    Column("standing", Choice(Standing)),
    Column("behind", RowId, ForeignKey("parties.id")),
    UniqueConstraint("role", "name"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("fingerprint", LargeBinary(32), primary_key=True),
    Column("usage", Choice(Usage), nullable=False),
    Column("party_id", RowId, ForeignKey("parties.id"), nullable=False),
    Column("not_after", UtcDateTime, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("withdrawn_at", UtcDateTime),
    Column("certificate", LargeBinary, nullable=False),
    # The one purpose it speaks for; null for all.
    Column("purpose", Text),
    Index(None, "party_id"),
    CheckConstraint("length(fingerprint) = 32", name="fingerprint_width"),
)

# What two officers approved for a verifier, by kind of certificates. Kept as long as parties are.
approvals = Table(
    "approvals",
    metadata,
    Column("party_id", RowId, ForeignKey("parties.id"), nullable=False),
    Column("kind", Choice(Kind), nullable=False),
    # Joined by blanks, in order.
    Column("purposes", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("proposal", Text, nullable=False),
    Column("notified_at", UtcDateTime),
    Column("suspended_at", UtcDateTime),
    Column("withdrawn_at", UtcDateTime),
    PrimaryKeyConstraint("party_id", "kind"),
)

# Applications of verifiers, with the evidence for each (JSON). Kept as long as parties are.
vettings = Table(
    "vettings",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("party_id", RowId, ForeignKey("parties.id"), nullable=False),
    Column("purposes", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("applied_by", Text, nullable=False),
    Column("applied_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Column("proposal", Text),
    Index(None, "party_id"),
)
