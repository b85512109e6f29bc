"""Receipts come back as they were given."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ca.receipts import receipt_from_json, receipt_to_json
from domain.certificates import Carrier, Kind
from domain.revocation import CertificateEffect, CrlReason, EffectWord, RevocationCause, RevocationReceipt

MOMENTS = st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
KINDS = st.lists(st.sampled_from(Kind), unique=True).map(tuple)
EFFECTS = st.lists(
    st.builds(
        CertificateEffect,
        st.sampled_from(Kind),
        st.sampled_from(Carrier),
        st.sampled_from(EffectWord),
        st.none() | st.sampled_from(CrlReason),
        st.none() | MOMENTS,
    )
).map(tuple)


@given(
    st.builds(
        RevocationReceipt,
        st.text(min_size=1),
        st.sampled_from(RevocationCause),
        KINDS,
        KINDS,
        MOMENTS,
        MOMENTS,
        EFFECTS,
    )
)
def test_a_kept_receipt_is_the_receipt(receipt: RevocationReceipt) -> None:
    assert receipt_from_json(receipt_to_json(receipt)) == receipt
