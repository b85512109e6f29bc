"""Moving to another database: from SQLite, with which an authority begins, to PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping

from config.assemble import Services
from store.transfer import Advance, copy_rows


def copy_database(services: Services, target: str, advance: Advance) -> Mapping[str, int]:
    """Copy all rows to the empty database at that address; how many by table. Settings stay as they are.

    Raises Refusal(BAD_CONFIGURATION), (STORE_UNAVAILABLE) or (BUSY); then nothing was copied.
    """
    return copy_rows(services.database_url, target, advance)
