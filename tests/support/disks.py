"""Disks that fail a process from one moment on: full ones, and those that may only be read. No powers are needed."""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
import sys
from collections.abc import Callable, Mapping
from typing import Any

from store import statements

NO_DISK = (errno.EFBIG, errno.ENOSPC, errno.EROFS)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.truncate")


def fill() -> None:
    """No file grows any more, and none is written: the system refuses it (EFBIG), whoever asks, SQLite and LMDB too."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))


def protect() -> None:
    """Files are opened for reading alone (EROFS), folders stay as they are, and SQLite says that its file is read-only
    to whoever begins a transaction."""
    begin: Callable[..., None] = vars(statements)["begin"]

    def begin_on_a_file_that_may_only_be_read(connection: Any, *arguments: Any, **options: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA query_only = ON")
        begin(connection, *arguments, **options)

    setattr(statements, "begin", begin_on_a_file_that_may_only_be_read)  # noqa: B010 - it is another module's
    sys.addaudithook(_refuse_changes)


def _refuse_changes(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _CHANGES or (event == "open" and arguments[2] & _WRITING and arguments[0] != os.devnull):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))


BLOWS: Mapping[str, Callable[[], object]] = {"full": fill, "read-only": protect}
