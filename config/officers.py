"""Officers at a terminal: a folder with a credential, and signatures by its key; the board that they speak to."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from config.assemble import Services
from config.files import read_file
from config.transport import open_transport, read_certificate, requested_key
from domain.errors import Code, Refusal
from domain.parties import Role
from domain.ports import UnitOfWork
from domain.proposals import Proposal, Voice, spoken
from verifiers.proposals import Board, confirm, dismiss, draft, propose
from verifiers.voices import require_officer, same_person


@dataclass(frozen=True, slots=True)
class OfficerCredential:
    """A person's certificate and key. The key stays in this process."""

    fingerprint: bytes
    _key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def read(cls, folder: Path, passphrase: bytes | None = None) -> OfficerCredential:
        """From `client.pem` and `client.key` in a folder. Raises Refusal(BAD_CONFIGURATION)."""
        certificate = read_certificate(folder / "client.pem")
        try:
            key = load_pem_private_key(read_file(folder / "client.key"), passphrase)
        except (ValueError, TypeError):
            raise Refusal(
                Code.BAD_CONFIGURATION, f"{folder / 'client.key'} is no key in PEM, or is encrypted otherwise"
            ) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) or (
            key.public_key() != certificate.public_key()
        ):
            raise Refusal(Code.BAD_CONFIGURATION, f"the key in {folder} is not that of its certificate")
        return cls(hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest(), key)

    def sign(self, octets: bytes) -> Voice:
        """This officer saying `octets`."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            return Voice(self.fingerprint, self._key.sign(octets, padding.PKCS1v15(), SHA256()))
        return Voice(self.fingerprint, self._key.sign(octets, ec.ECDSA(SHA256())))

    def propose(self, board: Board, kind: str, content: dict[str, object], reason: str) -> Proposal:
        """Draft, sign and propose. Raises as `verifiers.proposals.propose` does."""
        drafted = draft(board, kind, content, reason, self.fingerprint)
        return propose(board, drafted, self.sign(spoken("propose", drafted.digest)))

    def confirm(self, board: Board, proposal: Proposal) -> Proposal:
        """Confirm what was looked at. Raises as `verifiers.proposals.confirm` does."""
        return confirm(board, proposal.id, proposal.digest, self.sign(spoken("confirm", proposal.digest)))

    def dismiss(self, board: Board, proposal: Proposal, reason: str) -> Proposal:
        """Dismiss it. Raises as `verifiers.proposals.dismiss` does."""
        voice = self.sign(spoken("dismiss", proposal.digest, reason))
        return dismiss(board, proposal.id, proposal.digest, voice, reason)


def require_two(work: UnitOfWork, one: OfficerCredential, other: OfficerCredential, now: datetime) -> None:
    """Raises Refusal(SECOND_OFFICER) for credentials of one person, and as `verifiers.voices.require_officer` does."""
    first, second = (require_officer(work, Voice(officer.fingerprint), b"", now) for officer in (one, other))
    if same_person(first, second):
        raise Refusal(Code.SECOND_OFFICER, "both credentials are of one person; give those of two officers")


def certify(services: Services, role: Role, name: str, request: bytes, life: timedelta) -> str:
    """Base64 of a certificate (DER) of the transport authority for a PKCS#10: worth nothing until it is registered."""
    key = requested_key(request)
    label = f"{role.value}:{name}"
    certificate = open_transport(services.settings).certify_caller(key, label, services.clock(), life, services.random)
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
