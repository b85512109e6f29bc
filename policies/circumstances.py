"""Circumstances: all that rules of admission may look at, as words, so that the rules themselves can be data."""

from __future__ import annotations

from collections.abc import Container, Mapping
from types import MappingProxyType

from domain.certificates import Kind
from domain.parties import Party, Role
from domain.provisions import Channel
from domain.standings import Approval, Standing
from policies.admission import Inquiry

Circumstances = tuple[str, ...]
"""One word for each of `FACTS`, in their order."""

NONE, OTHER = "none", "other"
"""No purpose is declared; one that no rule names."""

FACTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "access": ("open", "notified-verifiers"),
        "channel": tuple(channel.name.lower() for channel in Channel),
        "kind": tuple(kind.value for kind in Kind),
        "caller": ("unknown", *(role.value for role in Role)),
        "registration": ("in-force", "not-in-force"),
        "registered-for": ("this-kind", "another-kind"),
        "standing": (NONE, *(standing.value for standing in Standing)),
        "approval": (NONE, "withdrawn", "not-notified", "suspended", "ended", "not-begun", "in-force"),
        "provider": (NONE, "unknown", "not-in-force", "in-force"),
        "credential": ("unbound", "this-purpose", "another-purpose"),
        "purpose": ("undeclared", "not-approved", "approved"),
        "declared": (NONE, OTHER),
    }
)
"""Each fact with the words that it may be. To those of `declared` come the purposes that a table names."""

_CHANNELS = {channel: channel.name.lower() for channel in Channel}
_KINDS = {kind: kind.value for kind in Kind}
_ROLES = {role: role.value for role in Role}
_STANDINGS: dict[Standing | None, str] = {None: NONE, **{standing: standing.value for standing in Standing}}


def circumstances_of(inquiry: Inquiry, named: Container[str]) -> Circumstances:
    """What holds for an inquiry. `named` are the purposes that are told apart from others."""
    party, kind = inquiry.party, inquiry.kind
    channel, meant = _CHANNELS[inquiry.channel], inquiry.meant
    declared = NONE if meant is None else meant if meant in named else OTHER
    if party is None:
        about = ("unknown", "not-in-force", "another-kind", NONE, NONE)
    else:
        about = (
            _ROLES[party.role],
            "in-force" if party.in_force(inquiry.now) else "not-in-force",
            "this-kind" if kind in party.kinds else "another-kind",
            _STANDINGS[party.standing],
            _approval(inquiry.approval, inquiry),
        )
    return (inquiry.access, channel, _KINDS[kind], *about, *_purpose(inquiry, meant), declared)


def _approval(approval: Approval | None, inquiry: Inquiry) -> str:
    if approval is None:
        return NONE
    if approval.withdrawn_at is not None:
        return "withdrawn"
    if approval.notified_at is None:
        return "not-notified"
    if approval.suspended_at is not None:
        return "suspended"
    if inquiry.now > approval.until:
        return "ended"
    return "in-force" if approval.since <= inquiry.now else "not-begun"


def _purpose(inquiry: Inquiry, meant: str | None) -> tuple[str, str, str]:
    """Of provider, credential and purpose."""
    provider, bound, whose = inquiry.provider, inquiry.bound, inquiry.whose
    credential = "unbound"
    if bound is not None:
        credential = "this-purpose" if inquiry.purpose in (None, bound) else "another-purpose"
    if meant is None:
        purpose = "undeclared"
    else:
        purpose = "approved" if whose is not None and meant in whose.purposes else "not-approved"
    if provider is None:
        return "unknown" if inquiry.names_provider else NONE, credential, purpose
    return _provider(provider, whose, inquiry), credential, purpose


def _provider(provider: Party, whose: Approval | None, inquiry: Inquiry) -> str:
    counts = provider.in_force(inquiry.now) and whose is not None and whose.in_force(inquiry.now)
    return "in-force" if counts else "not-in-force"
