"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite numbers rows by itself only in a column that is called INTEGER.
row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", row_id, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name="audit_head_only_row"),
        sa.PrimaryKeyConstraint("id", name="audit_head_key"),
    )
    op.create_table(
        "audit_rows",
        sa.Column("sequence", row_id, autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="audit_rows_key"),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="leases_key"),
    )
    op.create_table(
        "parties",
        sa.Column("id", row_id, nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("municipality", sa.String(length=6), nullable=True),
        sa.Column("kinds", sa.String(length=64), nullable=False),
        sa.Column("in_force_until", sa.BigInteger(), nullable=True),
        sa.Column("suspended_at", sa.BigInteger(), nullable=True),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="parties_key"),
        sa.UniqueConstraint("role", "name", name="parties_role_name_once"),
    )
    op.create_table(
        "receipts",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(length=32), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name="receipts_key"),
    )
    op.create_table(
        "residents",
        sa.Column("id", row_id, nullable=False),
        sa.Column("code_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("code_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("municipality", sa.String(length=6), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("sex", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(code_index) = 32", name="residents_index_width"),
        sa.PrimaryKeyConstraint("id", name="residents_key"),
        sa.UniqueConstraint("code_index", name="residents_code_index_once"),
    )
    op.create_table(
        "scopes",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("municipality", sa.String(length=6), nullable=False),
        sa.Column("wanted", row_id, nullable=False),
        sa.Column("published", row_id, nullable=True),
        sa.PrimaryKeyConstraint("issuer", "municipality", name="scopes_key"),
    )
    op.create_table(
        "applications",
        sa.Column("id", row_id, nullable=False),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(length=32), nullable=False),
        sa.Column("resident_id", row_id, nullable=False),
        sa.Column("municipality", sa.String(length=6), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name="applications_resident_id_known"),
        sa.PrimaryKeyConstraint("id", name="applications_key"),
        sa.UniqueConstraint("caller", "key", name="applications_caller_key_once"),
    )
    op.create_index(
        "applications_unfinished",
        "applications",
        ["received_at"],
        unique=False,
        sqlite_where=sa.text("issued_at IS NULL"),
        postgresql_where=sa.text("issued_at IS NULL"),
    )
    op.create_table(
        "credentials",
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("usage", sa.String(length=32), nullable=False),
        sa.Column("party_id", row_id, nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(fingerprint) = 32", name="credentials_fingerprint_width"),
        sa.ForeignKeyConstraint(["party_id"], ["parties.id"], name="credentials_party_id_known"),
        sa.PrimaryKeyConstraint("fingerprint", name="credentials_key"),
    )
    op.create_index("credentials_by_party_id", "credentials", ["party_id"], unique=False)
    op.create_table(
        "lists",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("municipality", sa.String(length=6), nullable=False),
        sa.Column("number", row_id, nullable=False),
        sa.Column("this_update", sa.BigInteger(), nullable=False),
        sa.Column("next_update", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("covers", row_id, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("entries", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["issuer", "municipality"], ["scopes.issuer", "scopes.municipality"], name="lists_issuer_municipality_known"
        ),
        sa.PrimaryKeyConstraint("issuer", "municipality", "number", name="lists_key"),
    )
    op.create_table(
        "notices",
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("notice_id", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(length=32), nullable=False),
        sa.Column("resident_id", row_id, nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("municipality", sa.String(length=6), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name="notices_resident_id_known"),
        sa.PrimaryKeyConstraint("sender", "notice_id", name="notices_key"),
    )
    op.create_index("notices_by_resident_id_effective_on", "notices", ["resident_id", "effective_on"], unique=False)
    op.create_table(
        "certificates",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("serial", sa.LargeBinary(length=16), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("carrier", sa.String(length=32), nullable=False),
        sa.Column("resident_id", row_id, nullable=False),
        sa.Column("application_id", row_id, nullable=False),
        sa.Column("municipality", sa.String(length=6), nullable=False),
        sa.Column("not_before", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("spki_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("profile_digest", sa.Text(), nullable=False),
        sa.Column("reserved_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(serial) = 16", name="certificates_serial_width"),
        sa.CheckConstraint("not_before <= not_after", name="certificates_validity_order"),
        sa.ForeignKeyConstraint(["application_id"], ["applications.id"], name="certificates_application_id_known"),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name="certificates_resident_id_known"),
        sa.PrimaryKeyConstraint("issuer", "serial", name="certificates_key"),
        sa.UniqueConstraint("application_id", "kind", name="certificates_application_id_kind_once"),
        sa.UniqueConstraint("spki_digest", name="certificates_spki_digest_once"),
    )
    op.create_index("certificates_by_resident_id", "certificates", ["resident_id"], unique=False)
    op.create_index(
        "certificates_live_once",
        "certificates",
        ["resident_id", "kind", "carrier"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "revocations",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("serial", sa.LargeBinary(length=16), nullable=False),
        sa.Column("municipality", sa.String(length=6), nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer", "serial"], ["certificates.issuer", "certificates.serial"], name="revocations_issuer_serial_known"
        ),
        sa.PrimaryKeyConstraint("issuer", "serial", name="revocations_key"),
    )
    op.create_index(
        "revocations_by_issuer_municipality_serial", "revocations", ["issuer", "municipality", "serial"], unique=False
    )
    # The row whose lock every writer takes; it vouches for nothing yet.
    op.execute(
        sa.text(
            "INSERT INTO audit_head (id, sequence, digest, signature, key_id) VALUES (1, 0, :none, :empty, '')"
        ).bindparams(sa.bindparam("none", bytes(32), sa.LargeBinary), sa.bindparam("empty", b"", sa.LargeBinary))
    )
