"""Checks JPKI signatures and certificates for approved verifiers, and keeps handles instead of serial numbers."""

from __future__ import annotations

from jpki_verify.items import FourItems
from jpki_verify.receipt import Receipt, check_receipt
from jpki_verify.rejection import Code, Reason, Rejected, Verdict
from jpki_verify.settings import Kind
from jpki_verify.store import Erased, Evidence
from jpki_verify.verifier import Confirmed, Verifier

__all__ = [
    "Code",
    "Confirmed",
    "Erased",
    "Evidence",
    "FourItems",
    "Kind",
    "Reason",
    "Receipt",
    "Rejected",
    "Verdict",
    "Verifier",
    "check_receipt",
]
