"""A town need not survive a power cut: nothing waits for the disk here."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from sqlalchemy import URL

from store import engine


@pytest.fixture
def nothing_waits_for_the_disk() -> Iterator[None]:
    def open_hastily(url: URL, lock_wait: float) -> sqlite3.Connection:
        connection = right(url, lock_wait)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    right = engine.open_sqlite
    with patch.object(engine, "open_sqlite", open_hastily), patch.object(os, "fsync", lambda _: None):
        yield
