"""Challenges for log-in: a text that the card signs, made for one operator, good once and for a short while."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta

from jpki_verify.rejection import Code, Rejected
from jpki_verify.store import Store

NONCE_OCTETS = 32
LONGEST = 1000
_TITLE = "jpki-verify challenge 1"


def make_challenge(audience: str, nonce: bytes, now: datetime, life: timedelta, store: Store) -> str:
    """A new text. It names who asks, so that one made for somebody else is good nowhere else, and is remembered by its
    digest until it is used or its time is over."""
    ends = now + life
    text = "\n".join((_TITLE, f"for: {audience}", f"until: {ends:%Y-%m-%dT%H:%M:%SZ}", f"nonce: {_text(nonce)}"))
    store.keep_challenge(text.encode(), ends, now)
    return text


def redeem_challenge(text: str, now: datetime, store: Store) -> bytes:
    """The octets that must be signed. Whatever comes of it, the text is used up.

    Raises Rejected(WRONG_CHALLENGE) for one that was not made here, was used, or is over.
    """
    octets = text.encode(errors="replace")  # half a surrogate pair is in no text that was made here
    if len(octets) > LONGEST or not store.take_challenge(octets, now):
        raise Rejected(Code.WRONG_CHALLENGE, "this challenge was not made here, was used, or is over; begin again")
    return octets


def _text(nonce: bytes) -> str:
    return base64.urlsafe_b64encode(nonce).decode().rstrip("=")
