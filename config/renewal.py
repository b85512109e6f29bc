"""Renewal of certificates before they end: those of OCSP responders, and that of the API's server."""

from __future__ import annotations

import hashlib
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from config.assemble import Services
from config.files import read_file, replace_public
from config.founding import Founder
from config.issuer_settings import IssuerSettings
from config.receipts import certify_receipts, tell_certified
from config.rules import load_profiles
from config.transport import is_issued_by, read_certificate, renew_server
from domain.errors import Refusal
from domain.events import Act, AuditEvent
from domain.parties import LOCAL_OPERATOR

SERVER = "api-server"
"""How the API's server is named among what was renewed."""

RECEIPTS = "receipts"
"""How the key for receipts of validations is named there."""


def renew_due(services: Services, *, everyone: bool = False) -> list[str]:
    """Renew the certificates with less than a third of their life left, or all; issuers' ids, `SERVER` and
    `RECEIPTS`.

    The files are what counts, so that a renewal by another process is seen; a responder's that is missing or damaged is
    made anew. Left alone are certificates whose issuer has ended, those that last as long as their issuer, and a server
    certificate from elsewhere. Keys are opened only if something is due. Raises Refusal(BAD_CONFIGURATION).
    """
    now = services.clock()
    due = [row for row in services.settings.issuers if _responder_due(services, row, now, everyone)]
    if due:
        founder = Founder(
            services.settings, services.signers, load_profiles(services.settings.profiles), now, services.random
        )
        for row in due:
            _renew(services, founder, row)
    renewed: list[str] = [row.id for row in due]
    server = read_certificate(services.settings.transport.server_certificate)
    authority = read_certificate(services.settings.transport.authority_certificate)
    if is_issued_by(authority, server) and _is_due(server, authority.not_valid_after_utc, now, everyone):
        renew_server(services.settings, server, now, services.random)
        renewed.append(SERVER)
    if receipts := _receipts_due(services, authority.not_valid_after_utc, now, everyone):
        certify_receipts(services.settings, receipts, now, services.random)
        tell_certified(services)
        renewed.append(RECEIPTS)
    return renewed


def _receipts_due(services: Services, last: datetime, now: datetime, everyone: bool) -> bytes | None:
    """The key (SubjectPublicKeyInfo) whose certificate is renewed now; None also where there is no key yet."""
    settings = services.settings.validation
    if not settings.certificate.exists():
        return None
    certificate = read_certificate(settings.certificate)
    if not _is_due(certificate, last, now, everyone):
        return None
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _renew(services: Services, founder: Founder, row: IssuerSettings) -> None:
    """Give an issuer's responder a new certificate for its key; services take it up when they are told to reload.

    The audit row comes first: a certificate that was signed must not be unknown to it, while one that never reached its
    file does no harm.
    """
    certificate = founder.certify_responder(
        row, services.issuers[row.id], services.issuer_signers[row.id], services.signer(row.responder_key)
    )
    facts = {"issuer": row.id, "certificate": hashlib.sha256(certificate).hexdigest()}
    with services.begin() as work:
        work.audit.append(AuditEvent(Act.RESPONDER_RENEWED, LOCAL_OPERATOR.label, founder.now, facts))
        work.commit()
    replace_public(row.responder_certificate, certificate)


def _responder_due(services: Services, row: IssuerSettings, now: datetime, everyone: bool) -> bool:
    last = services.issuers[row.id].validity.not_after
    try:
        certificate = x509.load_der_x509_certificate(read_file(row.responder_certificate))
    except (Refusal, ValueError):
        return now <= last
    return _is_due(certificate, last, now, everyone)


def _is_due(certificate: x509.Certificate, last: datetime, now: datetime, everyone: bool) -> bool:
    """Whether the certificate is renewed now; `last` is the end of its issuer, beyond which nothing can be won."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now < last and (everyone or (ends < last and now > ends - (ends - begins) / 3))
