"""Records of provisions: segments that are filed, and the ledger with the keys of its months."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "provision_segments",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("damaged", sa.Integer(), nullable=False),
        sa.Column("filed", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="provision_segments_key"),
    )
    op.create_index("provision_segments_by_node_last_at", "provision_segments", ["node", "last_at"])
    op.create_table(
        "ledger_epochs",
        sa.Column("epoch", sa.String(length=7), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", name="ledger_epochs_key"),
    )
    op.create_table(
        "ledger_lines",
        sa.Column("id", row_id, nullable=False),
        sa.Column("epoch", sa.String(length=7), nullable=False),
        sa.Column("tag", sa.LargeBinary(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="ledger_lines_key"),
    )
    op.create_index("ledger_lines_by_epoch_tag", "ledger_lines", ["epoch", "tag"])
    op.create_table(
        "ledger_challenges",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="ledger_challenges_key"),
    )
