"""Who looks at a document: bare signatures are checked here, everything with a structure where it can do no harm."""

from __future__ import annotations

from collections.abc import Callable

from domain.errors import Code, Refusal
from domain.validations import Format, Reason
from validation.holder import holder_key, is_signed
from validation.parts import Examination, Finding

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


def nothing_else(_examination: Examination) -> Finding:
    """The reader of an installation without the packages for documents. Raises Refusal(BAD_DOCUMENT)."""
    raise Refusal(
        Code.BAD_DOCUMENT,
        "this authority reads raw signatures only; send the octets that were signed",
        pointer="/format",
    )
