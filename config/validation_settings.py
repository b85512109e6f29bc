"""Settings of delegated validation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from config.document import Section
from policies.consents import ConsentPolicy


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """The key that signs receipts of validations, its certificate, a file of those whose time stamps prove a time, and
    what is asked of consents."""

    key: Path
    certificate: Path
    time_stamps: Path | None
    policy: ConsentPolicy


def read_validation(section: Section) -> ValidationSettings:
    """The section `[validation]`; faults are noted in it."""
    policy = ConsentPolicy(
        longest=timedelta(minutes=section.integer("consent_minutes", 15, 1, 1440)),
        keep=timedelta(days=section.integer("keep_days", 7, 1, 366)),
    )
    key, certificate = section.file("key", "keys/receipts.pem"), section.file("certificate", "certs/receipts.pem")
    time_stamps = section.file("time_stamps") if "time_stamps" in section.content else None
    section.done()
    return ValidationSettings(key, certificate, time_stamps, policy)
