"""The search for everything that is wrong with a certificate profile, before any of it is believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies.extension_rules import EXTENSIONS, PURPOSES, REQUIRED, ExtensionRule, names_among

# Who signs with what, by the type of the signing key.
SIGNATURES = {"sha256-with-rsa": "rsa", "ecdsa-with-sha256": "ec", "ecdsa-with-sha384": "ec"}
KEYS = ("rsa-2048", "ec-p256", "ec-p384")
# The subject schemes of policies/subject.py and the certificates they are for.
SUBJECTS = {
    "signature-holder": "signature",
    "authentication-holder": "authentication",
    "authority": "ca",
    "ocsp-responder": "ocsp-responder",
}
# How each purpose may count its life, and the longest life that is not a slip of the pen.
LIVES = {"signature": "birthdays", "authentication": "birthdays", "ca": "years", "ocsp-responder": "days"}
LONGEST = {"birthdays": 10, "years": 50, "days": 366}


def faults_of(content: Mapping[str, object]) -> Iterator[str]:
    """Every fault of a parsed profile, each a sentence that begins with its place."""
    purpose = content.get("purpose")
    yield from _keys_of("", content, ("purpose", "signature", "keys", "subject", "validity", "extension", "source"))
    yield from _choice("purpose", purpose, PURPOSES)
    yield from _choice("signature", content.get("signature"), tuple(SIGNATURES))
    yield from _choice("subject", content.get("subject"), tuple(SUBJECTS))
    yield from _source("source", content)
    keys = content.get("keys")
    fits, words = names_among(*KEYS)
    if "keys" in content and not fits(keys):
        yield f"keys: want {words}"
    if purpose == "ca" and isinstance(keys, list) and isinstance(signature := content.get("signature"), str):
        # A CA certificate is signed with the key it certifies.
        for key in keys:
            if signature in SIGNATURES and key in KEYS and not str(key).startswith(SIGNATURES[signature]):
                yield f"signature: a key {key} cannot sign itself with {signature}"
    subject = content.get("subject")
    if isinstance(subject, str) and purpose in PURPOSES and SUBJECTS.get(subject, purpose) != purpose:
        yield f"subject: {subject} is not for {purpose} certificates"
    if "validity" in content:
        yield from _validity(content["validity"], purpose)
    if "extension" in content:
        yield from _extensions(content["extension"], purpose)


def _validity(validity: object, purpose: object) -> Iterator[str]:
    if not isinstance(validity, dict):
        yield "validity: want a table"
        return
    yield from _source("validity.source", validity)
    counts = [key for key in validity if key in LONGEST]
    if len(counts) != 1:
        yield f"validity: want exactly one of {', '.join(LONGEST)}"
        return
    (unit,) = counts
    more = ("renewal_months",) if unit == "birthdays" else ()
    yield from _keys_of("validity.", validity, (unit, *more, "source"))
    for key, low, high in ((unit, 1, LONGEST[unit]), *((key, 0, 12) for key in more)):
        if key in validity and (type(validity[key]) is not int or not low <= validity[key] <= high):
            yield f"validity.{key}: want a whole number from {low} to {high}"
    if purpose in PURPOSES and unit != LIVES[str(purpose)]:
        yield f"validity: the life of {purpose} certificates is counted in {LIVES[str(purpose)]}, not in {unit}"


def _extensions(rows: object, purpose: object) -> Iterator[str]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        yield "extension: want a list of tables"
        return
    seen: list[object] = []
    for number, row in enumerate(rows, start=1):
        name = row.get("name")
        place = f"extension {number}" + (f" ({name})" if isinstance(name, str) else "")
        yield from _keys_of(f"{place}: ", row, ("name", "critical", "value", "source"))
        yield from _source(f"{place}: source", row)
        if name in seen:
            yield f"{place}: this name stands twice (RFC 5280 §4.2)"
        seen.append(name)
        rule = EXTENSIONS.get(name) if isinstance(name, str) else None
        if rule is None:
            if "name" in row:
                yield f"{place}: nobody knows this name; want one of {', '.join(EXTENSIONS)}"
        else:
            yield from _row(place, row, rule, purpose)
    if purpose in PURPOSES:
        for missing in REQUIRED[str(purpose)]:
            if missing not in seen:
                yield f"extension: {purpose} certificates need {missing}"


def _row(place: str, row: Mapping[str, object], rule: ExtensionRule, purpose: object) -> Iterator[str]:
    critical = row.get("critical")
    if "critical" in row and not isinstance(critical, bool):
        yield f"{place}: critical: want true or false"
    elif rule.critical is not None and critical is (not rule.critical):
        yield f"{place}: must {'' if rule.critical else 'not '}be critical ({rule.clause})"
    if purpose not in PURPOSES:
        return
    if purpose not in rule.values:
        yield f"{place}: has no place in {purpose} certificates"
    elif "value" in row:
        fits, words = rule.values[str(purpose)]
        if not fits(row["value"]):
            yield f"{place}: value: want {words}"


def _keys_of(place: str, table: Mapping[str, object], wanted: tuple[str, ...]) -> Iterator[str]:
    """Missing and unknown keys; `source` has words of its own."""
    yield from (f"{place}{key} is missing" for key in wanted if key not in table and key != "source")
    yield from (f"{place}{key}: nobody knows this key; is it misspelt?" for key in table if key not in wanted)


def _source(place: str, table: Mapping[str, object]) -> Iterator[str]:
    source = table.get("source")
    if not isinstance(source, str) or not source.strip():
        yield f"{place}: say where this is written, or that it is unverified"


def _choice(place: str, value: object, choices: tuple[str, ...]) -> Iterator[str]:
    if value is not None and value not in choices:
        yield f"{place}: want one of {', '.join(choices)}"
