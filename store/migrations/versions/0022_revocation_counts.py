"""Revocations counted by the database itself, by series of lists: a list that lacks one does not add up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_DIGITS = "".join(
    f" + {16**power} * instr('123456789ABCDEF', substr(hex({{row}}.serial), {32 - power}, 1))" for power in range(4)
)
_SQLITE = "(1" + _DIGITS + ") * (({row}.revoked_at & 65535) * 8 + {row}.reason + 1)"
_POSTGRESQL = (
    "(1 + 256 * get_byte({row}.serial, 14) + get_byte({row}.serial, 15))"
    " * ((({row}.revoked_at & 65535) * 8) + {row}.reason + 1)"
)
"""`domain.revocation.weight`, in SQL."""

_BACKFILL = """INSERT INTO revocation_counts (issuer, municipality, entries, weight)
    SELECT issuer, municipality, count(*), sum({weight}) FROM revocations GROUP BY issuer, municipality"""
_ADD = """INSERT INTO revocation_counts (issuer, municipality, entries, weight)
    VALUES (NEW.issuer, NEW.municipality, 1, {new}) ON CONFLICT (issuer, municipality)
    DO UPDATE SET entries = revocation_counts.entries + 1, weight = revocation_counts.weight + excluded.weight;"""
_TAKE = """UPDATE revocation_counts SET entries = entries - 1, weight = weight - {old}
    WHERE issuer = OLD.issuer AND municipality = OLD.municipality;"""
_COUNTED = "issuer, serial, municipality, revoked_at, reason"


def upgrade() -> None:
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "revocation_counts",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("municipality", sa.String(6), nullable=False),
        sa.Column("entries", row_id, nullable=False),
        sa.Column("weight", row_id, nullable=False),
        sa.PrimaryKeyConstraint("issuer", "municipality", name=op.f("revocation_counts_key")),
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    weight = _SQLITE if sqlite else _POSTGRESQL
    op.execute(sa.text(_BACKFILL.format(weight=weight.format(row="revocations"))))
    add, take = _ADD.format(new=weight.format(row="NEW")), _TAKE.format(old=weight.format(row="OLD"))
    if sqlite:
        for name, act, body in (
            ("added", "INSERT", add),
            ("taken", "DELETE", take),
            ("changed", f"UPDATE OF {_COUNTED}", take + add),
        ):
            op.execute(sa.text(f"CREATE TRIGGER revocations_{name} AFTER {act} ON revocations BEGIN {body} END"))
        return
    op.execute(
        sa.text(
            f"""CREATE FUNCTION count_revocations() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF TG_OP <> 'INSERT' THEN {take} END IF;
                IF TG_OP <> 'DELETE' THEN {add} END IF;
                RETURN NULL;
            END $$"""
        )
    )
    op.execute(
        sa.text(
            f"""CREATE TRIGGER revocations_counted AFTER INSERT OR DELETE OR UPDATE OF {_COUNTED} ON revocations
            FOR EACH ROW EXECUTE FUNCTION count_revocations()"""
        )
    )
