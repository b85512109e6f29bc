"""Checkpoints: a signed head as a small document to keep where the authority's operators cannot reach it."""

from __future__ import annotations

import base64
import json

from domain.errors import Code, Refusal
from domain.events import AuditHead

_FORMAT = "jpki-audit-checkpoint-1"


def write(head: AuditHead) -> str:
    """The head as one JSON document: digest in hex, signature in base64."""
    document = {
        "format": _FORMAT,
        "sequence": head.sequence,
        "digest": head.digest.hex(),
        "signature": base64.b64encode(head.signature).decode(),
        "key_id": head.key_id,
    }
    return json.dumps(document, indent=2) + "\n"


def read(text: str) -> AuditHead:
    """The head in a document of `write`. Its signature is not checked here: `chain.verify` does, given the
    head as its anchor. Raises Refusal(MALFORMED)."""
    try:
        return _head(json.loads(text))
    except (ValueError, RecursionError):
        raise Refusal(
            Code.MALFORMED, "this is not an audit checkpoint; give what `jpki audit head` printed, unchanged"
        ) from None


def _head(document: dict[str, object]) -> AuditHead:
    match document:
        case {
            "format": str(form),
            "sequence": int(sequence),
            "digest": str(digest),
            "signature": str(signature),
            "key_id": str(key_id),
            **more,
        } if form == _FORMAT and not more and 0 < sequence < 1 << 63 and len(digest) == 64 and digest.isalnum():
            return AuditHead(sequence, bytes.fromhex(digest), base64.b64decode(signature, validate=True), key_id)
    raise ValueError("not a checkpoint")
