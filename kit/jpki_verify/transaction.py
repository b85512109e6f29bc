"""What a question about status is asked for: a digest of what was signed, shown to nobody until somebody asks why."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

SALT_OCTETS = 32
BARE_NONCE_OCTETS = 24
"""The nonce of a question behind which there is no transaction: of another length than a commitment."""


@dataclass(frozen=True, slots=True, repr=False)
class Transaction:
    """The SHA-256 of what a person signed, and a salt of our own."""

    digest: bytes
    salt: bytes

    @property
    def commitment(self) -> bytes:
        """32 octets that tell nothing about the transaction, and that no other one can be shown for: the nonce of the
        question. The authority keeps its beginning; who is asked for a reason shows digest and salt."""
        return hashlib.sha256(self.salt + self.digest).digest()


def transaction_about(octets: bytes, salt: bytes) -> Transaction:
    """The transaction in which these octets were signed."""
    return Transaction(hashlib.sha256(octets).digest(), salt)
