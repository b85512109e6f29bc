"""Generations of the keys of resident codes, and how far rows were moved from one to the next."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "code_keys",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("check", sa.LargeBinary(length=32), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("superseded_at", sa.BigInteger(), nullable=True),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.Column("kept", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("generation", name="code_keys_key"),
    )
    op.create_table(
        "code_moves",
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(length=32), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("moved", row_id, nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["generation"], ["code_keys.generation"], name="code_moves_generation_known"),
        sa.PrimaryKeyConstraint("generation", "part", name="code_moves_key"),
    )
    # Rows that are there were made with the first generation.
    op.add_column("audit_head", sa.Column("code_keys", sa.String(length=64), nullable=False, server_default="1"))
