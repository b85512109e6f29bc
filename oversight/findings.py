"""What an inspection brings to light: faults to act upon and notes to know of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["fault", "note"]
Area = Literal["audit", "certificates", "revocations", "notices", "status", "lists", "provisions"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence for auditors. A fault contradicts what the authority promises; a note is work that is still under
    way. `text` names certificates by application and kind, lists by scope and number: never a serial, a resident
    code or one of the four items."""

    level: Level
    area: Area
    text: str


def fault(area: Area, text: str) -> Finding:
    """A finding that contradicts a promise."""
    return Finding("fault", area, text)


def note(area: Area, text: str) -> Finding:
    """A finding about work under way."""
    return Finding("note", area, text)


def certificate_name(application: int, kind: str) -> str:
    """How findings and the trail name a certificate, without its serial."""
    return f"{kind} certificate of application {application}"


def list_name(scope: str, number: int) -> str:
    """How findings and the trail name a list."""
    return f"list {number} of {scope}"


def notice_name(sender: str, notice_id: str) -> str:
    """How findings and the trail name a notice, by its sender's own name for it."""
    return f"notice {notice_id} of {sender}"


def segment_name(name: str) -> str:
    """How findings and the trail name a segment of provision records."""
    return f"segment {name}"
