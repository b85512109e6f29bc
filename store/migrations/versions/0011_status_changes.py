"""Changes of status in the order of their commits, for the status models of nodes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "status_changes",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("serial", sa.LargeBinary(16), nullable=False),
    )
