"""Handles made and read: a keyed pseudonym for a line of certificates, another one for each recipient.

AES-SIV (RFC 5297) over the line, with the recipient as associated data. Without the key it cannot be told from chance,
goes one way, and two recipients' handles of one line have nothing in common. With the key the authority reads a handle
back, so it keeps no table of who is known to whom.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.handles import Handle, HandleKeyRecord, Line, Recipient

FORM = "[1-9][0-9]{0,2}-[a-z2-7]{40}"
"""How a handle is written."""
LONGEST = 44

KEY_OCTETS = 32
_KINDS = {Kind.SIGNATURE: 1, Kind.AUTHENTICATION: 2}
_BY_OCTET = {octet: kind for kind, octet in _KINDS.items()}
_ALONE = 0x80


def _none() -> Refusal:
    return Refusal(Code.NOT_FOUND, "this is not one of your handles; ask for one with the certificate")


class HandleKey:
    """The keys of one generation, all derived from its 32 secret octets (HMAC-SHA-512 with a label for each)."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_OCTETS:
            raise ValueError(f"a key of handles has {KEY_OCTETS} octets")
        self._cipher = AESSIV(hmac.digest(secret, b"jpki handles", "sha512"))
        self._topics = hmac.digest(secret, b"jpki handle topics", "sha512")[:32]
        self._orders = hmac.digest(secret, b"jpki handle notices", "sha512")[:32]
        self.check = hmac.digest(secret, b"jpki handle key check", "sha256")

    def seal(self, line: Line, recipient: Recipient) -> bytes:
        """25 octets: the synthetic vector and the line, both pseudo-random without the key."""
        return self._cipher.encrypt(_octets(line), [_name(recipient)])

    def open(self, octets: bytes, recipient: Recipient) -> Line | None:
        """The line, or None when this key did not make the octets for this recipient."""
        try:
            plain = self._cipher.decrypt(octets, [_name(recipient)])
        except InvalidTag:
            return None
        return Line(int.from_bytes(plain[:8]), _BY_OCTET[plain[8] & ~_ALONE], whole=not plain[8] & _ALONE)

    def topic(self, line: Line) -> bytes:
        """16 octets by which those who want news of a line are found; without the key they lead to nobody."""
        return hmac.digest(self._topics, _octets(line), "sha256")[:16]

    def mark(self, content: bytes) -> bytes:
        """32 octets that anybody without the key takes for chance: they name a notice, and say when its turn is."""
        return hmac.digest(self._orders, content, "sha256")


def _octets(line: Line) -> bytes:
    return line.number.to_bytes(8) + bytes((_KINDS[line.kind] | (0 if line.whole else _ALONE),))


def _name(recipient: Recipient) -> bytes:
    return recipient.party.to_bytes(8) + recipient.provider.to_bytes(8)


class HandleRing:
    """Generations of the key, read again when one is asked for that was not at hand."""

    def __init__(self, read: Callable[[], Mapping[int, bytes]]) -> None:
        self._read = read
        self._keys: dict[int, HandleKey] = {}

    def key(self, record: HandleKeyRecord) -> HandleKey:
        """Raises Refusal(BAD_CONFIGURATION) when the secrets do not have the key that is on record."""
        key = self._at_hand(record.generation)
        if key.check != record.check:
            raise _missing(record.generation)
        return key

    def check(self, generation: int) -> bytes:
        """32 octets that tell the key of a generation from others. Raises Refusal(BAD_CONFIGURATION) without it."""
        return self._at_hand(generation).check

    def _at_hand(self, generation: int) -> HandleKey:
        if generation not in self._keys:
            self._keys |= {number: HandleKey(secret) for number, secret in self._read().items()}
        if generation not in self._keys:
            raise _missing(generation)
        return self._keys[generation]


def _missing(generation: int) -> Refusal:
    return Refusal(
        Code.BAD_CONFIGURATION,
        f"the secrets do not hold generation {generation} of the key of handles as it is on record; copy "
        "secrets/handles.key from the machine that made it",
    )


class HandleKeys:
    """The generations that are in use at one moment, as the records say."""

    def __init__(self, ring: HandleRing, records: Mapping[int, HandleKeyRecord]) -> None:
        self._ring = ring
        self._records = records

    @property
    def current(self) -> int:
        """The generation that handles are made with. Raises Refusal(BAD_CONFIGURATION) before there is one."""
        in_force = [row for row in self._records.values() if row.current_since is not None]
        if not in_force:
            raise Refusal(Code.BAD_CONFIGURATION, "there is no key of handles yet; make it with: jpki handles add-key")
        return max(row.generation for row in in_force)

    @property
    def readable(self) -> tuple[int, ...]:
        """Generations whose handles are understood, the newest first: those in use, now or before, and not retired."""
        rows = self._records.values()
        return tuple(sorted((row.generation for row in rows if row.current_since and not row.retired_at), reverse=True))

    def key(self, generation: int) -> HandleKey:
        return self._ring.key(self._records[generation])

    def make(self, line: Line, recipient: Recipient, generation: int | None = None) -> Handle:
        """The recipient's handle of the line, in the current generation or another."""
        generation = generation or self.current
        octets = self.key(generation).seal(line, recipient)
        return Handle(f"{generation}-{base64.b32encode(octets).decode('ascii').lower()}")

    def read(self, handle: str, recipient: Recipient) -> Line:
        """What the recipient's handle stands for. Raises Refusal(NOT_FOUND), in the same words whatever is wrong with
        it: another's handle must not be told from one that nobody has."""
        if not re.fullmatch(FORM, handle):
            raise _none()
        generation, text = handle.split("-")
        if int(generation) not in self.readable:
            raise _none()
        line = self.key(int(generation)).open(base64.b32decode(text.upper()), recipient)
        if line is None:
            raise _none()
        return line


def handle_of(keys: HandleKeys, recipient: Recipient, line: Line) -> Handle:
    """The handle by which `recipient` knows the certificates of `line`, in the current generation of the key."""
    return keys.make(line, recipient)
