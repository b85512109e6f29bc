"""Changes of lists with their times, when lists were in place, and receipts by their number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("municipality", sa.String(length=6), nullable=False),
        sa.Column("number", row_id, nullable=False),
        sa.Column("count", row_id, nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("committed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "municipality", "number", name="changes_key"),
    )
    op.create_index("changes_by_receipt", "changes", ["receipt"])
    op.create_index("changes_by_committed_at", "changes", ["committed_at"])
    op.create_table(
        "lag_counts",
        sa.Column("leg", sa.String(length=32), nullable=False),
        sa.Column("bound", sa.Integer(), nullable=False),
        sa.Column("count", row_id, nullable=False),
        sa.Column("seconds", row_id, nullable=False),
        sa.PrimaryKeyConstraint("leg", "bound", name="lag_counts_key"),
    )
    op.add_column("lists", sa.Column("published_at", sa.BigInteger(), nullable=True))
    op.create_index("lists_by_covers", "lists", ["issuer", "municipality", "covers", "number"])
    op.add_column("receipts", sa.Column("number", sa.Text(), nullable=True))
    op.create_index("receipts_by_number", "receipts", ["number"])
