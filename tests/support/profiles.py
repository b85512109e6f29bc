"""Rule files of `config/` for tests: parsed and free to be spoilt, or loaded."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from policies.profile import Profile, load_profile

CONFIG = Path(__file__).parents[2] / "config"
PROFILE_NAMES = tuple(sorted(path.stem for path in (CONFIG / "profiles").glob("*.toml")))


def parsed(path: str) -> dict[str, Any]:
    """The document at `config/<path>`, a new one each time."""
    return tomllib.loads((CONFIG / path).read_text("utf-8"))


def profile_content(name: str = "signature-rsa2048") -> dict[str, Any]:
    return parsed(f"profiles/{name}.toml")


def make_profile(name: str = "signature-rsa2048", **changes: object) -> Profile:
    """A profile on file, with top-level keys of its document replaced."""
    return load_profile(name, profile_content(name) | changes)
