"""Places in what an operator keeps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A system, a file or table of it, and a column if there is one."""

    system: str
    source: str
    column: str = ""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.system, self.source, self.column) if part)
