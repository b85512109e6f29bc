"""`docs/profiles.md`, made of the profile files: `python -m tests.support.profile_page` writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from config.rules import load_profiles
from policies.profile import ExtensionRow, Profile, ValidityRule
from tests.support.documents import ROOT

PAGE = "docs/profiles.md"

# The profile shown whole for each purpose; the others are told by what differs.
_SECTIONS = {
    "signature-rsa2048": "Signing certificates (署名用電子証明書)",
    "authentication-rsa2048": "Authentication certificates (利用者証明用電子証明書)",
    "ca-rsa2048": "Authorities",
    "ocsp-responder": "OCSP responders",
}
_INTRODUCTION = """\
# Certificate profiles

What certificates of this authority say, as the shipped files in `config/profiles/` have it. This page is made from them
(`python -m tests.support.profile_page`); a test holds it to them. `jpki policy profiles` prints the profiles of an
authority with the source of every row. A **?** marks rows whose source says that something is unverified.

| profile | keys certified | signed with | lives | |
| --- | --- | --- | --- | --- |
"""
_COMMON = """
All are version 3, with a serial of 16 octets. For the subjects see [law and profile](standards.md#law-and-profile).
`four-items`, `municipality`, `locations` and the like are explained in `ca/extensions.py`.
"""


def render() -> str:
    profiles = load_profiles(ROOT / "config" / "profiles")
    return "".join((_INTRODUCTION, *map(_summary, profiles.values()), _COMMON, *_sections(profiles)))


def _summary(profile: Profile) -> str:
    mark = _mark(profile.source + profile.validity.source)
    keys = ", ".join(profile.keys)
    return f"| `{profile.name}` | {keys} | {profile.signature} | {_life(profile.validity)} | {mark} |\n"


def _life(rule: ValidityRule) -> str:
    if rule.birthdays:
        return f"{rule.birthdays} birthdays"
    return f"{rule.years} years" if rule.years else f"{rule.days} days"


def _sections(profiles: Mapping[str, Profile]) -> Iterator[str]:
    for name, title in _SECTIONS.items():
        first = profiles[name]
        yield f"\n## {title}\n\n`{name}`, extensions in their order:\n\n"
        yield "| extension | critical | says | |\n| --- | --- | --- | --- |\n"
        yield from map(_row, first.extensions)
        for other in profiles.values():
            if other.purpose == first.purpose and other is not first:
                yield f"\n`{other.name}`: {_difference(first, other)}.\n"


def _row(row: ExtensionRow) -> str:
    return f"| {row.name} | {'yes' if row.critical else ''} | {_says(row.value)} | {_mark(row.source)} |\n"


def _says(value: object) -> str:
    match value:
        case Mapping():
            return ", ".join(f"{key} {_says(part)}" for key, part in value.items())
        case tuple():
            return ", ".join(map(str, value))
        case bool():
            return "TRUE" if value else "FALSE"
    return str(value)


def _difference(first: Profile, other: Profile) -> str:
    differing = [
        f"{theirs.name} is {'' if theirs.critical else 'not '}critical and says {_says(theirs.value)}"
        for ours, theirs in zip(first.extensions, other.extensions, strict=True)
        if (ours.critical, ours.value) != (theirs.critical, theirs.value)
    ]
    return "; ".join(differing) or "the same extensions"


def _mark(source: str) -> str:
    return "?" if "unverified" in source else ""


if __name__ == "__main__":
    (ROOT / PAGE).write_text(render(), "utf-8")
