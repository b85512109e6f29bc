"""Renewal of certificates that services work under, before they end: those of OCSP responders and of the API's server."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509

from config.assemble import Services
from config.files import read_file
from config.founding import renew_responder
from config.rules import load_profiles
from config.settings import IssuerSettings
from config.transport import is_ours, read_certificate, renew_server
from domain.errors import Refusal

SERVER = "api-server"
"""How the API's server is named among what was renewed."""


def renew_due(services: Services, *, everyone: bool = False) -> list[str]:
    """Renew the certificates with less than a third of their life left, or all; issuers' ids and `SERVER`.

    The files are what counts, so that a renewal by another process is seen; a responder's that is missing or damaged is
    made anew. Left alone are responders of issuers that have ended, those that last as long as their issuer, and a
    server certificate from elsewhere. Keys are opened only if something is due. Raises Refusal(BAD_CONFIGURATION).
    """
    now = services.clock()
    due = [row for row in services.settings.issuers if _responder_due(services, row, now, everyone)]
    profiles = load_profiles(services.settings.profiles) if due else {}
    for row in due:
        renew_responder(
            services.settings,
            row,
            profiles,
            services.issuers[row.id],
            services.issuer_signers[row.id],
            services.signer(row.responder_key),
            now,
            services.random,
        )
    renewed: list[str] = [row.id for row in due]
    server = read_certificate(services.settings.transport.server_certificate)
    if is_ours(services.settings, server) and (everyone or _is_old(server, now)):
        renew_server(services.settings, server, now, services.random)
        renewed.append(SERVER)
    return renewed


def _responder_due(services: Services, row: IssuerSettings, now: datetime, everyone: bool) -> bool:
    issuer = services.issuers[row.id].validity
    if issuer.ended(now):
        return False
    try:
        certificate = x509.load_der_x509_certificate(read_file(row.responder_certificate))
    except (Refusal, ValueError):
        return True
    return everyone or (certificate.not_valid_after_utc < issuer.not_after and _is_old(certificate, now))


def _is_old(certificate: x509.Certificate, now: datetime) -> bool:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now > ends - (ends - begins) / 3
