"""Who looks at a document: bare signatures are checked here, everything with a structure where it can do no harm."""

from __future__ import annotations

from collections.abc import Callable

from domain.errors import Code, Refusal
from domain.validations import Format, Reason
from validation.finding import Examination, Finding
from validation.holder import holder_key, is_signed

Read = Callable[[Examination], Finding]


def examine(read: Read, examination: Examination) -> Finding:
    """What is to be said of the signature. `read` takes documents that have to be parsed.

    Raises Refusal(MALFORMED) when a signature is missing or one too many, and what `read` raises.
    """
    beside = examination.signature is not None
    if beside and examination.format not in (Format.RAW, Format.CMS):
        raise Refusal(Code.MALFORMED, "this format has its signature inside the document", pointer="/signature")
    if examination.format is not Format.RAW:
        return read(examination)
    if examination.signature is None:
        raise Refusal(Code.MALFORMED, "a raw signature is sent beside what it signs", pointer="/signature")
    key = holder_key(examination.certificate)
    good = is_signed(key, examination.document, examination.signature)
    return Finding(() if good else (Reason.SIGNATURE_WRONG,))
