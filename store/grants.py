"""What a status node's role may do in the database: read these columns, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from domain.errors import Code, Refusal

_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")

COLUMNS: Mapping[str, Sequence[str]] = {
    # Status, and what models are made of: of a certificate neither its octets nor whose it is.
    "certificates": ("issuer", "serial", "state", "not_after", "application_id"),
    "applications": ("id", "issued_at"),
    "revocations": ("issuer", "serial", "not_after", "revoked_at", "reason"),
    "status_changes": (),
    # Who may ask.
    "parties": (),
    "credentials": (),
    "approvals": (),
    "alarms": (),
    # The rules of admission that officers changed, with their signatures.
    "proposals": (),
    # What there is to watch.
    "scopes": (),
    "lists": (),
    "leases": (),
    "lag_counts": (),
    "alembic_version": (),
}
"""By table; none means all of them."""


def status_grants(role: str) -> Sequence[str]:
    """The statements by which the owner of the tables gives a role what a status node needs. Raises
    Refusal(BAD_CONFIGURATION) for a name that would have to be quoted."""
    if not _ROLE.fullmatch(role):
        raise Refusal(Code.BAD_CONFIGURATION, "a role's name has up to 63 small letters, digits and underlines")
    of = {table: f" ({', '.join(columns)})" if columns else "" for table, columns in COLUMNS.items()}
    return [f"GRANT SELECT{columns} ON {table} TO {role};" for table, columns in of.items()]
