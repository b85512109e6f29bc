"""The rules that are data, read from their files: profiles, tables of law, variants of characters, weak keys."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from config.document import ConfigurationFaults
from config.files import read_file
from domain.events import EventType
from domain.holds import HoldRules
from domain.revocation import CauseRule, PairRule, RevocationCause
from domain.substitution import VariantRule
from policies import admission_rows, causes, detection, events, holds, issuance, retention, standings, variants
from policies.detection import DetectionRule
from policies.events import EventRule
from policies.issuance import IssuanceRules
from policies.profile import Profile, ProfileFaults, load_profile
from policies.retention import Records, RetentionRule
from policies.rulings import AdmissionRules
from policies.standings import VerifierRules
from policies.variants import Variants

_PACKAGE = files("config")


@cache
def load_causes() -> Mapping[RevocationCause, CauseRule]:
    """The table of causes in law."""
    return causes.load_causes(_read("law/causes.toml"))


@cache
def load_pair_rule() -> PairRule:
    """The rule that a pair is revoked together, and its exception."""
    return causes.load_pair_rule(_read("law/causes.toml"))


@cache
def load_verifiers() -> VerifierRules:
    """Standings of verifiers, what must be shown for each, and purposes."""
    return standings.load_verifiers(_read("law/verifiers.toml"))


@cache
def load_retention() -> Mapping[Records, RetentionRule]:
    """How long records are kept."""
    return retention.load_retention(_read("law/retention.toml"))


@cache
def load_detection() -> Mapping[str, DetectionRule]:
    """Which days of a verifier call for a note, a reason or patience."""
    return detection.load_detection(_read("law/detection.toml"))


@cache
def load_admission() -> AdmissionRules:
    """Who may be given certificate status."""
    return admission_rows.load_admission(_read("law/admission.toml"), load_verifiers().purposes)


@cache
def load_events() -> Mapping[EventType, EventRule]:
    """What each event of the resident register does."""
    return events.load_events(_read("law/events.toml"))


@cache
def load_holds() -> HoldRules:
    """When holds are lifted and grow old, and how often a caller may guess."""
    return holds.load_holds(_read("law/holds.toml"))


@cache
def load_issuance() -> IssuanceRules:
    """The numbers of issuance."""
    return issuance.load_issuance(_read("law/issuance.toml"))


@cache
def load_variants() -> Variants:
    """Which character may stand for which, by which rule (代替文字, 異体字)."""
    ours = _read("data/variants.toml")
    tables = {VariantRule.PROJECT: variants.load_project_rows(ours)}
    for name in ("data/variants-mj.txt", "data/variants-nta.txt"):
        tables |= variants.load_tables(name, _PACKAGE.joinpath(name).read_text("utf-8").splitlines())
    return Variants(variants.load_rules(_read("data/substitution.toml")), tables, variants.load_apart(ours))


def load_profiles(directory: Path) -> dict[str, Profile]:
    """Every profile in a directory by name. Raises ConfigurationFaults with the faults of all of them."""
    profiles: dict[str, Profile] = {}
    faults: list[str] = []
    for path in sorted(directory.glob("*.toml")):
        try:
            profiles[path.stem] = load_profile(path.stem, tomllib.loads(path.read_text("utf-8")))
        except ProfileFaults as error:
            faults += [f"{path.name}: {fault}" for fault in error.faults]
        except (OSError, ValueError, RecursionError) as error:
            faults.append(f"{path.name}: {error}")
    if not profiles and not faults:
        faults.append(f"there is no profile in {directory}")
    if faults:
        raise ConfigurationFaults(faults)
    return profiles


def profile_named(profiles: Mapping[str, Profile], name: str) -> Profile:
    """The profile of that name. Raises ConfigurationFaults."""
    if name not in profiles:
        raise ConfigurationFaults([f"there is no profile {name}; there are {', '.join(profiles)}"])
    return profiles[name]


def shipped_profiles() -> dict[str, str]:
    """File name → text of the profiles that come with the project."""
    return {
        entry.name: entry.read_text("utf-8")
        for entry in _PACKAGE.joinpath("profiles").iterdir()
        if entry.name.endswith(".toml")
    }


def load_weak_keys(path: Path | None) -> frozenset[bytes]:
    """SHA-256 digests of SubjectPublicKeyInfos that must not be certified: the published test keys, and those in the
    file at `path`, where `#` begins a comment.

    Raises ConfigurationFaults, and Refusal(BAD_CONFIGURATION) when the file cannot be read.
    """
    name = "data/weak-keys.txt"
    published = _digests(name, _PACKAGE.joinpath(name).read_bytes())
    return published if path is None else published | _digests(path.name, read_file(path))


def _digests(name: str, content: bytes) -> frozenset[bytes]:
    try:
        lines = (line.partition("#")[0].strip() for line in content.decode().splitlines())
        digests = frozenset(bytes.fromhex(line) for line in lines if line)
    except ValueError:
        digests = frozenset([b""])
    if any(len(digest) != 32 for digest in digests):
        raise ConfigurationFaults([f"{name}: want one SHA-256 in hex a line"])
    return digests


def template() -> str:
    """The demonstration jpki.toml, with @API@ and @STATUS@ to be replaced."""
    return _PACKAGE.joinpath("template.toml").read_text("utf-8")


def _read(name: str) -> dict[str, object]:
    return tomllib.loads(_PACKAGE.joinpath(name).read_text("utf-8"))
