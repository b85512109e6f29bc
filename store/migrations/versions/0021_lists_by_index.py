"""Revocations in the order of their lists, with all that a list says of them."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = ["issuer", "municipality", "serial", "revoked_at", "reason", "not_after"]
    op.create_index("revocations_listed", "revocations", columns)
    op.drop_index("revocations_by_issuer_municipality_serial", "revocations")
