"""Holds that are lifted or grow old, and residents found by a digest of their four items."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("residents", sa.Column("items_digest", sa.LargeBinary(), nullable=True))
    op.create_index("residents_by_items_digest", "residents", ["items_digest"])
    op.create_index(
        "residents_unmatched",
        "residents",
        ["id"],
        sqlite_where=sa.text("items_digest IS NULL"),
        postgresql_where=sa.text("items_digest IS NULL"),
    )
    op.add_column("revocations", sa.Column("reported_at", sa.BigInteger(), nullable=True))
    op.create_index(
        "revocations_held",
        "revocations",
        ["revoked_at", "issuer", "serial"],
        sqlite_where=sa.text("reason = 6"),
        postgresql_where=sa.text("reason = 6"),
    )
    op.create_index(
        "revocations_unreported",
        "revocations",
        ["revoked_at", "issuer", "serial"],
        sqlite_where=sa.text("reason = 6 AND reported_at IS NULL"),
        postgresql_where=sa.text("reason = 6 AND reported_at IS NULL"),
    )
    op.create_table(
        "releases",
        sa.Column("id", row_id, nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("serial", sa.LargeBinary(length=16), nullable=False),
        sa.Column("held_at", sa.BigInteger(), nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer", "serial"],
            ["certificates.issuer", "certificates.serial"],
            name="releases_issuer_serial_known",
        ),
        sa.PrimaryKeyConstraint("id", name="releases_key"),
    )
    op.create_index("releases_by_issuer_serial", "releases", ["issuer", "serial"])
    op.create_table(
        "hold_misses",
        sa.Column("id", row_id, nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="hold_misses_key"),
    )
    op.create_index("hold_misses_by_caller_at", "hold_misses", ["caller", "at"])
