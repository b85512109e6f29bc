"""The register of tracers: which certificates they are and where they were planted, sealed with a key of its own."""

from __future__ import annotations

import hmac
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.certificates import IssuerId
from domain.errors import Code, Refusal
from domain.handles import Recipient
from domain.people import MunicipalityCode, NoCode
from domain.ports import RandomSource, UnitOfWork
from domain.tracers import TracerName, TracerRow

KEY_OCTETS = 32
_NONCE = 12


@dataclass(frozen=True, slots=True, repr=False)
class Tracer:
    """A person who does not exist: the row and the code that is none, the only recipient that was shown the
    certificates, and the party (row id) in whose name they were applied for, if that was not an operator."""

    name: TracerName
    planted: Recipient
    resident_id: int
    code: NoCode
    applicant: int | None = None


class Register:
    """Opens and closes rows of the register."""

    def __init__(self, key: bytes, random: RandomSource) -> None:
        self._key, self._cipher = key, AESGCM(key)
        self._random = random

    def seal(self, tracer: Tracer) -> bytes:
        """AES-256-GCM, bound to the tracer's name."""
        planted = tracer.planted
        content = [planted.party, planted.provider, tracer.resident_id, tracer.code.digits, tracer.applicant]
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
        party, provider, resident_id, code, *applicant = json.loads(plain)
        return Tracer(row.name, Recipient(party, provider), resident_id, NoCode(code), *applicant)

    def chance(self, name: TracerName) -> bytes:
        """32 octets that are always the same for a tracer, and that nobody without the key can tell from chance."""
        return hmac.digest(self._key, b"jpki tracer application\x00" + str(name).encode(), "sha256")


Acts = Mapping[tuple[IssuerId, MunicipalityCode, datetime], int]
"""How many tracers' certificates one act revoked or held, by the list that shows it and its time."""


def acts_on_tracers(work: UnitOfWork, register: Register) -> Acts:
    """The acts that hit tracers, as far as the revocations that stand tell them: for figures that leave them out. Holds
    that were lifted leave no trace to count."""
    residents = [tracer.resident_id for tracer in map(register.open, work.tracers.all())]
    found: Counter[tuple[IssuerId, MunicipalityCode, datetime]] = Counter()
    for target in work.certificates.targets_of(residents) if residents else ():
        if target.standing is not None:
            found[target.issuer, target.municipality, target.standing.revoked_at] += 1
    return found


def serials_of(work: UnitOfWork, register: Register) -> dict[bytes, Tracer]:
    """The tracers by the 16 octets of each of their serials. To be looked up in, and never written down."""
    by_resident = {tracer.resident_id: tracer for tracer in map(register.open, work.tracers.all())}
    targets = work.certificates.targets_of([*by_resident]) if by_resident else ()
    return {target.serial.octets: by_resident[target.resident_id] for target in targets}
