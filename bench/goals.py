"""Goals: what is wanted of a figure, by its id. Tables say beside each figure whether it was reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.figures import Figure, Finding

RATIO, FIGURE = "ratio", "figure"


@dataclass(frozen=True, slots=True)
class Goal:
    """The median of the ratio, the figure itself or one of its notes is `least` at least, or `most` at most."""

    of: str
    least: float | None = None
    most: float | None = None

    def text(self) -> str:
        name = "" if self.of in (RATIO, FIGURE) else f"{self.of} "
        return f"{name}≥ {self.least:,g}" if self.least is not None else f"{name}≤ {self.most:,g}"

    def reached(self, finding: Finding) -> bool:
        value = self._value(finding)
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def _value(self, finding: Finding) -> float:
        if self.of == FIGURE:
            return finding.median
        if self.of == RATIO:
            assert isinstance(finding, Figure)
            assert finding.ratio
            return finding.ratio.median
        return float(finding.notes[self.of])


def _ratio(least: float) -> tuple[Goal]:
    return (Goal(RATIO, least=least),)


def _most(most: float) -> tuple[Goal]:
    return (Goal(FIGURE, most=most),)


_WAYS = ("post", "nonce", "get")

GOALS: Mapping[str, Sequence[Goal]] = {
    # status beside what one core signs, and beside its peers
    **{f"ocsp-{way}": _ratio(0.85) for way in ("open", "open-nonce", "notified", "notified-nonce")},
    "http-event-loop-post": (Goal(RATIO, least=0.35), Goal("p99_ms", most=3)),
    **{f"http-event-loop-{way}": _ratio(0.35 * 0.85) for way in ("nonce", "get")},
    "http-threads-post": _ratio(0.06),
    **{f"http-threads-{way}": _ratio(0.06 * 0.85) for way in ("nonce", "get")},
    "http-rsa-event-loop-post": _ratio(0.85),
    **{f"http-rsa-event-loop-{way}": _ratio(0.85 * 0.85) for way in ("nonce", "get")},
    "http-rsa-threads-post": _ratio(0.45),
    **{f"http-rsa-threads-{way}": _ratio(0.45 * 0.85) for way in ("nonce", "get")},
    "event-loop-post-cfssl": _ratio(2),
    "event-loop-post-django": _ratio(30),
    "ready-cfssl": _ratio(5),
    "rsa-event-loop-openssl": _ratio(1),
    # issuance beside what one core signs
    **{f"issue{way}": _ratio(0.45) for way in ("", "-crowd-all")},
    **{f"batch{way}": _ratio(0.75) for way in ("", "-all")},
    "batch-peer": _ratio(1),
    # lists
    "list": _ratio(0.1),
    "list-published-peer": _ratio(6),
    "list-published-read": _ratio(1 / 1.5),
    "millions-list-first-memory": _most(400),
    "millions-list-next-memory": _most(400),
    "millions-filter-ratio": _most(1.25),
    "partitions-unverified": _most(0),
    # the status model
    "model-look-up": _most(5),
    "model-disk": _most(500),
    "model-start": _most(5),
    "followers-lag": (Goal("p99_within", most=1000),),
    "rebuild-made": _most(120),
    "rebuild-start": _most(5),
    "rebuild-disk": _most(500),
    "rebuild-http": _ratio(0.8),
    "rebuild-anew": _most(120),
    "rebuild-unbelieved": _most(0),
    # provision records
    "provisions-record": (Goal("processor_us", most=3),),
    # mass events
    **{
        f"events-{engine}-{act}-{what}": _most(most)
        for engine in ("sqlite", "postgresql")
        for act in ("rename", "merge", "hold")
        for what, most in (
            ("wrong", 0),
            ("unlisted", 0),
            ("missing", 0),
            ("faults", 0),
            ("p50-ratio", 2),
            ("p99-ratio", 2),
        )
    },
    # storms
    **{
        f"storm-{engine}-{what}": _most(most)
        for engine in ("sqlite", "postgresql")
        for what, most in (("wrong", 0), ("bugs", 0), ("faults", 0), ("unlisted", 0), ("memory", 400), ("ready", 120))
    },
    # disks that are full or may only be read, and a primary that is lost
    **{
        f"disks-{engine}-{fault}-{what}": _most(0)
        for engine in ("sqlite", "postgresql")
        for fault in ("full", "read-only")
        for what in ("wrong", "bugs", "faults", "unlisted")
    },
    **{f"standby-{what}": _most(0) for what in ("lost", "missing", "faults")},
}
