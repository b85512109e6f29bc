"""Signatures inside PDF (ISO 32000-2 §12.8, PAdES): one signature over the whole file. Runs in the sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from validation.cms_signature import judge_signed, signed_data, whole
from validation.finding import Examination, Finding, SigningTime, unread

_SUB_FILTERS = ("/ETSI.CAdES.detached", "/adbe.pkcs7.detached")


def find_pdf(examination: Examination, authorities: Sequence[bytes]) -> Finding:
    """What is to be said of the one signature in a PDF. Raises Refusal(BAD_DOCUMENT), and whatever the parser raises.

    What was appended afterwards may only be material for long-term validation: everything that shows on a page, and
    every value of a form, was there when the person signed.
    """
    if not examination.document.rstrip().endswith(b"%%EOF"):
        raise unread("there are octets behind the end of the PDF")
    reader = PdfFileReader(BytesIO(examination.document), strict=True)
    if reader.encrypted:
        raise unread("the PDF is encrypted")
    signatures = reader.embedded_regular_signatures
    if len(signatures) != 1:
        raise unread("the PDF must have exactly one signature")
    (signature,) = signatures
    if signature.sig_object.get("/SubFilter") not in _SUB_FILTERS:
        raise unread(f"the signature in the PDF must be of the kind {' or '.join(_SUB_FILTERS)}")
    _require_hole(signature, examination.document)
    signature.compute_integrity_info()
    changes = signature.diff_result
    if not isinstance(changes, DiffResult) or changes.modification_level > ModificationLevel.LTA_UPDATES:
        raise unread("the PDF was changed after it was signed, or the signature does not cover all of it")
    signed = signed_data(signature.pkcs7_content, padded=True)
    if signed["encap_content_info"]["content"].native is not None:
        raise unread("the signature in the PDF has a content of its own")
    finding = judge_signed(signed, signature.compute_digest, examination, authorities)
    if finding.reasons or finding.signing_time:
        return finding
    claimed = signature.self_reported_timestamp
    return replace(finding, signing_time=SigningTime(whole(claimed), proven=False)) if claimed else finding


def _require_hole(signature: EmbeddedPdfSignature, document: bytes) -> None:
    """Return if the signed ranges leave out the signature's own digits and nothing else, up to the end of what it
    covers; everything else would be room for what nobody signed."""
    ranges = [int(number) for number in signature.byte_range]
    if len(ranges) == 4:
        start, hole, behind, length = ranges
        digits = document[hole + 1 : behind - 1]
        if (
            start == 0
            and hole < behind <= behind + length <= len(document)
            and document[hole : hole + 1] + document[behind - 1 : behind] == b"<>"
            and len(digits) == 2 * len(signature.pkcs7_content)
            and bytes.fromhex(digits.decode("ascii")) == signature.pkcs7_content
        ):
            return
    raise unread("the signature in the PDF leaves out more of the file than itself")
