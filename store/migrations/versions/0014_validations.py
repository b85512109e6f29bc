"""Validations for operators, each with the consent that it used up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "validations",
        sa.Column(
            "party_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.ForeignKey("parties.id", name="validations_party_id_known"),
            nullable=False,
        ),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(32), nullable=False),
        sa.Column("consent", sa.LargeBinary(32), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("keep_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("party_id", "key", name="validations_key"),
        sa.UniqueConstraint("consent", name="validations_consent_once"),
        sa.CheckConstraint("length(consent) = 32", name="validations_consent_width"),
    )
    op.create_index("validations_by_keep_until", "validations", ["keep_until"])
