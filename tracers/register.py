"""The register of tracers: which certificates they are and where they were planted, sealed with a key of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import Code, Refusal
from domain.handles import Recipient
from domain.people import NoCode
from domain.ports import RandomSource, UnitOfWork
from domain.tracers import TracerName, TracerRow

KEY_OCTETS = 32
_NONCE = 12


@dataclass(frozen=True, slots=True, repr=False)
class Tracer:
    """A person who does not exist: the row and the code that is none, and the only recipient that was shown the
    certificates."""

    name: TracerName
    planted: Recipient
    resident_id: int
    code: NoCode


class Register:
    """Opens and closes rows of the register."""

    def __init__(self, key: bytes, random: RandomSource) -> None:
        self._cipher = AESGCM(key)
        self._random = random

    def seal(self, tracer: Tracer) -> bytes:
        """AES-256-GCM, bound to the tracer's name."""
        content = [tracer.planted.party, tracer.planted.provider, tracer.resident_id, tracer.code.digits]
        nonce = self._random(_NONCE)
        return nonce + self._cipher.encrypt(nonce, json.dumps(content).encode(), str(tracer.name).encode())

    def open(self, row: TracerRow) -> Tracer:
        """Raises Refusal(BAD_CONFIGURATION) for a row of another key, or one that was changed."""
        try:
            plain = self._cipher.decrypt(row.sealed[:_NONCE], row.sealed[_NONCE:], str(row.name).encode())
        except InvalidTag:
            raise Refusal(
                Code.BAD_CONFIGURATION,
                "the register of tracers does not open with secrets/tracers.key; put the right key in place",
            ) from None
        party, provider, resident_id, code = json.loads(plain)
        return Tracer(row.name, Recipient(party, provider), resident_id, NoCode(code))


def serials_of(work: UnitOfWork, register: Register) -> dict[bytes, Tracer]:
    """The tracers by the 16 octets of each of their serials. To be looked up in, and never written down."""
    by_resident = {tracer.resident_id: tracer for tracer in map(register.open, work.tracers.all())}
    targets = work.certificates.targets_of([*by_resident]) if by_resident else ()
    return {target.serial.octets: by_resident[target.resident_id] for target in targets}
