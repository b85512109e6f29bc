"""Substitute characters (代替文字): the rules that choose them, and one replacement in one certificate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal


class VariantRule(Enum):
    """Why one character may stand for another. Order and consequences are data: `config/data/substitution.toml`."""

    PROJECT = "project"
    CANONICAL = "canonical"
    SELECTOR = "selector"
    MJ_UNIFICATION = "mj-unification"
    MJ_REGISTER_NOTICES = "mj-register-notices"
    MJ_NOTICE_582 = "mj-notice-582"
    NTA_JIS = "nta-jis"
    MJ_INFERENCE = "mj-inference"
    HOLDER = "holder"


@dataclass(frozen=True, slots=True)
class SubstitutionRule:
    """One rule: its names, its table, whether its substitutes may be written `unconfirmed` (flagged, or refused), and
    whether it makes two characters the `same` in the eyes of a verifier."""

    rule: VariantRule
    title_en: str
    title_ja: str
    table: str
    unconfirmed: Literal["flag", "refuse"]
    same: Literal["yes", "maybe", "no"]


@dataclass(frozen=True, slots=True, repr=False)
class Substitution:
    """One character of the `register` and what stands for it in the `certificate`.

    `position` counts from 0, in characters as people count them, and is the same in both texts: a substitute is one
    character for one. `confirmed`: the municipality sent the text as the holder confirmed it.
    """

    item: str
    position: int
    register: str
    certificate: str
    rule: SubstitutionRule
    confirmed: bool
