"""Rules of holds: the tables of release and of age, and the bound on guessing, from their document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import product
from types import MappingProxyType
from typing import cast

from domain.certificates import Carrier, Kind
from domain.holds import AgeRule, AgeWord, DeskRule, HoldRules, ReleaseRule, ReleaseWord
from domain.parties import Role
from domain.revocation import RevocationCause
from policies.tables import Row, Table, TableFaults

_KINDS = {kind.value: kind for kind in Kind}
_CARRIERS = {carrier.value: carrier for carrier in Carrier}
_RELEASES = {word.value: word for word in ReleaseWord}
_AGES = {word.value: word for word in AgeWord}
_CAUSES = {cause.value: cause for cause in RevocationCause if cause is not RevocationCause.TEMPORARY_STOP}
# A hold is not lifted by telephone: neither by the desk that placed it nor by verifiers.
_ROLES = {role.value: role.value for role in (Role.MUNICIPALITY, Role.OPERATOR)}

_RELEASE_COLUMNS = ("kinds", "carriers", "effect", "source", "verified")
_AGE_COLUMNS = ("carrier", "days", "effect", "source", "verified")
_DESK_COLUMNS = ("attempts", "window_minutes", "source", "verified")
_PARTS = ("release", "age", "desk")

_LONGEST = 3650


def load_holds(content: Mapping[str, object]) -> HoldRules:
    """The rules from a parsed document. Raises TableFaults with every fault found: a kind and carrier without a row,
    and a signing certificate that would be good beside a held authentication certificate, among them."""
    releases, ages, whole = Table("release"), Table("age"), Table("holds")
    whole.faults += [f"{key}: nobody knows this key; is it misspelt?" for key in content if key not in _PARTS]
    rules = HoldRules(_releases(releases, content), _ages(ages, content), _desk(whole, content))
    if faults := [*whole.faults, *releases.faults, *ages.faults]:
        raise TableFaults("holds", faults)
    return rules


def _releases(table: Table, content: Mapping[str, object]) -> Mapping[tuple[Kind, Carrier], ReleaseRule]:
    found: dict[tuple[Kind, Carrier], ReleaseRule] = {}
    for row in table.rows(_only(content, "release"), _RELEASE_COLUMNS, optional=("cause", "by")):
        kinds, carriers = row.choices("kinds", _KINDS), row.choices("carriers", _CARRIERS)
        effect, cause = row.choice("effect", _RELEASES), _cause(row, ReleaseWord.REISSUED.value)
        by = row.choices("by", _ROLES) if effect is not ReleaseWord.NEVER or "by" in row.content else frozenset[str]()
        if effect is ReleaseWord.NEVER and by:
            row.fault("by: nobody may ask for what never happens")
        source, verified = row.text("source"), row.flag("verified")
        for kind, carrier in product(kinds, carriers):
            if (kind, carrier) in found:
                row.fault(f"{kind.value} on {carrier.value} stands twice")
            if effect is not None:
                found[kind, carrier] = ReleaseRule(kind, carrier, effect, cause, by, source, verified)
    if not table.faults:
        table.faults += [
            f"release: {kind.value} on {carrier.value} has no row"
            for kind, carrier in product(Kind, Carrier)
            if (kind, carrier) not in found
        ]
    table.faults += [
        f"release: on {carrier.value} the signing certificate would be good beside a held authentication certificate"
        for carrier in Carrier
        if [getattr(found.get((kind, carrier)), "effect", None) is ReleaseWord.RELEASED for kind in Kind]
        == [True, False]
    ]
    return MappingProxyType(found)


def _ages(table: Table, content: Mapping[str, object]) -> Mapping[Carrier, AgeRule]:
    found: dict[Carrier, AgeRule] = {}
    for row in table.rows(_only(content, "age"), _AGE_COLUMNS, optional=("cause",)):
        carrier, days = row.choice("carrier", _CARRIERS), row.integer("days", 1, _LONGEST)
        effect, cause = row.choice("effect", _AGES), _cause(row, AgeWord.REVOKED.value)
        source, verified = row.text("source"), row.flag("verified")
        if carrier in found:
            row.fault("this carrier stands twice")
        if carrier is not None and effect is not None:
            found[carrier] = AgeRule(carrier, days, effect, cause, source, verified)
    if not table.faults:
        table.faults += [f"age: {carrier.value} has no row" for carrier in Carrier if carrier not in found]
    return MappingProxyType(found)


def _desk(table: Table, content: Mapping[str, object]) -> DeskRule:
    row = table.one("desk", content, _DESK_COLUMNS)
    if row is None:
        return cast(DeskRule, None)
    row.flag("verified")
    window = timedelta(minutes=row.integer("window_minutes", 1, 24 * 60))
    return DeskRule(row.integer("attempts", 1, 100_000), window, row.text("source"))


def _cause(row: Row, word: str) -> RevocationCause | None:
    """The cause of those rows that revoke, and only of them."""
    if row.content.get("effect") == word:
        return row.choice("cause", _CAUSES)
    if "cause" in row.content:
        row.fault(f"cause: only what is {word} has one")
    return None


def _only(content: Mapping[str, object], name: str) -> dict[str, object]:
    return {name: content.get(name)}
