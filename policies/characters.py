"""代替文字 (substitute characters): a register's text in certificate characters, with every change listed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from domain.errors import Code, Refusal
from domain.substitution import Substitution
from policies.repertoire import REPERTOIRE, characters_of, unfit
from policies.variants import Variants

LONGEST_NAME = 100
"""Characters; this project's choice, no public source gives one."""
LONGEST_ADDRESS = 200
"""Characters (third-party notes on the certificate profile)."""

_LONGEST = {"name": LONGEST_NAME, "address": LONGEST_ADDRESS}


@dataclass(frozen=True, slots=True, repr=False)
class Substituted:
    """A register text in certificate characters, and every character that was replaced, by position."""

    text: str
    substitutions: tuple[Substitution, ...] = ()

    @property
    def positions(self) -> tuple[int, ...]:
        """Where substitutes stand, from 0. A certificate's characters all lie in the BMP: one code point, one UTF-16
        unit, one flag each."""
        return tuple(change.position for change in self.substitutions)

    @property
    def flags(self) -> str:
        """One digit a character: `1` where a substitute stands."""
        if not self.substitutions:
            return "0" * len(self.text)
        positions = {*self.positions}
        return "".join("1" if at in positions else "0" for at in range(len(self.text)))


@dataclass(frozen=True, slots=True, repr=False)
class Gap:
    """A character for which a person has to choose: none of `choices`, or one of several that a table gives."""

    position: int
    register: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Proposal:
    """What would be written: the replacements that are settled, and the gaps that are left."""

    characters: tuple[str, ...]
    substitutions: tuple[Substitution, ...]
    gaps: tuple[Gap, ...]

    @property
    def unconfirmed(self) -> tuple[int, ...]:
        """Positions of substitutes that may be written only when the holder has confirmed them."""
        return tuple(s.position for s in self.substitutions if not s.confirmed and s.rule.unconfirmed == "refuse")

    @property
    def text(self) -> str | None:
        """The text as the certificate would write it; None while there are gaps."""
        return None if self.gaps else "".join(self.characters)


def substitute(variants: Variants, item: str, text: str, confirmed: str | None = None) -> Substituted:
    """The register's `text` of an item (`name`, `address`) in certificate characters: as the holder `confirmed` it, or
    by the tables.

    Characters inside the repertoire are written as they are, nothing is normalised. One outside is replaced by one
    character, told with its position and rule. Raises what `propose` raises; Refusal(SUBSTITUTE_NEEDED) with
    `positions` where a person has to choose, and Refusal(SUBSTITUTE_UNCONFIRMED) where the rule wants the holder asked.
    """
    if confirmed in (None, text) and REPERTOIRE.issuperset(text) and text.strip() and len(text) <= _LONGEST[item]:
        return Substituted(text)  # nearly every text
    proposal = propose(variants, item, text, confirmed)
    if proposal.gaps:
        raise _refusal(
            Code.SUBSTITUTE_NEEDED,
            item,
            "characters at these positions are outside JIS X 0208 and X 0212 and have no known substitute, or several; "
            "send the text as the certificate shall write it",
            [gap.position for gap in proposal.gaps],
        )
    if proposal.unconfirmed:
        raise _refusal(
            Code.SUBSTITUTE_UNCONFIRMED,
            item,
            "the substitutes at these positions need the holder's word; send the text that the holder confirmed",
            proposal.unconfirmed,
        )
    return Substituted("".join(proposal.characters), proposal.substitutions)


def propose(variants: Variants, item: str, text: str, confirmed: str | None = None) -> Proposal:
    """What `substitute` would write and where it would ask, without deciding.

    Raises Refusal(MALFORMED) for empty or overlong text, control, half-width and damaged characters;
    Refusal(ITEMS_DIFFER) when `confirmed` differs where nothing needs replacing, or in its number of characters.
    """
    characters = characters_of(text)
    _refuse_malformed(characters, item)
    written = characters if confirmed is None else characters_of(confirmed)
    _refuse_other_changes(characters, written, item)
    result, substitutions, gaps = [*written], [], []
    for position, character in enumerate(characters):
        if character in REPERTOIRE:
            continue
        row, choices = variants.choices(character)
        if confirmed is not None:
            use = written[position] if written[position] in REPERTOIRE else None
            row = variants.row_for(character, use) if use else None
        else:
            use = choices[0] if len(choices) == 1 else None
        if use is None or row is None:
            gaps.append(Gap(position, character, choices))
        else:
            result[position] = use
            substitutions.append(Substitution(item, position, character, use, row, confirmed is not None))
    return Proposal(tuple(result), tuple(substitutions), tuple(gaps))


def list_substitutions(
    variants: Variants, item: str, text: str, written: str, positions: Iterable[int], *, confirmed: bool
) -> tuple[Substitution, ...]:
    """What a certificate's flags mean: the characters of the register's `text` and of the certificate's at the flagged
    positions, with the rule that explains each pair."""
    characters = characters_of(text)
    return tuple(
        Substitution(
            item, at, characters[at], written[at], variants.row_for(characters[at], written[at]), confirmed=confirmed
        )
        for at in positions
    )


def _refuse_malformed(characters: list[str], item: str) -> None:
    if len(characters) > _LONGEST[item] or not "".join(characters).strip():
        raise _refusal(Code.MALFORMED, item, f"want from 1 to {_LONGEST[item]} characters, not only spaces")
    found = {i: reason for i, c in enumerate(characters) for reason in map(unfit, c) if reason}
    if found:
        reason = next(iter(found.values()))
        raise _refusal(
            Code.MALFORMED,
            item,
            f"characters at these positions have no place in a register's text: {reason.value}; write what the "
            "register shows, letters, digits, kana and spaces full width",
            [i for i, why in found.items() if why is reason],
        )


def _refuse_other_changes(characters: list[str], written: list[str], item: str) -> None:
    if len(written) != len(characters):
        raise _refusal(
            Code.ITEMS_DIFFER,
            item,
            "the confirmed text must have as many characters as the register's: one substitute for one character",
        )
    pairs = enumerate(zip(characters, written, strict=True))
    if changed := [i for i, (character, use) in pairs if character != use and character in REPERTOIRE]:
        raise _refusal(
            Code.ITEMS_DIFFER,
            item,
            "the confirmed text differs from the register at positions where no substitute is needed",
            changed,
        )


def _refusal(code: Code, item: str, detail: str, positions: Iterable[int] | None = None) -> Refusal:
    facts: dict[str, object] = {} if positions is None else {"positions": [*positions]}
    return Refusal(code, detail, pointer=f"/attributes/{item}", facts=facts)
