"""Callers: who is at the other end of the connection, by the certificate shown in the TLS handshake and nothing else.

No header is trusted: a proxy in front of the mutual-TLS service would have to pass the connection through.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from flask import request

from domain.errors import Code, Refusal
from domain.parties import Credential, Party, Role, Usage
from domain.ports import Clock
from policies.admission import Requestor
from web.environ import PARTY

PURPOSE_HEADER, PROVIDER_HEADER = "JPKI-Purpose", "JPKI-Provider"
"""What a request is for, and for whom behind a platform operator or group verifier."""

_PURPOSE, _PROVIDER = "HTTP_JPKI_PURPOSE", "HTTP_JPKI_PROVIDER"
_MOST_KNOWN = 1000
_Known = tuple[int, str | None, str | None]

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
    _requestors: dict[_Known, tuple[Credential, Requestor]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

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

    def credential(self, *roles: Role) -> Credential:
        """The credential behind the call of such a party. Raises as `party` does."""
        self.party(*roles)
        credential = self._credential(request.environ, self.clock())
        if credential is None:
            raise Refusal(Code.UNKNOWN_CALLER, "the client certificate has just ended")
        return credential

    def known(self, environ: dict[str, Any]) -> Requestor | None:
        """Who shows a registered, unexpired TLS credential, in force or not, and what they say it is for; None for
        anybody else. The same object as long as nothing about it changed."""
        credential = self._credential(environ, self.clock())
        if credential is None:
            return None
        known = (id(credential), environ.get(_PURPOSE), environ.get(_PROVIDER))
        found = self._requestors.get(known)
        if found is not None and found[0] is credential:
            return found[1]
        purpose, provider = (_word(environ.get(header)) for header in (_PURPOSE, _PROVIDER))
        requestor = Requestor(credential.party, None, purpose, provider, credential.purpose)
        if len(self._requestors) >= _MOST_KNOWN:
            self._requestors.clear()
        self._requestors[known] = (credential, requestor)
        return requestor

    def _party(self, environ: dict[str, Any], now: datetime) -> Party | None:
        credential = self._credential(environ, now)
        return credential.party if credential else None

    def _credential(self, environ: dict[str, Any], now: datetime) -> Credential | None:
        certificate = self.certificate_of(environ)
        if not certificate:
            return None
        credential = self.credential_of(hashlib.sha256(certificate).digest())
        if credential is None or credential.usage is not Usage.TLS or credential.withdrawn_at is not None:
            return None
        if now > credential.not_after:
            return None
        environ[PARTY] = credential.party.label
        return credential


def _word(header: str | None) -> str | None:
    """What a header says. Names that are not ASCII come percent-encoded (RFC 3986), as UTF-8."""
    return unquote(header, errors="replace") if header else None
