"""Sealing of resident codes (住民票コード): a keyed index to find them by, and a sealed value to read them from."""

from __future__ import annotations

import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.people import ResidentCode
from domain.ports import RandomSource

KEY_OCTETS = 32
_NONCE_OCTETS = 12
_KEY_ID = b"\x01"  # first octet of a sealed value; a second key gets the next number, and old values stay readable

# One key serves the index and the digest. Neither label begins the other, so they never share an input.
_INDEX_LABEL = b"jpki resident code index\x00"
_DIGEST_LABEL = b"jpki content digest\x00"
_CONTENT_LABEL = b"jpki content\x00"  # no index begins so, but for one in 2^104


class Sealer:
    """`domain.ports.CodeSealer` with two keys of 32 octets each.

    Index: HMAC-SHA-256. Without the key nobody can try all ten thousand million codes against it.
    Sealed value, 40 octets: key id, nonce, AES-256-GCM of the code. The index is authenticated with it, so a value
    moved to another resident's row does not open. Random nonces of 96 bits bound a key to 2^32 seals
    (NIST SP 800-38D §8.3), thirty times the population.
    """

    def __init__(self, index_key: bytes, seal_key: bytes, random: RandomSource) -> None:
        """Raises ValueError for keys of another length, or the same key twice."""
        if len(index_key) != KEY_OCTETS or len(seal_key) != KEY_OCTETS:
            raise ValueError(f"the index key and the seal key want {KEY_OCTETS} octets each")
        if hmac.compare_digest(index_key, seal_key):
            raise ValueError("the index key and the seal key must differ")
        self._index_key = index_key
        self._cipher = AESGCM(seal_key)
        self._random = random

    def index(self, code: ResidentCode) -> bytes:
        """32 octets, equal for equal codes."""
        return hmac.digest(self._index_key, _INDEX_LABEL + code.digits.encode(), "sha256")

    def digest(self, octets: bytes) -> bytes:
        """32 octets: keyed digest of content that names residents. Never equals an index."""
        return hmac.digest(self._index_key, _DIGEST_LABEL + octets, "sha256")

    def seal(self, code: ResidentCode) -> bytes:
        """40 octets, different at every call."""
        nonce = self._random(_NONCE_OCTETS)
        return _KEY_ID + nonce + self._cipher.encrypt(nonce, code.digits.encode(), _KEY_ID + self.index(code))

    def unseal(self, index: bytes, sealed: bytes) -> ResidentCode:
        """The code. Raises ValueError when the value was not sealed under this key for this index."""
        if sealed[:1] != _KEY_ID:
            raise ValueError("the value was sealed under another key")
        nonce, ciphertext = sealed[1 : 1 + _NONCE_OCTETS], sealed[1 + _NONCE_OCTETS :]
        try:
            digits = self._cipher.decrypt(nonce, ciphertext, _KEY_ID + index).decode("ascii")
        except (InvalidTag, ValueError) as fault:
            # ValueError: a nonce or ciphertext cut too short for GCM.
            raise ValueError("the value was not sealed under this key for this index") from fault
        return ResidentCode(digits)

    def conceal(self, octets: bytes, name: bytes) -> bytes:
        """29 octets more than `octets`, different at every call."""
        nonce = self._random(_NONCE_OCTETS)
        return _KEY_ID + nonce + self._cipher.encrypt(nonce, octets, _KEY_ID + _CONTENT_LABEL + name)

    def reveal(self, name: bytes, concealed: bytes) -> bytes:
        """The content. Raises ValueError when it was not concealed under this key and this name."""
        if concealed[:1] != _KEY_ID:
            raise ValueError("the content was concealed under another key")
        nonce, ciphertext = concealed[1 : 1 + _NONCE_OCTETS], concealed[1 + _NONCE_OCTETS :]
        try:
            return self._cipher.decrypt(nonce, ciphertext, _KEY_ID + _CONTENT_LABEL + name)
        except (InvalidTag, ValueError) as fault:
            raise ValueError("the content was not concealed under this key and this name") from fault

    def __repr__(self) -> str:
        """Nothing of the keys."""
        return "Sealer(…)"
