"""Sealing of resident codes (住民票コード): a keyed index to find them by, and a sealed value to read them from."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.code_keys import FIRST, CodeKeys
from domain.errors import Code, Refusal
from domain.people import ResidentCode, code_of
from domain.ports import RandomSource

_NONCE_OCTETS = 12
_MAC_OCTETS = 32

# One key serves index, digests and the check value. No label begins another, so they never share an input.
INDEX_LABEL = b"jpki resident code index\x00"
_DIGEST_LABEL = b"jpki content digest\x00"
_MOVED_LABEL = b"jpki moved digest\x00"
_CHECK_LABEL = b"jpki code key check\x00"
_CONTENT_LABEL = b"jpki content\x00"  # no index begins so, but for one in 2^104
_KEPT_NAME = b"jpki index key of generation "

KeyRing = Mapping[int, CodeKeys]
"""The keys at hand, by generation."""


class Sealer:
    """`domain.code_keys.CodeSealer` over generations of keys.

    Index: HMAC-SHA-256. Without the key nobody can try all ten thousand million codes against it.
    Sealed value, 40 octets: generation, nonce, AES-256-GCM of the code. The index, which is of the same generation, is
    authenticated with it, so a value moved to another resident's row does not open. Random nonces of 96 bits bound a
    key to 2^32 seals (NIST SP 800-38D §8.3), thirty times the population.
    Digest: HMAC-SHA-256, behind the generation unless that is the first. One that was moved is the HMAC of the older
    one, and has both generations in front: the older content cannot be tried without the newer key, and can still be
    compared with it.
    """

    def __init__(
        self,
        ring: KeyRing,
        random: RandomSource,
        *,
        reread: Callable[[], KeyRing] | None = None,
        kept: Callable[[], Mapping[int, bytes]] = dict,
    ) -> None:
        """`reread` gives the keys as they are now, `kept` the sealed index keys of generations that were superseded.

        Until `attend` is called the oldest generation at hand is written with. Raises ValueError without any.
        """
        if not ring:
            raise ValueError("no generation of the keys of resident codes is at hand")
        self._random = random
        self._reread = reread or (lambda: ring)
        self._read_kept = kept
        self._kept: dict[int, bytes] = {}
        self._take(ring)
        self._use = tuple(sorted(ring))

    def _take(self, ring: KeyRing) -> None:
        self._ciphers = {generation: AESGCM(keys.seal) for generation, keys in ring.items()}
        self._ring = dict(ring)

    @property
    def generations(self) -> tuple[int, ...]:
        """Those at hand, oldest first."""
        return tuple(sorted(self._ring))

    def attend(self, generations: tuple[int, ...]) -> bool:
        """The `CodeKeyWatch` port. A generation that cannot be had is refused when something is to be done with it, and
        not here: much goes on without resident codes."""
        if generations == self._use:
            return False
        news = self._fetch(generations)
        self._use = generations
        return news

    def require(self, generations: tuple[int, ...]) -> bool:
        news = self._fetch(generations)
        for generation in generations:
            self._keys(generation)
        return news

    def _fetch(self, generations: tuple[int, ...]) -> bool:
        if self._ring.keys() >= set(generations):
            return False
        self._take({**self._ring, **self._reread()})
        return True

    def indexes(self, code: ResidentCode) -> tuple[bytes, ...]:
        return tuple(self._index(generation, code) for generation in self._use)

    def _index(self, generation: int, code: ResidentCode) -> bytes:
        return self._mac(self._keys(generation).index, INDEX_LABEL + code.digits.encode())

    def seal(self, code: ResidentCode) -> tuple[bytes, bytes]:
        """(index of 32 octets, sealed value of 40, different at every call)."""
        generation = self._use[0]
        index = self._index(generation, code)
        return index, self._encrypt(generation, code.digits.encode(), index)

    def unseal(self, index: bytes, sealed: bytes) -> ResidentCode:
        return code_of(self._decrypt(sealed, index, "the value was", "for this index").decode("ascii"))

    def conceal(self, octets: bytes, name: bytes) -> bytes:
        """29 octets more than `octets`, different at every call."""
        return self._encrypt(self._use[0], octets, _CONTENT_LABEL + name)

    def reveal(self, name: bytes, concealed: bytes) -> bytes:
        return self._decrypt(concealed, _CONTENT_LABEL + name, "the content was", "under this name")

    def _encrypt(self, generation: int, octets: bytes, beside: bytes) -> bytes:
        self._keys(generation)
        head, nonce = bytes([generation]), self._random(_NONCE_OCTETS)
        return head + nonce + self._ciphers[generation].encrypt(nonce, octets, head + beside)

    def _decrypt(self, octets: bytes, beside: bytes, what: str, how: str) -> bytes:
        head, nonce, ciphertext = octets[:1], octets[1 : 1 + _NONCE_OCTETS], octets[1 + _NONCE_OCTETS :]
        cipher = self._ciphers.get(head[0]) if head else None
        if cipher is None:
            raise ValueError(f"{what} sealed under keys that are not at hand")
        try:
            return cipher.decrypt(nonce, ciphertext, head + beside)
        except (InvalidTag, ValueError) as fault:
            # ValueError: a nonce or ciphertext cut too short for GCM.
            raise ValueError(f"{what} not sealed under these keys {how}") from fault

    def digest(self, octets: bytes) -> bytes:
        """32 octets, and one for each generation it went through unless that is only the first. Never an index."""
        return self._digest(self._use[0], octets)

    def _digest(self, generation: int, octets: bytes) -> bytes:
        head = b"" if generation == FIRST else bytes([generation])
        return head + self._mac(self._index_key(generation), _DIGEST_LABEL + octets)

    def says(self, octets: bytes, digest: bytes) -> bool:
        """Raises Refusal(BAD_CONFIGURATION) when a key that it was made with is lost."""
        *later, origin = path_of(digest)
        made = self._digest(origin, octets)
        for generation in reversed(later):
            made = self._moved(generation, made)
        return hmac.compare_digest(made, digest)

    def digests(self, octets: bytes) -> Iterator[bytes]:
        for generation in sorted({*self._ring, *self._kept_keys()}, reverse=True):
            yield self._digest(generation, octets)

    def moved_digest(self, digest: bytes) -> bytes:
        """The digest of the same content in the generation for writing; one that is of it already stays."""
        generation = self._use[0]
        return digest if path_of(digest)[0] == generation else self._moved(generation, digest)

    def _moved(self, generation: int, digest: bytes) -> bytes:
        mac = self._mac(self._index_key(generation), _MOVED_LABEL + digest)
        return bytes((generation, *path_of(digest))) + mac

    def check(self, generation: int) -> bytes:
        """32 octets that tell these keys from others. Raises Refusal(BAD_CONFIGURATION) when they are not at hand."""
        keys = self._keys(generation)
        return self._mac(keys.index, _CHECK_LABEL + self._mac(keys.seal, _CHECK_LABEL))

    def keep(self, generation: int) -> bytes:
        """The index key of a generation, sealed under that for writing, for comparing digests ever after."""
        return self.conceal(self._index_key(generation), _KEPT_NAME + bytes([generation]))

    def _keys(self, generation: int) -> CodeKeys:
        if generation not in self._ring:
            raise Refusal(
                Code.BAD_CONFIGURATION,
                f"generation {generation} of the keys of resident codes is in use and this process does not have it; "
                "put the secret in place, then reload the services",
            )
        return self._ring[generation]

    def _index_key(self, generation: int) -> bytes:
        if generation in self._ring:
            return self._ring[generation].index
        return self._kept_keys().get(generation) or self._keys(generation).index

    def _kept_keys(self) -> Mapping[int, bytes]:
        """The keys of generations that are not at hand any more, read once and opened."""
        if set(range(FIRST, max(self._ring))) - self._ring.keys() - self._kept.keys():
            kept = self._read_kept()
            self._kept = {g: self.reveal(_KEPT_NAME + bytes([g]), sealed) for g, sealed in kept.items()}
        return self._kept

    @staticmethod
    def _mac(key: bytes, octets: bytes) -> bytes:
        return hmac.digest(key, octets, "sha256")

    def __repr__(self) -> str:
        """Nothing of the keys."""
        return "Sealer(…)"


def path_of(digest: bytes) -> tuple[int, ...]:
    """The generations a digest went through, the newest first."""
    return tuple(digest[:-_MAC_OCTETS]) or (FIRST,)
