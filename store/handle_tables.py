"""The tables of handles, beside `store.tables`. No handle is kept here but of those that asked for news."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
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

from domain.handles import HandleWord
from store.metadata import metadata
from store.types import Choice, RowId, UtcDateTime

# Generations of the key of handles, never the key.
handle_keys = Table(
    "handle_keys",
    metadata,
    Column("generation", Integer, primary_key=True, autoincrement=False),
    Column("check", LargeBinary(32), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("current_since", UtcDateTime),
    Column("retired_at", UtcDateTime),
)

# Who wants news of whom: neither topic nor handle leads to anybody without the key. Kept until the recipient ends it.
handle_subscriptions = Table(
    "handle_subscriptions",
    metadata,
    Column("topic", LargeBinary(16), nullable=False),
    Column("party_id", RowId, ForeignKey("parties.id"), nullable=False),
    Column("provider_id", RowId, nullable=False),
    Column("handle", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("topic", "party_id", "provider_id"),
    Index(None, "generation"),
)

# News for recipients: without a number until they are due. Erased some time after they were told.
handle_notices = Table(
    "handle_notices",
    metadata,
    Column("mark", LargeBinary(16), primary_key=True),
    Column("party_id", RowId, ForeignKey("parties.id"), nullable=False),
    Column("provider_id", RowId, nullable=False),
    Column("handle", Text, nullable=False),
    Column("word", Choice(HandleWord), nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("number", RowId),
    Column("told_at", UtcDateTime),
    UniqueConstraint("party_id", "provider_id", "number"),
    Index(
        "handle_notices_untold",
        "due_at",
        sqlite_where=text("number IS NULL"),
        postgresql_where=text("number IS NULL"),
    ),
    Index(None, "told_at"),
)

# The last number each recipient was given, and (recipient 0) the last change of status that was looked at.
handle_numbers = Table(
    "handle_numbers",
    metadata,
    Column("party_id", RowId, nullable=False),
    Column("provider_id", RowId, nullable=False),
    Column("last", RowId, nullable=False),
    PrimaryKeyConstraint("party_id", "provider_id"),
)

# The register of tracers: sealed with a key of its own. Kept as long as issuance records.
tracers = Table(
    "tracers",
    metadata,
    Column("proposal", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("proposal", "place"),
)

# Where tracers were seen, each recipient and channel once. Party 0: somebody who could not be named.
tracer_sightings = Table(
    "tracer_sightings",
    metadata,
    Column("proposal", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("party_id", RowId, nullable=False),
    Column("provider_id", RowId, nullable=False),
    Column("channel", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("proposal", "place", "party_id", "provider_id", "channel"),
)
