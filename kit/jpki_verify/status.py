"""Status from the first source that can tell: OCSP, lists, filters, in the order that the settings give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from jpki_verify.certificates import Holder
from jpki_verify.ocsp_answer import AnswerRules, Status, Word, read_answer
from jpki_verify.ocsp_request import RequestSigner, encode_request, question_about
from jpki_verify.rejection import Code, Reason, Rejected, Unusable
from jpki_verify.settings import Declared

Ask = Callable[[Holder, datetime, bytes], Status]
"""What one source says of a certificate at a moment; the octets are the nonce, if it takes one. Raises Unusable when it
cannot tell."""

Send = Callable[[bytes], bytes]
"""The octets that the responder answers to a request. Raises Unusable."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """That a certificate is good: which source said so, as of when, and which were passed over because of what."""

    source: str
    as_of: datetime
    passed_over: tuple[tuple[str, Reason], ...]


def confirm(holder: Holder, sources: Mapping[str, Ask], now: datetime, nonce: bytes) -> Confirmation:
    """That the first source that can tell says *good*. A source that says anything else ends the question: what it
    calls revoked or unknown is not asked about elsewhere.

    Raises Rejected(REVOKED, HELD or NEVER_ISSUED), Rejected(STATUS_AWAY) when no source can tell, and what a source
    raises.
    """
    passed: list[tuple[str, Reason]] = []
    for name, ask in sources.items():
        try:
            status = ask(holder, now, nonce)
        except Unusable as unusable:
            passed.append((name, unusable.reason))
            continue
        if status.word is Word.GOOD:
            return Confirmation(name, status.as_of, tuple(passed))
        code, detail = _REFUSALS[status.word]
        raise Rejected(code, detail, since=status.since, passed_over=tuple(passed))
    reasons = ", ".join(f"{name}: {reason.value}" for name, reason in passed)
    raise Rejected(
        Code.STATUS_AWAY, f"nobody can tell now whether it is revoked ({reasons}); try again", passed_over=tuple(passed)
    )


class Responder:
    """The authority's responder as a source."""

    def __init__(self, send: Send, signer: RequestSigner, declared: Declared, rules: AnswerRules) -> None:
        self._send, self._signer, self._declared, self._rules = send, signer, declared, rules

    def status_of(self, holder: Holder, now: datetime, nonce: bytes) -> Status:
        """What it says now. Raises Unusable, Rejected(NOT_ADMITTED)."""
        question = question_about(holder, nonce)
        octets = self._send(encode_request(question, self._signer, self._declared))
        return read_answer(octets, question, holder.anchor, self._rules, now)


_REFUSALS = {
    Word.REVOKED: (Code.REVOKED, "the certificate is revoked"),
    Word.HELD: (Code.HELD, "the certificate is held: its holder stopped it for now"),
    Word.UNKNOWN: (Code.NEVER_ISSUED, "the authority has no such certificate in force"),
}
