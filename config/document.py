"""A TOML document read section by section, with every fault collected instead of the first one thrown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from domain.names import SHORT_NAMES, Name


class ConfigurationFaults(ValueError):
    """All faults of a configuration at once, each a sentence that names its place."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is kept: a file (relative to the state directory) or an environment variable. Never its value."""

    file: Path | None = None
    environment: str | None = None

    def __str__(self) -> str:
        return f"file {self.file}" if self.file else f"environment variable {self.environment}"


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key in the token, by its label; whether it is there before its issuer is founded."""

    label: str
    existing: bool = False

    @property
    def name(self) -> str:
        """What it is called in messages, as the name of a file is."""
        return f"key {self.label} of the token"


KeyPlace = Path | TokenKey


@dataclass(slots=True)
class Section:
    """One table of the document. Readers return a usable value even after noting a fault, so that reading goes on.

    `done()` notes every key that nobody asked for.
    """

    path: str
    content: Mapping[str, object]
    faults: list[str]
    base: Path
    _asked: set[str] = field(default_factory=set)

    def fault(self, key: str, what: str) -> None:
        self.faults.append(f"{self.path}.{key}: {what}" if self.path else f"{key}: {what}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self._value(key, default)
        if not _is_text(value):
            self._missing_or_wrong(key, "a text")
            return ""
        return str(value)

    def optional_text(self, key: str) -> str | None:
        return self.text(key) if key in self.content else None

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        value = self._value(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.fault(key, f"want a whole number from {low} to {high}")
            return default
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._value(key, default)
        if not isinstance(value, bool):
            self.fault(key, "want true or false")
            return default
        return value

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        value = self._value(key, default)
        if value not in choices:
            self.fault(key, f"want one of {', '.join(choices)}")
            return default
        return str(value)

    def file(self, key: str, default: str | None = None) -> Path:
        """A path, made absolute against the state directory."""
        return self.base / self.text(key, default)

    def key(self, key: str, default: str) -> KeyPlace:
        """A path as `file` gives it, or `{ token = "label" }`, with `existing = true` if it is there already."""
        match self._value(key, default):
            case {"token": str(label), **rest} if label and rest.keys() <= {"existing"}:
                existing = rest.get("existing", False)
                if isinstance(existing, bool):
                    return TokenKey(label, existing)
            case str():
                return self.file(key, default)
        self.fault(key, 'want a file, or { token = "label" } with existing = true for a key that the token holds')
        return self.base / default

    def secret(self, key: str, default: object = None) -> Secret:
        """`{ file = "…" }` or `{ env = "…" }`; a bare text is refused because it would be the secret itself."""
        match self._value(key, default):
            case {"file": str(path), **rest} if not rest:
                return Secret(file=self.base / path)
            case {"env": str(name), **rest} if not rest:
                return Secret(environment=name)
            case _:
                self.fault(key, 'want a reference, { file = "…" } or { env = "…" }, never the secret itself')
                return Secret(environment="")

    def name(self, key: str) -> Name:
        """A distinguished name: a list of [short type, value] pairs in the order of encoding."""
        value = self._value(key, None)
        if not isinstance(value, list) or not value:
            self._missing_or_wrong(key, "a list of [type, text] pairs")
            return ()
        pairs: list[tuple[str, str]] = []
        for pair in value:
            match pair:
                case ["C", text] if not (isinstance(text, str) and re.fullmatch("[A-Z]{2}", text)):
                    self.fault(key, "want two capital letters for C")
                case [str(kind), text] if kind in SHORT_NAMES and _is_text(text):
                    pairs.append((SHORT_NAMES[kind], str(text)))
                case _:
                    self.fault(key, f"want pairs of {', '.join(SHORT_NAMES)} and a text")
        return tuple(pairs)

    def section(self, key: str) -> Section:
        value = self._value(key, {})
        if not isinstance(value, dict):
            self.fault(key, "want a table")
            value = {}
        return Section(f"{self.path}.{key}" if self.path else key, value, self.faults, self.base)

    def sections(self, key: str) -> list[Section]:
        value = self._value(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.fault(key, "want a list of tables")
            return []
        return [Section(f"{key}[{i}]", item, self.faults, self.base) for i, item in enumerate(value)]

    def done(self) -> None:
        for key in self.content:
            if key not in self._asked:
                self.fault(key, "nobody knows this key; is it misspelt?")

    def _value(self, key: str, default: object) -> object:
        self._asked.add(key)
        return self.content.get(key, default)

    def _missing_or_wrong(self, key: str, want: str) -> None:
        self.fault(key, f"want {want}" if key in self.content else f"is missing; want {want}")


def _is_text(value: object) -> bool:
    """Whether it is a text of characters that can be seen, the ideographic space among them."""
    return isinstance(value, str) and value != "" and value.replace("\u3000", " ").isprintable()
