"""Enrolment: a party registered, its client certificate made, and the folder it is handed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from config.assemble import Services
from config.files import write_private, write_public
from config.transport import open_transport, requested_key
from domain.errors import Code, Refusal
from domain.lists import Scope
from domain.parties import Party, Usage
from domain.ports import UnitOfWork
from verifiers import registry


def enrol(
    services: Services, party: Party, actor: Party, *, folder: Path, life: timedelta, request: bytes | None = None
) -> None:
    """Register `party` unless it is, give it a TLS credential, and write what it needs into a new `folder`.

    The folder gets `client.pem` (certificate), `authority.pem` (whom to trust) and, unless the party sent a PKCS#10
    `request` (PEM or DER) for a key of its own, `client.key`. A verifier's credential signs OCSP requests, too.
    Raises Refusal(MALFORMED), Refusal(BAD_REQUEST_SIGNATURE), Refusal(BAD_KEY), Refusal(BAD_CONFIGURATION) for a
    folder that exists, Refusal(NOT_ADMITTED) for a party that is suspended or whose period has ended, and
    Refusal(ALREADY_APPLIED) for one that is registered with other kinds or another period.
    """
    with (
        write_credential(services, party, folder, life, request) as certificate,
        services.begin() as work,
    ):
        now = services.clock()
        stored = _registered(work, party, now, actor)
        registry.add_credential(work, stored, certificate, Usage.TLS, now, actor)
        _put_lists_in_use(services, work, stored)
        work.commit()


@contextmanager
def write_credential(
    services: Services, party: Party, folder: Path, life: timedelta, request: bytes | None = None
) -> Iterator[bytes]:
    """Certify a key for `party`, the one in `request` (PKCS#10) or a new one, and write what it needs into a new
    `folder`, as `enrol` says; the certificate (DER). If what is done with it then fails, the folder is removed.

    Raises as `enrol` does.
    """
    if folder.exists():
        raise Refusal(Code.BAD_CONFIGURATION, f"{folder} exists and will not be overwritten; choose another with --out")
    key = ec.generate_private_key(ec.SECP256R1()) if request is None else None
    public = key.public_key() if key else requested_key(request or b"")
    authority = open_transport(services.settings)
    certificate = authority.certify_caller(public, party.label, services.clock(), life, services.random)
    try:
        # First: no credential is registered that nobody was handed.
        if key is not None:
            write_private(folder / "client.key", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        for name, file in {"client.pem": certificate, "authority.pem": authority.certificate}.items():
            write_public(folder / name, file.public_bytes(Encoding.PEM))
        yield certificate.public_bytes(Encoding.DER)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _registered(work: UnitOfWork, party: Party, now: datetime, actor: Party) -> Party:
    """The stored party, which must be in force and be what was asked for."""
    stored = work.parties.find(party.role.value, party.name)
    if stored is None:
        return registry.add_party(work, party, now, actor)
    if not stored.in_force(now):
        raise Refusal(Code.NOT_ADMITTED, "the party is suspended or its period has ended; register it by another name")
    if stored.kinds != party.kinds or party.in_force_until not in (None, stored.in_force_until):
        raise Refusal(
            Code.ALREADY_APPLIED,
            "the party is registered with other kinds or another period; give the same ones for one more credential",
        )
    return stored


def _put_lists_in_use(services: Services, work: UnitOfWork, party: Party) -> None:
    """A municipality's lists exist, empty, before its first certificate points at them."""
    if party.municipality is not None:
        for row in services.settings.issuers:
            work.lists.register(Scope(row.id, party.municipality))
