"""The table of validations beside `store.tables`."""

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

from store.metadata import metadata
from store.types import RowId, UtcDateTime

# Validations for operators: the receipt, to be given again, and the digest of the consent that was used up. Nothing of
# the person. Kept until `keep_until`.
validations = Table(
    "validations",
    metadata,
    Column("party_id", RowId, ForeignKey("parties.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("content", LargeBinary(32), nullable=False),
    Column("consent", LargeBinary(32), nullable=False),
    Column("receipt", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("keep_until", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("party_id", "key"),
    UniqueConstraint("consent"),
    Index(None, "keep_until"),
    CheckConstraint("length(consent) = 32", name="consent_width"),
)
