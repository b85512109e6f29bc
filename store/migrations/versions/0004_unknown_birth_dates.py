"""Birth dates of which parts are unknown: how they are written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("residents", sa.Column("birth_date_text", sa.Text(), nullable=True))
