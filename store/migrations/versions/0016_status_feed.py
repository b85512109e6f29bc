"""Changes of status that are bound to the audit trail, and an index that status models are made from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("status_changes", sa.Column("link", sa.LargeBinary(), nullable=True))
    op.drop_index("certificates_by_not_after", "certificates")
    op.create_index("certificates_by_not_after", "certificates", ["not_after", "issuer", "serial"])
