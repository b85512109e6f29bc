"""Sketches: a verifier's day as counts and as a sample of keyed digests, the same sample at every verifier.

Of all certificates a day is about those with the smallest digests are kept, some hundreds of them: whoever is in the
sample of one verifier is in that of another that asked about the same person. So two samples tell how much two sets
have in common, and one tells how often and for how many purposes people were asked about. The key is of the month.
"""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from domain.provisions import EVIDENCE_OCTETS, Channel
from provisions.segment import Content, Sealed

KEPT = 1024
"""Certificates in a sample."""
_ENTRY = struct.Struct(">QHB")
_HOURS = 24
_EMPTY = bytes(EVIDENCE_OCTETS)
_ALL = (1 << 64) - 1

Way = tuple[str, int, str, str]
"""By what requests are alike: issuer (of those refused, the kind), number of the channel, purpose, and the word of the
refusal or nothing."""
REFUSED = "refused: "
_FETCHED = (Channel.CRL, Channel.FILTER)


@dataclass(slots=True)
class Sketch:
    """`sample` has (questions, bits of purposes) by digest; nobody above `below` is in it. `ways` counts all requests,
    those that were refused and those for lists, too. `ahead` is the same day under the next month's key, when that
    begins soon, so that its first days are compared with the last ones of this."""

    requests: int = 0
    bare: int = 0
    dead: int = 0
    hours: list[int] = field(default_factory=lambda: [0] * _HOURS)
    purposes: list[str] = field(default_factory=list)
    below: int = _ALL
    sample: dict[int, tuple[int, int]] = field(default_factory=dict)
    ways: Counter[Way] = field(default_factory=Counter)
    ahead: Sketch | None = None

    def add(self, digest: int, purpose: str, good: bool, evidenced: bool, hour: int, times: int = 1) -> None:
        """A question, or `times` alike."""
        self.requests += times
        self.bare += 0 if evidenced else times
        self.dead += 0 if good else times
        self.hours[hour] += times
        if digest > self.below:
            return
        if purpose not in self.purposes:
            self.purposes.append(purpose)
        bit = 1 << min(self.purposes.index(purpose), 7)
        count, bits = self.sample.get(digest, (0, 0))
        self.sample[digest] = (min(count + times, 65535), bits | bit)
        if len(self.sample) > 2 * KEPT:
            self._prune()

    def _prune(self) -> None:
        if len(self.sample) > KEPT:
            kept = sorted(self.sample)[:KEPT]
            self.below = kept[-1]
            self.sample = {digest: self.sample[digest] for digest in kept}

    @property
    def distinct(self) -> float:
        """About how many certificates it was."""
        self._prune()
        if self.below == _ALL:
            return float(len(self.sample))
        return (len(self.sample) - 1) / (self.below / (1 << 64))

    def write(self) -> bytes:
        """Octets for the database."""
        self._prune()
        head = {
            "requests": self.requests,
            "bare": self.bare,
            "dead": self.dead,
            "hours": self.hours,
            "purposes": self.purposes,
            "below": self.below,
            "ways": [[*way, count] for way, count in self.ways.items()],
            "entries": len(self.sample),
        }
        entries = b"".join(_ENTRY.pack(digest, *row) for digest, row in self.sample.items())
        text = json.dumps(head, separators=(",", ":")).encode()
        return len(text).to_bytes(4) + text + entries + (self.ahead.write() if self.ahead else b"")

    @classmethod
    def read(cls, octets: bytes) -> Sketch:
        """What `write` wrote."""
        start = 4 + int.from_bytes(octets[:4])
        head = json.loads(octets[4:start])
        count = head.pop("entries", None)  # days that were written before it was said end with their entries
        end = len(octets) if count is None else start + count * _ENTRY.size
        sample = {digest: (count, bits) for digest, count, bits in _ENTRY.iter_unpack(octets[start:end])}
        ways = Counter(
            {(issuer, channel, purpose, word): n for issuer, channel, purpose, word, n in head.pop("ways", ())}
        )
        return cls(**head, sample=sample, ways=ways, ahead=cls.read(octets[end:]) if octets[end:] else None)


def digest_of(key: bytes, issuer: str, asked: bytes) -> int:
    """64 bits that stand for a certificate in one month."""
    return int.from_bytes(blake2b(issuer.encode() + b"\0" + asked, key=key, digest_size=8).digest())


def add_records(sketch: Sketch, key: bytes, content: Content, rows: Sequence[Sealed]) -> None:
    """Put records of one verifier's day into its sketch. Fetched lists and filters, and refusals, which name no
    certificate, are no questions."""
    names = content.names
    for row in rows:
        answer = names.get(row.answer, "?")
        # What somebody consented to can be anything, and there would be as many ways.
        purpose = "" if row.channel == Channel.VALIDATION else names.get(row.purpose, "?")
        word = answer.removeprefix(REFUSED) if answer.startswith(REFUSED) else ""
        sketch.ways[names.get(row.issuer, "?"), row.channel, purpose, word] += 1
        if row.channel in _FETCHED or not any(row.asked):
            continue
        sketch.add(
            digest_of(key, names.get(row.issuer, "?"), row.asked),
            names.get(row.purpose, "?"),
            answer == "good",
            row.evidence != _EMPTY,
            row.seconds % 86400 // 3600,
        )
