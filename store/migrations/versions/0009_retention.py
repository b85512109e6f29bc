"""Records by the end of their certificates, for finding those that are not kept any longer."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("certificates", "revocations"):
        op.create_index(f"{table}_by_not_after", table, ["not_after"])
