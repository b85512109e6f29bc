"""Who may be given certificate status: a table in which the first row that holds decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.parties import Party, Role
from domain.provisions import Channel
from domain.standings import Approval, Standing
from policies.ocsp import Access


@dataclass(frozen=True, slots=True)
class Requestor:
    """What is known of who asks: the party behind the TLS client certificate, and the SHA-256 of the certificate
    whose key verifiably signed the request. A signature speaks louder: where there is one, its owner is asking.

    `purpose` is what it is said to be for, `provider` the name of whom it is asked for behind a platform or group, and
    `bound` the purpose that the TLS certificate is bound to.
    """

    tls: Party | None = None
    signed_fingerprint: bytes | None = None
    purpose: str | None = None
    provider: str | None = None
    bound: str | None = None


NOBODY = Requestor()


class Admitted(NamedTuple):
    """Who is admitted, if that is known, as which provider behind a platform, for which declared purpose."""

    party: Party | None = None
    provider: Party | None = None
    purpose: str = ""


Admit = Callable[[Requestor, Kind, datetime], Admitted]
"""Who asks, if the requestor may ask about certificates of that kind at that moment; raises Refusal otherwise."""

_STATUS = frozenset({Channel.OCSP, Channel.CRL, Channel.FILTER, Channel.HANDLE, Channel.NOTICE})
CHANNELS: dict[Standing, frozenset[Channel]] = {
    **dict.fromkeys(Standing, _STATUS),
    # 公的個人認証法 §20: a group verifier checks the filing that a member asks about, one at a time.
    Standing.GROUP_VERIFIER: frozenset({Channel.OCSP, Channel.CRL, Channel.HANDLE}),
}
"""By which ways those of a standing are told."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What is decided about: the setting, the party that asks if it is known, the kind it asks about, when, by which
    way; whom it names as provider (`provider` is None where there is no such one behind it), what for, and the purpose
    that its credential is bound to."""

    access: Access
    party: Party | None
    kind: Kind
    now: datetime
    channel: Channel = Channel.OCSP
    names_provider: bool = False
    provider: Party | None = None
    purpose: str | None = None
    bound: str | None = None

    def lacks(self, kind: Kind) -> bool:
        """Whether it is about `kind` and the party has no approval for that kind, or none any more."""
        return self.kind is kind and (self.approval is None or self.approval.withdrawn_at is not None)

    @property
    def approval(self) -> Approval | None:
        """The approval of who asks."""
        return self.party.approval(self.kind) if self.party else None

    @property
    def whose(self) -> Approval | None:
        """The approval whose purposes count: that of the provider where there is one."""
        return self.provider.approval(self.kind) if self.provider else self.approval

    @property
    def standing(self) -> Standing | None:
        return self.party.standing if self.party else None

    @property
    def meant(self) -> str | None:
        """The purpose that is declared, by the request or the credential; otherwise the only one there is."""
        declared = self.purpose or self.bound
        if declared is None and self.whose is not None and len(self.whose.purposes) == 1:
            (declared,) = self.whose.purposes
        return declared


@dataclass(frozen=True, slots=True)
class AdmissionRule:
    """One row: where it `holds`, `refusal` is the outcome, and None means admitted. `verified` is false where the text
    in force was not seen to say so, or where it is this project's reading."""

    id: str
    holds: Callable[[Inquiry], bool]
    refusal: Code | None
    detail: str
    source: str
    verified: bool = True


ADMISSION_RULES = (
    AdmissionRule(
        "open-to-all",
        lambda inquiry: inquiry.access == "open",
        None,
        "status is open to everybody",
        "a setting of the operator; the law's default is the rows below",
        verified=False,
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
        "the verifier's registration is suspended or has ended",
        "公的個人認証法 §18(7): provision may be refused",
    ),
    AdmissionRule(
        "signature-not-approved",
        lambda inquiry: inquiry.lacks(Kind.SIGNATURE),
        Code.NOT_ADMITTED,
        "the verifier is not approved for the verification of signing certificates",
        "公的個人認証法 §17(1): 署名検証者",
    ),
    AdmissionRule(
        "authentication-not-approved",
        lambda inquiry: inquiry.lacks(Kind.AUTHENTICATION),
        Code.NOT_ADMITTED,
        "the verifier is not approved for the verification of authentication certificates",
        "公的個人認証法 §36(1): 利用者証明検証者",
    ),
    AdmissionRule(
        "not-notified",
        lambda inquiry: inquiry.approval is not None and inquiry.approval.notified_at is None,
        Code.NOT_ADMITTED,
        "the verifier is approved, but its notification has not been received yet",
        "公的個人認証法 §17(1), §36(1): who wants to be provided with status notifies first",
    ),
    AdmissionRule(
        "approval-not-in-force",
        lambda inquiry: inquiry.approval is not None and not inquiry.approval.in_force(inquiry.now),
        Code.NOT_ADMITTED,
        "the verifier's approval for these certificates is suspended, has ended, or has not begun",
        "公的個人認証法 §18(7): provision may be refused",
    ),
    AdmissionRule(
        "asks-through-another",
        lambda inquiry: inquiry.standing is not None and inquiry.standing.through is not None,
        Code.NOT_ADMITTED,
        "verifiers of this standing ask through their platform operator or group verifier, not themselves",
        "施行規則 §29(1): all checking is left to the platform operator; 公的個人認証法 §17(5), §20",
        verified=False,
    ),
    AdmissionRule(
        "way-not-given",
        lambda inquiry: inquiry.standing is None or inquiry.channel not in CHANNELS[inquiry.standing],
        Code.NOT_ADMITTED,
        "verifiers of this standing are not told status by this way",
        "公的個人認証法 §18(1), (2), §20: what is provided to whom",
        verified=False,
    ),
    AdmissionRule(
        "provider-unknown",
        lambda inquiry: inquiry.names_provider and inquiry.provider is None,
        Code.NOT_ADMITTED,
        "no provider of that name is registered behind this party",
        "施行規則 §29(1); 公的個人認証法 §17(5)",
        verified=False,
    ),
    AdmissionRule(
        "confirmer-needed",
        lambda inquiry: inquiry.standing is Standing.GROUP_VERIFIER and inquiry.provider is None,
        Code.NOT_ADMITTED,
        "a group verifier asks when a confirmer asked it: name the confirmer",
        "公的個人認証法 §20: on a 署名確認者's request, and for that check alone",
    ),
    AdmissionRule(
        "provider-not-in-force",
        lambda inquiry: (
            inquiry.provider is not None
            and not (
                inquiry.provider.in_force(inquiry.now)
                and inquiry.whose is not None
                and inquiry.whose.in_force(inquiry.now)
            )
        ),
        Code.NOT_ADMITTED,
        "the provider behind this party is not approved for these certificates, or its approval is not in force",
        "施行規則 §29(1); 公的個人認証法 §17(5), §18(7)",
        verified=False,
    ),
    AdmissionRule(
        "purpose-not-of-credential",
        lambda inquiry: inquiry.bound is not None and inquiry.purpose not in (None, inquiry.bound),
        Code.NOT_ADMITTED,
        "this credential is bound to another purpose than the one declared",
        "公的個人認証法 §19, §52(1): for no other use than the one there is",
        verified=False,
    ),
    AdmissionRule(
        "purpose-undeclared",
        lambda inquiry: inquiry.meant is None,
        Code.NOT_ADMITTED,
        "several purposes were approved: declare the one that this request is for",
        "公的個人認証法 §52(1): status is for the use it was provided for",
        verified=False,
    ),
    AdmissionRule(
        "purpose-not-approved",
        lambda inquiry: inquiry.whose is None or inquiry.meant not in inquiry.whose.purposes,
        Code.NOT_ADMITTED,
        "the declared purpose is none that was approved",
        "公的個人認証法 §52(1): status is for the use it was provided for",
        verified=False,
    ),
    AdmissionRule(
        "notified-verifier",
        lambda _: True,
        None,
        "an approved and notified verifier asks about a kind and for a purpose of its own",
        "公的個人認証法 §18(1), (2), and their counterparts for authentication certificates",
    ),
)


OPERATOR_RULES = (
    AdmissionRule(
        "not-an-operator",
        lambda inquiry: inquiry.party is None or inquiry.party.role is not Role.VERIFIER,
        Code.NOT_ADMITTED,
        "validation is for registered operators of services; this party has another role",
        "ours: a receipt and a consent name one operator, so it must be known",
        verified=False,
    ),
    AdmissionRule(
        "operator-not-in-force",
        lambda inquiry: inquiry.party is None or not inquiry.party.in_force(inquiry.now),
        Code.NOT_ADMITTED,
        "the operator's registration is suspended or has ended",
        "ours, after 公的個人認証法 §18(7): provision may be refused",
        verified=False,
    ),
    AdmissionRule(
        "kind-not-registered",
        lambda inquiry: inquiry.party is None or inquiry.kind not in inquiry.party.kinds,
        Code.NOT_ADMITTED,
        "the operator is not registered for certificates of this kind",
        "ours, after 公的個人認証法 §17(1), §36(1): for each kind by itself",
        verified=False,
    ),
    AdmissionRule(
        "registered-operator",
        lambda _: True,
        None,
        "a registered operator has a signature validated that its person consents to",
        "公的個人認証法 §18(1), (2) provide for verifiers alone, so nothing of status goes to it but what was found",
        verified=False,
    ),
)
"""Who may have signatures validated without being approved."""


def admission(inquiry: Inquiry) -> AdmissionRule:
    """The row that decides."""
    return _first(ADMISSION_RULES, inquiry)


def admit_party(inquiry: Inquiry) -> Admitted:
    """Who is admitted, and what for. Raises Refusal(UNKNOWN_CALLER) or Refusal(NOT_ADMITTED); `facts` name the deciding
    row and where it is written."""
    return _admitted(admission(inquiry), inquiry)


def admit_operator(inquiry: Inquiry) -> Admitted:
    """The same for delegated validation, which takes no approval. Raises Refusal(NOT_ADMITTED)."""
    return _admitted(_first(OPERATOR_RULES, inquiry), inquiry)


def _first(rules: Sequence[AdmissionRule], inquiry: Inquiry) -> AdmissionRule:
    return next(rule for rule in rules if rule.holds(inquiry))


def _admitted(rule: AdmissionRule, inquiry: Inquiry) -> Admitted:
    if rule.refusal is not None:
        raise Refusal(
            rule.refusal, rule.detail, facts={"rule": rule.id, "source": rule.source, "verified": rule.verified}
        )
    return Admitted(inquiry.party, inquiry.provider, inquiry.meant or "")
