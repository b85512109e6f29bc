"""Certificate profiles as data: read from TOML, checked as a whole, frozen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from policies.profile_faults import faults_of

Purpose = Literal["signature", "authentication", "ca", "ocsp-responder"]


@dataclass(frozen=True, slots=True)
class ExtensionRow:
    """One extension of a profile, in the order of encoding. `value` has the shape its name asks for
    (`policies/extension_rules.py`): a text, a tuple of texts, or a read-only mapping."""

    name: str
    critical: bool
    value: object
    source: str


@dataclass(frozen=True, slots=True)
class ValidityRule:
    """How long certificates of a profile live.

    `birthdays` N: through the end (JST) of the Nth birthday after issue, capped by the card and, for signing, by the
    authentication certificate. `years`/`days`: a fixed life. Exactly one is set.
    `renewal_months` goes with `birthdays`: who renews in the last months of a certificate gets one birthday more.
    """

    birthdays: int | None = None
    renewal_months: int = 0
    years: int | None = None
    days: int | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """One certificate type. `signature` names the issuer's algorithm (`sha256-with-rsa`, `ecdsa-with-sha384`, …),
    `keys` the acceptable subject keys (`rsa-2048`, `ec-p384`, `ec-p256`), `subject` a scheme of
    `policies/subject.py`. `digest` is the SHA-256 (hex) of the canonical content: it goes into every audit row."""

    name: str
    purpose: Purpose
    signature: str
    keys: tuple[str, ...]
    subject: str
    validity: ValidityRule
    extensions: tuple[ExtensionRow, ...]
    source: str
    digest: str


class ProfileFaults(ValueError):
    """All faults of one profile at once, each a sentence that names its place."""

    def __init__(self, name: str, faults: tuple[str, ...]) -> None:
        super().__init__(f"profile {name}: " + "; ".join(faults))
        self.name = name
        self.faults = faults


def load_profile(name: str, content: Mapping[str, object]) -> Profile:
    """The profile that a parsed TOML document describes. Raises ProfileFaults with every fault found.

    Keys: `purpose`, `signature`, `keys`, `subject`, `source`; a table `validity` (`birthdays` and `renewal_months`, or
    `years`, or `days`; and `source`); and tables `extension` (`name`, `critical`, `value`, `source`), in the order of
    encoding.
    """
    if faults := tuple(faults_of(content)):
        raise ProfileFaults(name, faults)
    checked: Any = content
    return Profile(
        name=name,
        purpose=checked["purpose"],
        signature=checked["signature"],
        keys=tuple(checked["keys"]),
        subject=checked["subject"],
        validity=ValidityRule(**checked["validity"]),
        extensions=tuple(
            ExtensionRow(row["name"], row["critical"], _frozen(row["value"]), row["source"])
            for row in checked["extension"]
        ),
        source=checked["source"],
        digest=digest_of(content),
    )


def digest_of(content: Mapping[str, object]) -> str:
    """SHA-256 (hex) of the content as JSON with sorted keys: layout and comments of the file do not count."""
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _frozen(value: object) -> object:
    match value:
        case list():
            return tuple(value)
        case dict():
            return MappingProxyType(dict(value))
    return value
