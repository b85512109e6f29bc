"""What a caller hears when something is not confirmed, and why a source of status could not be used."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum, StrEnum


class Verdict(IntEnum):
    """What became of a question; the number is the exit code of the command."""

    CONFIRMED = 0
    NOT_VALID = 1
    SETUP = 2
    UNDECIDED = 3


class Code(StrEnum):
    """Every reason for which something is not confirmed. `messages.toml` has words for each in two languages."""

    NO_CERTIFICATE = "no-certificate"
    UNKNOWN_ISSUER = "unknown-issuer"
    WRONG_KIND = "wrong-kind"
    WRONG_PROFILE = "wrong-profile"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    HELD = "held"
    NEVER_ISSUED = "never-issued"
    BAD_SIGNATURE = "bad-signature"
    BAD_DOCUMENT = "bad-document"
    BAD_RECEIPT = "bad-receipt"
    WRONG_CHALLENGE = "wrong-challenge"
    NOT_ADMITTED = "not-admitted"
    BAD_CONFIGURATION = "bad-configuration"
    MISSING_PART = "missing-part"
    STATUS_AWAY = "status-away"
    HANDLES_AWAY = "handles-away"

    @property
    def verdict(self) -> Verdict:
        """Whether this says *not valid*, *mend your setup*, or *nobody can tell now*."""
        if self in (Code.NOT_ADMITTED, Code.BAD_CONFIGURATION, Code.MISSING_PART):
            return Verdict.SETUP
        return Verdict.UNDECIDED if self in (Code.STATUS_AWAY, Code.HANDLES_AWAY) else Verdict.NOT_VALID


class Reason(StrEnum):
    """Why one source of status could not be used. None of them says anything about the certificate."""

    UNREACHABLE = "unreachable"
    TOO_SLOW = "too-slow"
    TOO_LARGE = "too-large"
    REDIRECTED = "redirected"
    NOT_ADMITTED = "not-admitted"
    HTTP_ERROR = "http-error"
    WRONG_MEDIA_TYPE = "wrong-media-type"
    TRY_LATER = "try-later"
    INTERNAL_ERROR = "internal-error"
    REQUEST_REFUSED = "request-refused"
    UNREADABLE = "unreadable"
    WRONG_NONCE = "wrong-nonce"
    OTHER_CERTIFICATE = "other-certificate"
    WRONG_RESPONDER = "wrong-responder"
    BAD_SIGNATURE = "bad-signature"
    STALE = "stale"
    FROM_THE_FUTURE = "from-the-future"
    NO_ADDRESS = "no-address"
    OTHER_PARTITION = "other-partition"
    INCOMPLETE = "incomplete"
    ROLLED_BACK = "rolled-back"
    NO_FILTER = "no-filter"
    NOT_COVERED = "not-covered"


class Rejected(Exception):
    """Something is not confirmed. `detail` is English and for the operator; it names no serial and nobody.

    `since` is set for what was revoked or held, `passed_over` for what was decided without some source, or not at all.
    """

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        since: datetime | None = None,
        passed_over: tuple[tuple[str, Reason], ...] = (),
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.since = since
        self.passed_over = passed_over


class Unusable(Exception):
    """One source of status gave nothing that could be used; the next one may."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason
