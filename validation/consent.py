"""Consents: the text that a person reads and signs, written in one way and read back strictly (docs/formats.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.errors import Code, Refusal
from domain.validations import Item
from policies.consents import TEXT, TEXT_LIMIT
from policies.validity import JST

_YES, _NO = "同意する / yes", "同意しない / no"
_NAMES = {
    Item.NAME: "氏名を伝えること / Telling my name",
    Item.ADDRESS: "住所を伝えること / Telling my address",
    Item.BIRTH_DATE: "生年月日を伝えること / Telling my date of birth",
    Item.SEX: "性別を伝えること / Telling my sex",
}
FIRST_LINE = "署名等の検証についての同意（第1版） / Consent to validation, version 1"
_SAYS_JA = "次の事業者が、次の利用目的のために、次の文書の署名の検証を発行機関に一度だけ求めることに同意します。"
_SAYS_EN = (
    "I agree that the operator below may ask the issuing organisation, once, to validate the signature of the document "
    "below, for the purpose below."
)
_HEAD = (FIRST_LINE, _SAYS_JA, _SAYS_EN)
_FIELDS = {
    "operator": "事業者 / Operator: ",
    "purpose": "利用目的 / Purpose: ",
    "document": "文書のハッシュ値 / SHA-256 of the document: ",
    **{item.value: f"{name}: " for item, name in _NAMES.items()},
    "made_at": "同意した日時 / Made at: ",
    "good_until": "期限 / Good until: ",
    "number": "一度限りの番号 / Number, used once: ",
}

LONGEST = 4096
"""Octets of the longest consent."""


@dataclass(frozen=True, slots=True)
class Consent:
    """One person's consent to one validation. `document` is the SHA-256 of the octets that are validated, `number` 16
    octets of chance. Nothing in it says who the person is."""

    operator: str
    purpose: str
    document: bytes
    items: frozenset[Item]
    made_at: datetime
    good_until: datetime
    number: bytes


def write_consent(consent: Consent) -> bytes:
    """The octets that the person's key signs: lines of UTF-8, the same for the same consent.

    Raises Refusal(MALFORMED) for a consent of which a line cannot tell everything, so that two consents never have
    one text.
    """
    if len(consent.document) != 32 or len(consent.number) != 16:
        raise Refusal(Code.MALFORMED, "a consent names a SHA-256 and a number of 16 octets")
    for field in ("operator", "purpose"):
        text = getattr(consent, field)
        if not 1 <= len(text) <= TEXT_LIMIT or not text.replace("\u3000", " ").isprintable() or text != text.strip():
            raise Refusal(
                Code.MALFORMED, f"{field} must be 1 to {TEXT_LIMIT} printable characters on one line", pointer=field
            )
    said = {
        "operator": consent.operator,
        "purpose": consent.purpose,
        "document": consent.document.hex(),
        **{item.value: _YES if item in consent.items else _NO for item in _NAMES},
        "made_at": _moment(consent.made_at),
        "good_until": _moment(consent.good_until),
        "number": consent.number.hex(),
    }
    lines = (*_HEAD, *(f"{line}{said[field]}" for field, line in _FIELDS.items()))
    return "".join(f"{line}\n" for line in lines).encode()


def read_consent(octets: bytes) -> Consent:
    """The consent that `write_consent` wrote as exactly these octets. Raises Refusal(BAD_CONSENT), which quotes
    nothing."""
    try:
        if len(octets) <= LONGEST:
            lines = octets.decode("utf-8").split("\n")[len(_HEAD) :]
            said = {
                field: line.removeprefix(start) for (field, start), line in zip(_FIELDS.items(), lines, strict=False)
            }
            consent = Consent(
                said["operator"],
                said["purpose"],
                bytes.fromhex(said["document"]),
                frozenset(item for item in _NAMES if said[item.value] == _YES),
                datetime.fromisoformat(said["made_at"]),
                datetime.fromisoformat(said["good_until"]),
                bytes.fromhex(said["number"]),
            )
            if write_consent(consent) == octets:
                return consent
    except (KeyError, ValueError, OverflowError, Refusal):
        pass
    raise Refusal(
        Code.BAD_CONSENT, "the consent is not written as docs/formats.md says, octet for octet", pointer=TEXT
    ) from None


def _moment(moment: datetime) -> str:
    """The time in Japan, in whole seconds. Raises ValueError for a time without its zone."""
    if moment.tzinfo is None:
        raise ValueError("want an aware time")
    return moment.astimezone(JST).isoformat(timespec="seconds")
