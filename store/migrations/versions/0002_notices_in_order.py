"""Notices in the order of their sender's numbers: held, applied or quarantined."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "notice_senders",
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("expected", row_id, nullable=False),
        sa.PrimaryKeyConstraint("sender", name="notice_senders_key"),
    )
    with op.batch_alter_table("notices") as notices:
        notices.alter_column("resident_id", existing_type=row_id, nullable=True)
        notices.alter_column("type", existing_type=sa.String(length=32), nullable=True)
        notices.alter_column("effective_on", existing_type=sa.Date(), nullable=True)
        notices.alter_column("municipality", existing_type=sa.String(length=6), nullable=True)
        notices.add_column(sa.Column("sequence", row_id, nullable=True))
        notices.add_column(sa.Column("state", sa.String(length=32), nullable=False, server_default="applied"))
        notices.add_column(sa.Column("sealed", sa.LargeBinary(), nullable=True))
        notices.add_column(sa.Column("reason", sa.String(length=32), nullable=True))
        notices.add_column(sa.Column("detail", sa.Text(), nullable=True))
        notices.create_unique_constraint("notices_sender_sequence_once", ["sender", "sequence"])
    op.create_index(
        "notices_waiting",
        "notices",
        ["sender", "state", "sequence"],
        sqlite_where=sa.text("state <> 'applied'"),
        postgresql_where=sa.text("state <> 'applied'"),
    )
