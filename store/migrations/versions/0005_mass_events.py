"""Mass events, and the residents kept with their previews."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "mass_events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("order", sa.Text(), nullable=False),
        sa.Column("preview", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("previewed_by", sa.Text(), nullable=False),
        sa.Column("previewed_at", sa.BigInteger(), nullable=False),
        sa.Column("step", row_id, nullable=False),
        sa.Column("tally", sa.Text(), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="mass_events_key"),
    )
    op.create_table(
        "mass_rows",
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("position", row_id, nullable=False),
        sa.Column("resident_id", row_id, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("event", "position", name="mass_rows_key"),
    )
