"""What people read about an outcome, in English and Japanese."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

Language = Literal["en", "ja"]


@dataclass(frozen=True, slots=True)
class Message:
    """What is so, and what to do."""

    title: str
    action: str


def message(code: str, language: Language) -> Message:
    """The words for a code of `rejection.Code`, or for `confirmed`."""
    row = _messages()[code]
    return Message(row[language], row[f"{language}_do"])


def language_of_terminal() -> Language:
    """Japanese where the environment asks for it."""
    asked = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    return "ja" if asked.startswith("ja") else "en"


@cache
def _messages() -> dict[str, dict[str, str]]:
    return tomllib.loads((files("jpki_verify") / "messages.toml").read_text("utf-8"))
