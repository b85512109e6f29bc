"""Keys and tags of the ledger: what a line is found by, and opened with, by whoever knows whom it is about."""

from __future__ import annotations

import hmac

_FILING = b"jpki provisions filing\x00"


def filing_key(master: bytes) -> bytes:
    """The private key (X25519) that files records, from the secret of the state directory."""
    return hmac.digest(master, _FILING, "sha256")
