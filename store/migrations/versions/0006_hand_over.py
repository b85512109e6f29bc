"""Certificates that wait for their hand-over, and the one that each follows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # Added without making the table anew: it is the largest one, and others refer to it.
    op.add_column("certificates", sa.Column("pending", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("certificates", sa.Column("predecessor", row_id, nullable=True))
    op.drop_index("certificates_live_once", "certificates")
    holder = ["resident_id", "kind", "carrier"]
    live, pending = sa.text("ended_at IS NULL AND NOT pending"), sa.text("ended_at IS NULL AND pending")
    op.create_index(
        "certificates_live_once", "certificates", holder, unique=True, sqlite_where=live, postgresql_where=live
    )
    op.create_index(
        "certificates_pending_once", "certificates", holder, unique=True, sqlite_where=pending, postgresql_where=pending
    )
    op.create_index(
        "certificates_overdue",
        "certificates",
        ["reserved_at", "application_id"],
        sqlite_where=pending,
        postgresql_where=pending,
    )
