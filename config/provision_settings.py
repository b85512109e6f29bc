"""Settings of provision records: where they lie, and whom they are sealed to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from config.document import Section


@dataclass(frozen=True, slots=True)
class ProvisionSettings:
    """The folder of the segments, and the public keys that they are sealed to."""

    folder: Path
    filing_key: Path
    unlocking_key: Path


def read_provisions(section: Section) -> ProvisionSettings:
    """The table `provisions` of the document; faults are noted in it."""
    settings = ProvisionSettings(
        section.file("folder", "provisions"),
        section.file("filing_key", "certs/provisions-filing.pub"),
        section.file("unlocking_key", "certs/provisions-unlocking.pub"),
    )
    section.done()
    return settings
