"""The truth about certificates while everything happens: what each may be called at every moment, and what was said."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Set
from dataclasses import dataclass
from time import monotonic, time

GOOD, REVOKED = "good", "revoked"
_LATELY = 50


@dataclass(frozen=True, slots=True)
class Named:
    """A certificate: its issuer and its serial number."""

    issuer: str
    serial: bytes


class Truth:
    """Statuses by certificate, with the moments at which acts on them began and returned. Threads may share it.

    Between the two moments of an act either status may be told; after it only the new one. A certificate is known from
    the moment its issuance returned.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._acts: dict[Named, list[tuple[float, float, str]]] = {}
        self._known: list[Named] = []
        self._lists: dict[str, tuple[int, Set[bytes]]] = {}
        self._offset = time() - monotonic()
        self.said: Counter[str] = Counter()
        self.lists = 0
        self.wrong: list[str] = []

    def issued(self, certificates: list[Named]) -> None:
        """Issuance has returned: from now on nobody may hear *unknown*."""
        now = monotonic()
        with self._lock:
            for certificate in certificates:
                self._acts[certificate] = [(now, now, GOOD)]
                self._known.append(certificate)

    def began(self, certificates: list[Named], word: str) -> None:
        """An act that makes them `word` begins."""
        now = monotonic()
        with self._lock:
            for certificate in certificates:
                self._acts[certificate].append((now, float("inf"), word))
                self._known.append(certificate)  # once more, so that it counts as one of late

    def returned(self, certificates: list[Named]) -> None:
        """That act has returned."""
        now = monotonic()
        with self._lock:
            for certificate in certificates:
                began, _, word = self._acts[certificate][-1]
                self._acts[certificate][-1] = (began, now, word)

    def some(self, number: int) -> Named | None:
        """One of those there are, by any number; every second time one that something happened to of late."""
        with self._lock:
            if not (count := len(self._known)):
                return None
            if number % 2:
                return self._known[-1 - number // 2 % min(count, _LATELY)]
            return self._known[number // 2 % count]

    def check(self, certificate: Named, asked: float, answered: float, word: str) -> None:
        """Note what was said between these moments, and whether it may have been."""
        with self._lock:
            self.said[word] += 1
            allowed = set()
            for began, returned, made in self._acts[certificate]:
                if returned <= asked:
                    allowed = {made}
                elif began <= answered:
                    allowed.add(made)
            if word not in allowed and word != "try-later":
                self.wrong.append(f"heard {word}, allowed {' or '.join(sorted(allowed))}")

    def check_list(self, issuer: str, number: int, made_at: float, serials: Set[bytes]) -> None:
        """Note a list that was fetched just now, made at a moment (seconds since 1970), and whether it may be so."""
        with self._lock:
            self.lists += 1
            before, listed = self._lists.get(issuer, (0, frozenset[bytes]()))
            self._lists[issuer] = (number, serials)
            told = {named.serial: acts[-1] for named, acts in self._acts.items() if named.issuer == issuer}
            revoked = {serial: act for serial, act in told.items() if act[2] == REVOKED}
            if number < before:
                self.wrong.append("a list older than the one before it")
            if listed - serials:
                self.wrong.append(f"a list that lacks {len(listed - serials)} of the one before it")
            if others := serials - revoked.keys():
                self.wrong.append(f"a list with {len(others)} that nobody revoked")
            due = {serial for serial, (_, returned, _) in revoked.items() if returned + self._offset < made_at}
            if missing := due - serials:
                self.wrong.append(f"a list that lacks {len(missing)} revoked before it was made")

    def is_listed(self) -> bool:
        """Whether everything revoked stood in the lists that were fetched last."""
        with self._lock:
            revoked = [named for named, acts in self._acts.items() if acts[-1][2] == REVOKED]
            return all(named.serial in self._lists.get(named.issuer, (0, frozenset[bytes]()))[1] for named in revoked)
