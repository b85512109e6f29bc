"""What `jpki-verify` is tried on: holders' certificates as the profiles make them, and status that is at hand."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ca.tbs import build_tbs
from domain.certificates import Issuer, Kind
from domain.signing import assemble
from jpki_verify import Kind as TrustedKind
from jpki_verify import Verifier
from jpki_verify.anchors import Anchor, fingerprint, key_identifier, read_certificate
from jpki_verify.certificates import Holder
from jpki_verify.ocsp_answer import Status, Word
from jpki_verify.signatures import key_of
from keys.transport import certify_client, make_transport_authority
from tests.support.authority import NOW, leaf_plan, make_issuer, signer_of
from tests.support.operator import FILES, write_settings
from tests.support.people import serial_of


@cache
def holder_certificate(profile: str, number: int = 0) -> bytes:
    """A certificate (DER) under a profile of `config/profiles/`, over the holder key of that number."""
    plan = leaf_plan(profile, number=number)
    signer = signer_of(plan)
    tbs = build_tbs(plan, signer.algorithm)
    return assemble(tbs, signer.algorithm, signer.sign(tbs))


class KnownHandles:
    """Handles without an authority: the same for the same certificate."""

    def handle_of(self, holder: Holder) -> str:
        return "1-" + base64.b32encode(hashlib.sha256(holder.der).digest()[:25]).decode().lower()

    def translate(self, handles: Sequence[str], kind: TrustedKind) -> list[str] | None:
        return list(handles)


def make_credential(folder: Path) -> Path:
    """A verifier's folder in another, by a transport authority of its own, good for a year from `NOW` on."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    year = timedelta(days=365)
    authority = make_transport_authority(keys[0], "Bank", serial_of("authority"), NOW, year)
    client = certify_client(authority, keys[0], keys[1].public_key(), "bank", serial_of("client"), NOW, year)
    content = {
        "authority": authority.public_bytes(Encoding.PEM),
        "certificate": client.public_bytes(Encoding.PEM),
        "key": keys[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }
    made = folder / "bank"
    made.mkdir()
    for name, file in FILES.items():
        (made / file).write_bytes(content[name])
        (made / file).chmod(0o600)
    return made


def open_verifier(
    folder: Path, *issuers: Issuer, clock: Callable[[], datetime] = lambda: NOW, **changes: Any
) -> Verifier:
    """A verifier with its settings in a new folder, that trusts the issuers (all four unless told), where one source
    calls everything good and handles need nobody."""
    folder.mkdir(parents=True, exist_ok=True)
    trusted = issuers or tuple(make_issuer(kind, generation) for kind in Kind for generation in ("g1", "g2"))
    path = write_settings(folder / "operator", trusted, make_credential(folder), **changes)
    return at_hand(Verifier.open(path, clock=clock))


def at_hand(verifier: Verifier) -> Verifier:
    """The verifier, with one source that calls everything good, and handles that need nobody."""
    return replace(verifier, sources={"ocsp": _good}, handles=KnownHandles())


def _good(holder: Holder, now: datetime, nonce: bytes) -> Status:
    return Status(Word.GOOD, now)


def make_anchor(kind: Kind, generation: str) -> Anchor:
    """The authority as an anchor."""
    certificate = read_certificate(make_issuer(kind, generation).certificate)
    key = key_of(certificate)
    assert key
    return Anchor(TrustedKind(kind.value), certificate, key, key_identifier(certificate), fingerprint(certificate))


def make_holder(profile: str, number: int = 0) -> Holder:
    """An accepted certificate under a profile."""
    kind = Kind.SIGNATURE if profile.startswith("signature") else Kind.AUTHENTICATION
    anchor = make_anchor(kind, "g2" if profile.endswith("p384") else "g1")
    certificate = read_certificate(holder_certificate(profile, number))
    key = key_of(certificate)
    assert key
    return Holder(certificate, anchor, key)
