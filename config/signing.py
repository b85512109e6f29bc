"""Signing times: how long signatures took, by what they are for and the kind of key, told to whoever watches."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, NamedTuple

from domain.ports import Signer
from keys.algorithms import ECDSA_SHA256, ECDSA_SHA384, ED25519, RSA_SHA256

Role = Literal["issuing", "responder", "lists", "audit"]

SECONDS = (2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.025, 0.1, 0.5, 2.0)
"""Upper bounds of the histogram in seconds: P-256 in memory takes 15 µs, a token some milliseconds."""

ANSWERS_TIMED = 8
"""One OCSP signature of so many is timed, of those that come first in a tenth of a second and of those that do not say
*good*. All others are made by `untimed`, and pay nothing for it."""

_KINDS = {RSA_SHA256: "rsa", ECDSA_SHA256: "ec-p256", ECDSA_SHA384: "ec-p384", ED25519: "ed25519"}
_FOLDER, _SUFFIX = "signing-times", ".json"

Tell = Callable[[str, str, float], None]
"""Hears of a signature: its role, the kind of key and the seconds."""


def _nobody(_role: str, _kind: str, _seconds: float) -> None:
    return None


class SigningTimes:
    """Signatures of this process are told to `tell`."""

    def __init__(self) -> None:
        self.tell: Tell = _nobody

    def hear(self, tell: Tell) -> None:
        """Have signatures told to somebody, from the next one on."""
        self.tell = tell

    def timed(self, role: Role, signer: Signer, *, every: int = 1) -> Signer:
        """The signer, one of so many of whose signatures is timed, beginning with the first."""
        return _TimedSigner(self, role, signer, every)


class _TimedSigner:
    """A `Signer`. A signature that fails is not told of, nor one made by `untimed`."""

    __slots__ = ("algorithm", "key_id", "sign", "sign_digest", "untimed")

    sign: Callable[[bytes | memoryview], bytes]
    sign_digest: Callable[[bytes], bytes]
    untimed: Callable[[bytes | memoryview], bytes]

    def __init__(self, times: SigningTimes, role: Role, signer: Signer, every: int) -> None:
        self.algorithm, self.key_id = signer.algorithm, signer.key_id
        kind, left = _KINDS.get(signer.algorithm, "other"), 1

        def timed(plain: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
            def sign(message: Any) -> bytes:
                nonlocal left
                left -= 1
                if left > 0:
                    return plain(message)
                left = every
                begun = perf_counter()
                signature = plain(message)
                times.tell(role, kind, perf_counter() - begun)
                return signature

            return sign

        self.sign, self.sign_digest, self.untimed = timed(signer.sign), timed(signer.sign_digest), signer.sign


class SigningCount(NamedTuple):
    """Of one process, role and kind of key: signatures by bound (the last of `counts` for longer ones), and seconds."""

    process: str
    role: str
    kind: str
    counts: tuple[int, ...]
    seconds: float


class SigningCounts:
    """Counts of a process that has no door of its own, such as the publisher: kept in a file that the services read."""

    def __init__(self, state: Path, process: str) -> None:
        self._path = state / _FOLDER / f"{process}{_SUFFIX}"
        self._counts: dict[tuple[str, str], list[int]] = {}
        self._seconds: dict[tuple[str, str], float] = {}

    def tell(self, role: str, kind: str, seconds: float) -> None:
        """As `Tell` has it."""
        counts = self._counts.setdefault((role, kind), [0] * (len(SECONDS) + 1))
        counts[bisect_left(SECONDS, seconds)] += 1
        self._seconds[role, kind] = self._seconds.get((role, kind), 0.0) + seconds

    def keep(self) -> None:
        """Write the file. Where that cannot be done the next time will do: counts are no reason to stop."""
        rows = [(*key, counts, self._seconds[key]) for key, counts in self._counts.items()]
        unfinished = self._path.with_suffix(".part")
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            unfinished.write_text(json.dumps(rows))
            unfinished.replace(self._path)


def counts_of(state: Path) -> Iterator[SigningCount]:
    """What processes without a door have counted since each of them began. Files that cannot be read are left out."""
    for path in sorted((state / _FOLDER).glob(f"*{_SUFFIX}")):
        with suppress(OSError, ValueError):
            for role, kind, counts, seconds in json.loads(path.read_text()):
                yield SigningCount(path.stem, role, kind, tuple(counts), seconds)
