"""Who may ask for certificate status: a table in which the first row that holds decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.parties import Party, Role
from policies.ocsp import Access


@dataclass(frozen=True, slots=True)
class Requestor:
    """What is known of who asks: the party behind the TLS client certificate, and the SHA-256 of the certificate
    whose key verifiably signed the request. A signature speaks louder: where there is one, its owner is asking."""

    tls: Party | None = None
    signed_fingerprint: bytes | None = None


NOBODY = Requestor()


class Admitted(NamedTuple):
    """Who is admitted, if that is known, as which provider behind a platform, for which declared purpose."""

    party: Party | None = None
    provider: Party | None = None
    purpose: str = ""


Admit = Callable[[Requestor, Kind, datetime], Admitted]
"""Who asks, if the requestor may ask about certificates of that kind at that moment; raises Refusal otherwise."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What is decided about: the setting, the party that asks if it is known, the kind it asks about, and when."""

    access: Access
    party: Party | None
    kind: Kind
    now: datetime

    def lacks(self, kind: Kind) -> bool:
        """Whether it is about `kind` and the party has not notified that kind."""
        return self.kind is kind and self.party is not None and kind not in self.party.kinds


@dataclass(frozen=True, slots=True)
class AdmissionRule:
    """One row: where it `holds`, `refusal` is the outcome, and None means admitted."""

    id: str
    holds: Callable[[Inquiry], bool]
    refusal: Code | None
    detail: str
    source: str


ADMISSION_RULES = (
    AdmissionRule(
        "open-to-all",
        lambda inquiry: inquiry.access == "open",
        None,
        "status is open to everybody",
        "a setting of the operator; the law's default is the rows below",
    ),
    AdmissionRule(
        "caller-unknown",
        lambda inquiry: inquiry.party is None,
        Code.UNKNOWN_CALLER,
        "status is given to notified verifiers: use a registered client certificate, or sign the request with one",
        "公的個人認証法 §18(1): provision to verifiers, so the caller must be recognised",
    ),
    AdmissionRule(
        "not-a-verifier",
        lambda inquiry: inquiry.party is not None and inquiry.party.role is not Role.VERIFIER,
        Code.NOT_ADMITTED,
        "status is given to notified verifiers; this party has another role",
        "公的個人認証法 §17(1), §36(1): closed lists; a municipality or operator is not on them as such",
    ),
    AdmissionRule(
        "not-in-force",
        lambda inquiry: inquiry.party is not None and not inquiry.party.in_force(inquiry.now),
        Code.NOT_ADMITTED,
        "the verifier's notification is suspended or has ended",
        "公的個人認証法 §18(7): provision may be refused",
    ),
    AdmissionRule(
        "signature-not-notified",
        lambda inquiry: inquiry.lacks(Kind.SIGNATURE),
        Code.NOT_ADMITTED,
        "the verifier has not notified the verification of signing certificates",
        "公的個人認証法 §17(1): 署名検証者",
    ),
    AdmissionRule(
        "authentication-not-notified",
        lambda inquiry: inquiry.lacks(Kind.AUTHENTICATION),
        Code.NOT_ADMITTED,
        "the verifier has not notified the verification of authentication certificates",
        "公的個人認証法 §36(1): 利用者証明検証者",
    ),
    AdmissionRule(
        "notified-verifier",
        lambda _: True,
        None,
        "a notified verifier asks about a kind it has notified",
        "公的個人認証法 §18(1), and its counterpart for authentication certificates",
    ),
)


def admission(inquiry: Inquiry) -> AdmissionRule:
    """The row that decides."""
    return next(rule for rule in ADMISSION_RULES if rule.holds(inquiry))


def admit_party(inquiry: Inquiry) -> None:
    """Return if admitted. Raises Refusal(UNKNOWN_CALLER) or Refusal(NOT_ADMITTED); `facts` name the deciding row."""
    rule = admission(inquiry)
    if rule.refusal is not None:
        raise Refusal(rule.refusal, rule.detail, facts={"rule": rule.id})
