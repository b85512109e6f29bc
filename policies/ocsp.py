"""How status is answered: who may ask, what is said of unknown serials, and for how long an answer stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from domain.certificates import Validity
from domain.status import Word

Access = Literal["notified-verifiers", "open"]
"""`notified-verifiers`: only 署名検証者・利用者証明検証者, by mutual TLS or a signed request. `open`: anybody."""

NeverIssued = Literal["unknown", "revoked"]
"""What is said of a serial without an issuance: *unknown*, or *revoked* by the extended definition (RFC 6960 §2.2)."""


@dataclass(frozen=True, slots=True)
class OcspPolicy:
    """`answer_lifetime` runs from the answer to its nextUpdate, whose second still belongs to it.

    `good_max_age` caps how long HTTP caches may keep *good*, which a revocation cannot reach there; `revoked_max_age`
    does so for any other answer: a wrong or soon outdated revocation must not stick. `max_cert_ids` limits the
    certificates of one request. `backdate` sets thisUpdate back for clients with slow clocks; it is zero because
    certificates are not dated back either. `ready` is for how long an answer without nonce may be given
    again instead of signed anew; nothing means not at all.
    """

    access: Access = "notified-verifiers"
    never_issued: NeverIssued = "unknown"
    answer_lifetime: timedelta = timedelta(hours=1)
    good_max_age: timedelta = timedelta(minutes=5)
    revoked_max_age: timedelta = timedelta(minutes=1)
    max_cert_ids: int = 32
    backdate: timedelta = timedelta()
    ready: timedelta = timedelta()

    def faults(self) -> tuple[str, ...]:
        """Every contradiction, each a sentence that names its place; none for a usable policy."""
        checks = (
            (self.access in get_args(Access), f"access: want one of {', '.join(get_args(Access))}"),
            (
                self.never_issued in get_args(NeverIssued),
                f"never_issued: want one of {', '.join(get_args(NeverIssued))}",
            ),
            (
                timedelta(minutes=1) <= self.answer_lifetime <= timedelta(days=7),
                "answer_lifetime: want between a minute and seven days",
            ),
            (
                timedelta() <= self.good_max_age,
                "good_max_age: want nothing or more",
            ),
            (
                timedelta() <= self.revoked_max_age <= self.answer_lifetime,
                "revoked_max_age: want between nothing and answer_lifetime",
            ),
            (
                timedelta() <= self.ready
                and (not self.ready or self.ready + 2 * self.good_max_age < self.answer_lifetime),
                "ready: with twice good_max_age it must be less than answer_lifetime",
            ),
            (1 <= self.max_cert_ids <= 64, "max_cert_ids: want between 1 and 64"),
            (
                timedelta() <= self.backdate < self.answer_lifetime,
                "backdate: want between nothing and less than answer_lifetime",
            ),
            (
                not any(
                    life.microseconds
                    for life in (
                        self.answer_lifetime,
                        self.good_max_age,
                        self.revoked_max_age,
                        self.backdate,
                        self.ready,
                    )
                ),
                "answer_lifetime, good_max_age, revoked_max_age, backdate and ready: want whole seconds",
            ),
        )
        return tuple(fault for holds, fault in checks if not holds)

    def period(self, now: datetime, responder: Validity) -> Validity:
        """thisUpdate and nextUpdate of an answer given `now`, kept within the responder certificate's validity.

        `now` lies in `responder`. An answer that outlived its signer's certificate would be refused by clients that
        check the certificate at nextUpdate, and one that began before it by those that check at thisUpdate.
        """
        return Validity(
            max(now - self.backdate, responder.not_before),
            min(now + self.answer_lifetime - timedelta(seconds=1), responder.not_after),
        )

    def max_age(self, word: Word, remaining: timedelta) -> int:
        """Seconds for which HTTP caches may keep an answer that has `remaining` until nextUpdate (RFC 9919 §7.2).

        At most half of what remains, so that an answer out of a cache has at least as much life left as it spent there.
        """
        cap = self.good_max_age if word == "good" else self.revoked_max_age
        return int(min(remaining // 2, cap).total_seconds())
