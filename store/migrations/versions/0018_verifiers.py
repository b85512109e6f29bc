"""Standings of verifiers, what was approved for them, and the applications for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("parties") as parties:
        parties.add_column(sa.Column("standing", sa.String(length=32), nullable=True))
        parties.add_column(sa.Column("behind", row_id, nullable=True))
        parties.create_foreign_key("parties_behind_known", "parties", ["behind"], ["id"])
    op.add_column("credentials", sa.Column("purpose", sa.Text(), nullable=True))
    op.create_table(
        "approvals",
        sa.Column("party_id", row_id, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("purposes", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("proposal", sa.Text(), nullable=False),
        sa.Column("notified_at", sa.BigInteger(), nullable=True),
        sa.Column("suspended_at", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["party_id"], ["parties.id"], name="approvals_party_id_known"),
        sa.PrimaryKeyConstraint("party_id", "kind", name="approvals_key"),
    )
    op.create_table(
        "vettings",
        sa.Column("id", row_id, nullable=False),
        sa.Column("party_id", row_id, nullable=False),
        sa.Column("purposes", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("applied_by", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("proposal", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["party_id"], ["parties.id"], name="vettings_party_id_known"),
        sa.PrimaryKeyConstraint("id", name="vettings_key"),
    )
    op.create_index("vettings_by_party_id", "vettings", ["party_id"])
