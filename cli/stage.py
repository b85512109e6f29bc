"""Where demonstrations live: directories that are marked as such, made anew each time, and used by one at a time."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import Code, Refusal

MARK = "demonstration"
"""A file in the state directory of a demonstration: such a directory may be made anew."""


def make_room(directory: Path) -> None:
    """Remove the directory of an earlier demonstration; nothing else is ever removed."""
    if not directory.exists():
        return
    if not (directory / MARK).exists():
        raise Refusal(
            Code.BAD_CONFIGURATION,
            f"{directory} is not an earlier demonstration and will not be touched; choose another with --directory",
        )
    with in_use(directory):
        shutil.rmtree(directory)


@contextmanager
def in_use(directory: Path) -> Iterator[None]:
    """Mark the directory as a demonstration that is running. Raises Refusal(BAD_CONFIGURATION) when one is already."""
    with (directory / MARK).open("ab") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal(
                Code.BAD_CONFIGURATION,
                f"a demonstration is running in {directory}; stop it, or choose another with --directory",
            ) from None
        yield
