"""Settings of the PKCS#11 token that holds keys: a hardware security module, if there is one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from config.document import Secret, Section


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """The library of the token's maker, which token of those it knows, and where the user's PIN lies."""

    module: Path
    label: str
    pin: Secret


def read_token(root: Section) -> TokenSettings | None:
    """The table `[token]`; None where keys are in files."""
    if "token" not in root.content:
        return None
    section = root.section("token")
    settings = TokenSettings(section.file("module"), section.text("label"), section.secret("pin"))
    section.done()
    return settings
