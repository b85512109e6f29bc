"""Receipts come back as they were given."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ca.receipts import receipt_from_json, receipt_to_json
from domain.certificates import Kind
from domain.revocation import RevocationCause, RevocationReceipt

MOMENTS = st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
KINDS = st.lists(st.sampled_from(Kind), unique=True).map(tuple)


@given(
    st.builds(RevocationReceipt, st.text(min_size=1), st.sampled_from(RevocationCause), KINDS, KINDS, MOMENTS, MOMENTS)
)
def test_a_kept_receipt_is_the_receipt(receipt: RevocationReceipt) -> None:
    assert receipt_from_json(receipt_to_json(receipt)) == receipt
