"""Matching of the four items: the one form in which they are compared when a resident is named by them alone."""

from __future__ import annotations

import json
import re
import unicodedata

from domain.people import BasicAttributes

# Dashes as they are typed between the numbers of an address; U+30FC, a vowel sign, is one between digits only.
_DASHES = re.compile(r"[\u2010-\u2015\u2212]|(?<=\d)\u30fc(?=\d)")
_UNITS = re.compile(r"(?<=\d)(?:丁目|番地の|番地|番|号|の(?=\d))")
_SELECTORS = re.compile(r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_SPACE = re.compile(r"\s+")

_LABEL = b"four items of a resident\x00"


def match_octets(items: BasicAttributes) -> bytes:
    """Octets that are equal for items that mean the same resident; to be put through a keyed digest, never stored.

    Name and address: NFKC (width, compatibility characters), without white space and variation selectors, small
    letters. Address: every dash is one, and 丁目, 番地の, 番地, 番, 号 and の behind a number are dashes, too;
    none stands at the end. Birth date and sex as the register has them. Nothing else is folded: old and new forms of
    an ideograph, kana for kanji and numbers in kanji do not match.
    """
    said = [_text(items.name), _address(items.address), items.birth_date.text, items.sex.value]
    return _LABEL + json.dumps(said, ensure_ascii=False).encode()


def _text(text: str) -> str:
    return _SPACE.sub("", _SELECTORS.sub("", unicodedata.normalize("NFKC", text))).lower()


def _address(text: str) -> str:
    dashed = _DASHES.sub("-", _text(text))
    return re.sub(r"-+", "-", _UNITS.sub("-", dashed)).rstrip("-")
