"""Admission to certificate status: who asks, what is decided about, and who is admitted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from domain.certificates import Kind
from domain.parties import Party
from domain.provisions import Channel
from domain.standings import Approval
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

    @property
    def approval(self) -> Approval | None:
        """The approval of who asks."""
        return self.party.approval(self.kind) if self.party else None

    @property
    def whose(self) -> Approval | None:
        """The approval whose purposes count: that of the provider where there is one."""
        return self.provider.approval(self.kind) if self.provider else self.approval

    @property
    def meant(self) -> str | None:
        """The purpose that is declared, by the request or the credential; otherwise the only one there is."""
        declared = self.purpose or self.bound
        if declared is None and self.whose is not None and len(self.whose.purposes) == 1:
            (declared,) = self.whose.purposes
        return declared
