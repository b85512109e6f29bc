"""The truth about certificates while everything happens: what each may be called at every moment, and what was said."""

from __future__ import annotations

import threading
from collections import Counter
from time import monotonic

GOOD, REVOKED = "good", "revoked"


class Truth:
    """Statuses by serial, with the moments at which acts on them began and returned. Threads may share it.

    Between the two moments of an act either status may be told; after it only the new one. A serial is known from the
    moment its issuance returned.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._acts: dict[bytes, list[tuple[float, float, str]]] = {}
        self._serials: list[bytes] = []
        self.said: Counter[str] = Counter()
        self.wrong: list[str] = []

    def issued(self, serials: list[bytes]) -> None:
        """Issuance has returned: from now on nobody may hear *unknown*."""
        now = monotonic()
        with self._lock:
            for serial in serials:
                self._acts[serial] = [(now, now, GOOD)]
                self._serials.append(serial)

    def began(self, serials: list[bytes], word: str) -> None:
        """An act that makes them `word` begins."""
        now = monotonic()
        with self._lock:
            for serial in serials:
                self._acts[serial].append((now, float("inf"), word))

    def returned(self, serials: list[bytes]) -> None:
        """That act has returned."""
        now = monotonic()
        with self._lock:
            for serial in serials:
                began, _, word = self._acts[serial][-1]
                self._acts[serial][-1] = (began, now, word)

    def some(self, number: int) -> bytes | None:
        """One of the serials there are, by any number."""
        with self._lock:
            return self._serials[number % len(self._serials)] if self._serials else None

    def check(self, serial: bytes, asked: float, answered: float, word: str) -> None:
        """Note what was said between these moments, and whether it may have been."""
        with self._lock:
            self.said[word] += 1
            allowed = set()
            for began, returned, made in self._acts[serial]:
                if returned <= asked:
                    allowed = {made}
                elif began <= answered:
                    allowed.add(made)
            if word not in allowed and word != "try-later":
                self.wrong.append(f"heard {word}, allowed {' or '.join(sorted(allowed))}")
