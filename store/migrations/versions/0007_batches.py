"""Batches of applications, their items, and the queue of each municipality."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("id", row_id, nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(length=32), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("cancelled_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="batches_key"),
        sa.UniqueConstraint("caller", "key", name="batches_caller_key_once"),
    )
    op.create_table(
        "batch_items",
        sa.Column("batch_id", row_id, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("municipality", sa.String(length=6), nullable=True),
        sa.Column("slot", sa.Integer(), nullable=True),
        sa.Column("application_id", row_id, nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("pointer", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="batch_items_batch_id_known"),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name="batch_items_application_id_known"),
        sa.PrimaryKeyConstraint("batch_id", "line", name="batch_items_key"),
    )
    for state, leader in (("waiting", "municipality"), ("begun", "slot")):
        where = sa.text(f"state = '{state}'")
        op.create_index(
            f"batch_items_{state}",
            "batch_items",
            [leader, "batch_id", "line"],
            sqlite_where=where,
            postgresql_where=where,
        )
    op.create_table(
        "batch_queues",
        sa.Column("municipality", sa.String(length=6), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("served", row_id, nullable=False),
        sa.PrimaryKeyConstraint("municipality", name="batch_queues_key"),
    )
