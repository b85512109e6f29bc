"""Tables of a settings file, read strictly: every fault is told, with its place, and unknown keys are faults."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class Table:
    """One table. What is asked for is checked and ticked off; `close` complains of the rest."""

    def __init__(self, values: object, place: str, folder: Path, faults: list[str]) -> None:
        self._values: dict[str, Any] = dict(values) if isinstance(values, Mapping) else {}
        self._place, self._folder, self._faults = place, folder, faults
        if not isinstance(values, Mapping):
            faults.append(f"{place}: want a table")

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def fault(self, name: str, what: str) -> None:
        """Keep a fault of one of its keys."""
        self._faults.append(f"{self._place}{'.' if self._place else ''}{name}: {what}")

    def table(self, name: str) -> Table:
        """The table of that name; an empty one where there is none."""
        place = f"{self._place}.{name}" if self._place else name
        return Table(self._values.pop(name, {}), place, self._folder, self._faults)

    def rows(self, name: str) -> list[Table]:
        """The tables of an array of tables."""
        values = self._values.pop(name, [])
        if not isinstance(values, list):
            self.fault(name, f"want [[{name}]]")
            return []
        return [Table(value, f"{name}[{number}]", self._folder, self._faults) for number, value in enumerate(values)]

    def text(self, name: str, default: str | None = None) -> str:
        """A text that is not empty."""
        value = self._values.pop(name, default)
        if isinstance(value, str) and value.strip() and value.isprintable():
            return value
        self.fault(name, "is missing" if value is None else "want a text")
        return ""

    def maybe(self, name: str) -> str | None:
        """A text that is not empty, or None where there is none."""
        return self.text(name) if name in self else None

    def texts(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of texts."""
        value = self._values.pop(name, list(default))
        if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            return tuple(value)
        self.fault(name, "want a list of texts")
        return ()

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number between the two."""
        value = self._values.pop(name, default)
        if type(value) is int and least <= value <= most:
            return value
        self.fault(name, f"want a whole number from {least} to {most}")
        return default

    def path(self, name: str, default: str | None = None) -> Path:
        """A path, relative to the settings file."""
        return self._folder / self.text(name, default)

    def address(self, name: str, *schemes: str) -> str | None:
        """A URL without a slash at its end, or None where there is none."""
        if name not in self._values:
            return None
        text = self.text(name).rstrip("/")
        if not _is_address(text, schemes):
            self.fault(name, f"want an address that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}")
            return None
        return text

    def digest(self, name: str) -> bytes:
        """A SHA-256 in hex, perhaps with colons."""
        return self.digest_of(name, self.text(name))

    def digest_of(self, name: str, text: str) -> bytes:
        """That SHA-256."""
        try:
            octets = bytes.fromhex(text.replace(":", "").removeprefix("sha256"))
        except ValueError:
            octets = b""
        if len(octets) != 32 and text:
            self.fault(name, "want a SHA-256: 64 hex digits")
        return octets

    def close(self) -> None:
        """Complain of what nobody asked for."""
        for name in self._values:
            self.fault(name, "is not a setting: is it misspelt?")


def _is_address(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return named and parts.scheme in schemes and not (parts.username or parts.query or parts.fragment)
