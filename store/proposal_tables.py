"""The table of proposals beside `store.tables`: never deleted, since audit rows name them."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table, Text

from domain.proposals import ProposalState
from store.tables import metadata
from store.types import Choice, UtcDateTime

proposals = Table(
    "proposals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("officer", Text, nullable=False),
    Column("credential", LargeBinary(32), nullable=False),
    # Of what was said at a terminal; null where a TLS handshake showed who spoke.
    Column("signature", LargeBinary),
    Column("proposed_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("state", Choice(ProposalState), nullable=False),
    Column("decided_by", Text),
    Column("decided_credential", LargeBinary(32)),
    Column("decided_signature", LargeBinary),
    Column("decided_at", UtcDateTime),
    Column("decided_reason", Text),
    Index(None, "state", "proposed_at"),
)
