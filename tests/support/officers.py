"""Officers with keys of their own, registered, and what they say; folders with their credentials."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import load_der_x509_certificate

from domain.parties import Credential, Party, Role, Usage
from domain.ports import Begin, Clock
from domain.proposals import JointAct, Proposal, Voice, Word, spoken
from tests.support.people import serial_of
from tests.verifiers.certificates import LIFE, NOT_BEFORE, make_credential_certificate
from verifiers.officers import officer_acts
from verifiers.proposals import Board, confirm, draft, propose

NOW = datetime(2027, 4, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Officer:
    """A person with one credential; `label` tells apart the keys of one person."""

    name: str
    label: str = ""

    @property
    def key(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(serial_of(f"officer {self.name} {self.label}").value, ec.SECP256R1())

    @property
    def certificate(self) -> bytes:
        return _certificate(self.name, self.label)

    @property
    def fingerprint(self) -> bytes:
        return hashlib.sha256(self.certificate).digest()

    def says(self, word: Word, proposal: Proposal, reason: str = "") -> Voice:
        """The officer's voice, signed as at a terminal."""
        signature = self.key.sign(spoken(word, proposal.digest, reason), ec.ECDSA(hashes.SHA256()))
        return Voice(self.fingerprint, signature)

    def write(self, folder: Path) -> Path:
        """The credential as a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        pem = load_der_x509_certificate(self.certificate).public_bytes(Encoding.PEM)
        (folder / "client.pem").write_bytes(pem)
        (folder / "client.key").write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return folder


_made: dict[tuple[str, str], bytes] = {}


def _certificate(name: str, label: str) -> bytes:
    # ECDSA by this library is not deterministic: made once, so that its digest stays.
    if (name, label) not in _made:
        _made[name, label] = make_credential_certificate(f"{name} {label}", Officer(name, label).key)
    return _made[name, label]


AOI, KEN, RIN = Officer("aoi"), Officer("ken"), Officer("rin")


def register(begin: Begin, *officers: Officer, at: datetime = NOW) -> None:
    """Officers with their credentials, past the rule that officers come by proposal."""
    with begin() as work:
        for officer in officers:
            party = work.parties.find(Role.OPERATOR.value, officer.name)
            party = party or work.parties.add(Party(0, Role.OPERATOR, officer.name), at)
            credential = Credential(
                officer.fingerprint, Usage.TLS, party, NOT_BEFORE + LIFE, certificate=officer.certificate
            )
            work.parties.add_credential(credential, at)
        work.commit()


def two_agree(begin: Begin, clock: Clock, kind: str, content: dict[str, object], *acts: JointAct) -> Proposal:
    """Officers aoi and ken, who are registered unless they are, agree on one of these acts."""
    with begin(write=False) as work:
        known = [officer for officer in (AOI, KEN) if work.parties.credential(officer.fingerprint)]
    register(begin, *[officer for officer in (AOI, KEN) if officer not in known])
    return agreed(Board(begin, clock, os.urandom, {act.kind: act for act in acts}), kind, content)


class Counter:
    """Random octets that count."""

    def __init__(self) -> None:
        self.drawn = 0

    def __call__(self, octets: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(octets)


def make_board(begin: Begin, *acts: JointAct, now: datetime = NOW) -> Board:
    """A board with these acts and those about officers, whose clock stands."""
    return Board(begin, lambda: now, Counter(), {act.kind: act for act in (*officer_acts(), *acts)})


def proposed(
    board: Board, officer: Officer, kind: str, content: dict[str, object], reason: str = "it is due"
) -> Proposal:
    """A proposal that the officer made and signed."""
    drafted = draft(board, kind, content, reason, officer.fingerprint)
    return propose(board, drafted, officer.says("propose", drafted))


def agreed(board: Board, kind: str, content: dict[str, object], one: Officer = AOI, other: Officer = KEN) -> Proposal:
    """The same, confirmed by another officer."""
    proposal = proposed(board, one, kind, content)
    return confirm(board, proposal.id, proposal.digest, other.says("confirm", proposal))
