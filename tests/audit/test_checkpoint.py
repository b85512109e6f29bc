"""Checkpoints: the document survives a round trip, and nothing else is taken for one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.checkpoint import read, write
from domain.errors import Code, Refusal
from domain.events import AuditHead

HEAD = AuditHead(7, bytes(range(32)), b"signature", "0123abcd")
DOCUMENT = json.loads(write(HEAD))


@given(st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32), st.binary(), st.text())
def test_what_is_written_is_read(sequence: int, digest: bytes, signature: bytes, key_id: str) -> None:
    head = AuditHead(sequence, digest, signature, key_id)
    assert read(write(head)) == head


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("[]", id="another-kind-of-json"),
        pytest.param("[" * 100_000, id="json-too-deep-to-read"),
        pytest.param(json.dumps({**DOCUMENT, "format": "jpki-audit-checkpoint-2"}), id="another-format"),
        pytest.param(json.dumps({**DOCUMENT, "note": ""}), id="a-field-too-many"),
        pytest.param(json.dumps({k: v for k, v in DOCUMENT.items() if k != "key_id"}), id="a-field-too-few"),
        pytest.param(json.dumps({**DOCUMENT, "sequence": 0}), id="a-head-over-nothing"),
        pytest.param(json.dumps({**DOCUMENT, "sequence": "7"}), id="a-number-as-text"),
        pytest.param(json.dumps({**DOCUMENT, "sequence": 1 << 63}), id="a-number-too-large"),
        pytest.param(json.dumps({**DOCUMENT, "digest": "00"}), id="a-digest-too-short"),
        pytest.param(json.dumps({**DOCUMENT, "digest": "00 " * 21 + "0"}), id="a-digest-with-blanks"),
        pytest.param(json.dumps({**DOCUMENT, "digest": "zz" * 32}), id="a-digest-not-in-hex"),
        pytest.param(json.dumps({**DOCUMENT, "signature": "!!!!"}), id="a-signature-not-in-base64"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(text)
    assert refused.value.code is Code.MALFORMED
