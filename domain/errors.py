"""Refusals: everything a caller should hear about. Anything else is a bug or an outage."""

from __future__ import annotations

from enum import Enum


class Code(Enum):
    """The closed set of refusals. The doors translate them; a test holds each table to be complete."""

    MALFORMED = "malformed"
    TOO_LARGE = "too-large"
    WRONG_METHOD = "wrong-method"
    WRONG_TYPE = "wrong-type"
    NOT_FOUND = "not-found"
    UNKNOWN_CALLER = "unknown-caller"
    NOT_ADMITTED = "not-admitted"
    SECOND_OFFICER = "second-officer"
    PROPOSAL_CLOSED = "proposal-closed"
    WRONG_MUNICIPALITY = "wrong-municipality"
    UNKNOWN_RESIDENT = "unknown-resident"
    RESIDENT_GONE = "resident-gone"
    ITEMS_DIFFER = "items-differ"
    BAD_REQUEST_SIGNATURE = "bad-request-signature"
    BAD_KEY = "bad-key"
    BAD_PROOF = "bad-proof"
    KEY_USED_BEFORE = "key-used-before"
    SAME_KEY = "same-key"
    UNDER_AGE = "under-age"
    SUBSTITUTE_NEEDED = "substitute-needed"
    SUBSTITUTE_UNCONFIRMED = "substitute-unconfirmed"
    UNDER_GUARDIANSHIP = "under-guardianship"
    CARD_EXPIRED = "card-expired"
    CARD_LIFE = "card-life"
    BAD_PLAN = "bad-plan"
    LINT = "lint"
    LIVE_PAIR = "live-pair"
    NO_LIVE_CERTIFICATE = "no-live-certificate"
    NOT_PENDING = "not-pending"
    NOT_HELD = "not-held"
    NOT_RELEASABLE = "not-releasable"
    TOO_MANY_ATTEMPTS = "too-many-attempts"
    IN_PROGRESS = "in-progress"
    IDEMPOTENCY_MISMATCH = "idempotency-mismatch"
    ALREADY_APPLIED = "already-applied"
    OUT_OF_ORDER = "out-of-order"
    CAUSE_NOT_ALLOWED = "cause-not-allowed"
    FOREIGN_ISSUER = "foreign-issuer"
    BAD_CONSENT = "bad-consent"
    CONSENT_EXPIRED = "consent-expired"
    CONSENT_USED = "consent-used"
    BAD_DOCUMENT = "bad-document"
    BAD_RECEIPT = "bad-receipt"
    CLOCK_BEHIND = "clock-behind"
    WOULD_SHRINK = "would-shrink"
    QUEUE_FULL = "queue-full"
    BUSY = "busy"
    STORE_UNAVAILABLE = "store-unavailable"
    SIGNER_UNAVAILABLE = "signer-unavailable"
    BAD_CONFIGURATION = "bad-configuration"


AWAY = frozenset({Code.BUSY, Code.STORE_UNAVAILABLE})
"""What passes by itself: the database cannot do it now."""


class Refusal(Exception):
    """`detail` is shown to the caller in English: what is wrong and what to do, no personal data, no internals.

    `pointer` is a JSON pointer or field name to the offending part of the input; `facts` are further safe
    facts (positions, counts, item names) for machines.
    """

    def __init__(
        self, code: Code, detail: str, *, pointer: str | None = None, facts: dict[str, object] | None = None
    ) -> None:
        super().__init__(f"{code.value}: {detail}")
        self.code = code
        self.detail = detail
        self.pointer = pointer
        self.facts = facts or {}

    def again(self) -> Refusal:
        """Another one that says the same. Whoever raises one writes into it: where it came through, and what lay there,
        is kept for as long as it is."""
        return Refusal(self.code, self.detail, pointer=self.pointer, facts=self.facts)
