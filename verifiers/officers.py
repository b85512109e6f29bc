"""Officers: who they are is itself decided by two of them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime

from domain.errors import Code, Refusal
from domain.parties import LOCAL_OPERATOR, Party, Role, Usage
from domain.ports import UnitOfWork
from domain.proposals import JointAct, Proposal
from verifiers import registry


def officer_acts() -> tuple[JointAct, ...]:
    """The acts about officers: a new one or one more credential, the end of a credential, the end of an officer."""
    return (
        JointAct("officer", "An officer, or one more credential", "担当者の登録・資格情報の追加", _check_new, _add),
        JointAct("officer-credential-end", "The end of a credential", "担当者の資格情報の失効", _check_end, _end),
        JointAct("officer-end", "The end of an officer", "担当者の資格停止", _check_officer, _suspend),
    )


def text_of(said: Mapping[str, object], key: str) -> str:
    """A text in the content of a proposal. Raises Refusal(MALFORMED)."""
    value = said.get(key)
    if not isinstance(value, str) or not value.strip():
        raise Refusal(Code.MALFORMED, f"the content needs a text {key}", pointer=key)
    return value


def certificate_of(said: Mapping[str, object]) -> bytes:
    """The certificate (DER) that stands in the content in base64. Raises Refusal(MALFORMED)."""
    try:
        return base64.b64decode(text_of(said, "certificate"), validate=True)
    except binascii.Error:
        raise Refusal(Code.MALFORMED, "want the certificate as base64 of its DER", pointer="certificate") from None


def require_members(said: Mapping[str, object], *names: str) -> None:
    """Raises Refusal(MALFORMED) for content with other members than these: nothing is confirmed unread."""
    if strange := set(said) - set(names):
        raise Refusal(Code.MALFORMED, f"the content has a member that means nothing here: {min(strange)}")


def _check_new(work: UnitOfWork, said: Mapping[str, object], now: datetime) -> None:
    require_members(said, "name", "certificate")
    name = text_of(said, "name")
    certificate_of(said)
    if name == LOCAL_OPERATOR.name:
        raise Refusal(Code.MALFORMED, "this is what the terminal itself is called; choose another name", pointer="name")
    stored = work.parties.find(Role.OPERATOR.value, name)
    if stored is not None and not stored.in_force(now):
        raise Refusal(Code.NOT_ADMITTED, "the officer is suspended; register the person by another name")


def _add(work: UnitOfWork, proposal: Proposal, now: datetime) -> Mapping[str, object]:
    name, actor = text_of(proposal.said, "name"), decider(proposal)
    party = work.parties.find(Role.OPERATOR.value, name) or registry.add_party(
        work, Party(0, Role.OPERATOR, name), now, actor, proposal
    )
    added = registry.add_credential(work, party, certificate_of(proposal.said), Usage.TLS, now, actor, proposal)
    return {"party": party.label, "fingerprint": added.fingerprint.hex()}


def _check_end(work: UnitOfWork, said: Mapping[str, object], _now: datetime) -> None:
    require_members(said, "fingerprint")
    credential = work.parties.credential(fingerprint_of(said))
    if credential is None or credential.party.role is not Role.OPERATOR:
        raise Refusal(Code.NOT_FOUND, "no officer has a credential with this fingerprint; see the list of parties")


def _end(work: UnitOfWork, proposal: Proposal, now: datetime) -> Mapping[str, object]:
    registry.withdraw(work, fingerprint_of(proposal.said), now, decider(proposal), proposal)
    return {}


def _check_officer(work: UnitOfWork, said: Mapping[str, object], _now: datetime) -> None:
    require_members(said, "name")
    registry.find_party(work, Role.OPERATOR, text_of(said, "name"))


def _suspend(work: UnitOfWork, proposal: Proposal, now: datetime) -> Mapping[str, object]:
    party = registry.find_party(work, Role.OPERATOR, text_of(proposal.said, "name"))
    registry.suspend(work, party, now, decider(proposal), proposal)
    return {"party": party.label}


def fingerprint_of(said: Mapping[str, object]) -> bytes:
    """A SHA-256 that stands in the content in hex. Raises Refusal(MALFORMED)."""
    try:
        return bytes.fromhex(text_of(said, "fingerprint"))
    except ValueError:
        raise Refusal(Code.MALFORMED, "want the fingerprint in hex", pointer="fingerprint") from None


def decider(proposal: Proposal) -> Party:
    """Who stands in the audit rows of what a confirmed proposal does: the officer who confirmed it."""
    if proposal.decision is None:
        raise ValueError("nobody has confirmed this")
    return Party(-1, Role.OPERATOR, proposal.decision.officer.partition(":")[2])
