"""Lines of renewed certificates, and handles: generations of their key, subscriptions, news."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# A renewed certificate waits beside the one it follows, or that one was revoked for it. Repeated, since the line of a
# line's third certificate is known when that of its second is.
LINES = """UPDATE certificates SET line = (
    SELECT COALESCE(older.line, older.application_id) FROM certificates AS older
    WHERE older.application_id = certificates.predecessor AND older.kind = certificates.kind
) WHERE predecessor IS NOT NULL AND EXISTS (
    SELECT 1 FROM certificates AS older
    LEFT JOIN revocations ON revocations.issuer = older.issuer AND revocations.serial = older.serial
    WHERE older.application_id = certificates.predecessor AND older.kind = certificates.kind
    AND (revocations.cause = 'renewal' OR (certificates.pending AND certificates.ended_at IS NULL))
    AND (certificates.line IS NULL OR certificates.line <> COALESCE(older.line, older.application_id))
)"""


def upgrade() -> None:
    op.add_column("certificates", sa.Column("line", row_id, nullable=True))
    op.create_index(
        "certificates_renewed",
        "certificates",
        ["line"],
        sqlite_where=sa.text("line IS NOT NULL"),
        postgresql_where=sa.text("line IS NOT NULL"),
    )
    connection = op.get_bind()
    statement = sa.text(LINES)
    while connection.execute(statement).rowcount > 0:
        pass
    op.create_table(
        "handle_keys",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("check", sa.LargeBinary(length=32), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("current_since", sa.BigInteger(), nullable=True),
        sa.Column("retired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("generation", name="handle_keys_key"),
    )
    op.create_table(
        "handle_subscriptions",
        sa.Column("topic", sa.LargeBinary(length=16), nullable=False),
        sa.Column("party_id", row_id, nullable=False),
        sa.Column("provider_id", row_id, nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["parties.id"], name="handle_subscriptions_party_id_known"),
        sa.PrimaryKeyConstraint("topic", "party_id", "provider_id", name="handle_subscriptions_key"),
    )
    op.create_index("handle_subscriptions_by_generation", "handle_subscriptions", ["generation"])
    op.create_table(
        "handle_notices",
        sa.Column("mark", sa.LargeBinary(length=16), nullable=False),
        sa.Column("party_id", row_id, nullable=False),
        sa.Column("provider_id", row_id, nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("word", sa.String(length=32), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("number", row_id, nullable=True),
        sa.Column("told_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["party_id"], ["parties.id"], name="handle_notices_party_id_known"),
        sa.PrimaryKeyConstraint("mark", name="handle_notices_key"),
        sa.UniqueConstraint(
            "party_id", "provider_id", "number", name="handle_notices_party_id_provider_id_number_once"
        ),
    )
    op.create_index(
        "handle_notices_untold",
        "handle_notices",
        ["due_at"],
        sqlite_where=sa.text("number IS NULL"),
        postgresql_where=sa.text("number IS NULL"),
    )
    op.create_index("handle_notices_by_told_at", "handle_notices", ["told_at"])
    op.create_table(
        "handle_numbers",
        sa.Column("party_id", row_id, nullable=False),
        sa.Column("provider_id", row_id, nullable=False),
        sa.Column("last", row_id, nullable=False),
        sa.PrimaryKeyConstraint("party_id", "provider_id", name="handle_numbers_key"),
    )
