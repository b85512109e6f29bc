"""Callers: who is at the other end of the connection, by the certificate shown in the TLS handshake and nothing else.

No header is trusted: a proxy in front of the mutual-TLS service would have to pass the connection through.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import request

from domain.errors import Code, Refusal
from domain.parties import Credential, Party, Role, Usage
from domain.ports import Clock
from web.environ import PARTY

PeerCertificate = Callable[[Mapping[str, object]], bytes | None]
"""DER of the certificate that the client proved to hold, from a WSGI environment."""


def peer_certificate(environ: Mapping[str, object]) -> bytes | None:
    """What the TLS socket of gunicorn says. OpenSSL checked chain, validity and purpose in the handshake."""
    socket = environ.get("gunicorn.socket")
    return socket.getpeercert(binary_form=True) if isinstance(socket, ssl.SSLSocket) else None


@dataclass(frozen=True, slots=True)
class Callers:
    """Asks anew on every request, so a credential that is withdrawn is dead on a connection that stays open."""

    credential_of: Callable[[bytes], Credential | None]
    clock: Clock
    certificate_of: PeerCertificate = peer_certificate

    def party(self, *roles: Role) -> Party:
        """The party that calls, which must have one of `roles` and be in force.

        Raises Refusal(UNKNOWN_CALLER) or Refusal(NOT_ADMITTED).
        """
        now = self.clock()
        if not self.certificate_of(request.environ):
            raise Refusal(Code.UNKNOWN_CALLER, "no client certificate was shown in the TLS handshake")
        party = self._party(request.environ, now)
        if party is None:
            raise Refusal(Code.UNKNOWN_CALLER, "the client certificate is not registered for calls, or no longer valid")
        if not party.in_force(now):
            raise Refusal(Code.NOT_ADMITTED, "the registration of this party is suspended or has ended")
        if party.role not in roles:
            allowed = " or ".join(role.value for role in roles)
            raise Refusal(Code.NOT_ADMITTED, f"this is for parties of the role {allowed}")
        return party

    def known(self, environ: dict[str, Any]) -> Party | None:
        """The party behind a registered, unexpired TLS credential, in force or not; None for anybody else."""
        return self._party(environ, self.clock())

    def _party(self, environ: dict[str, Any], now: datetime) -> Party | None:
        certificate = self.certificate_of(environ)
        if not certificate:
            return None
        credential = self.credential_of(hashlib.sha256(certificate).digest())
        if credential is None or credential.usage is not Usage.TLS or credential.withdrawn_at is not None:
            return None
        if now > credential.not_after:
            return None
        environ[PARTY] = credential.party.label
        return credential.party
