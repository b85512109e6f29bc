"""The four items (基本4情報) in a signing certificate: name, address, birth date, sex."""

from __future__ import annotations

from dataclasses import dataclass

from asn1crypto import core, parser
from cryptography import x509

from jpki_verify.extensions import extension

_ARC = "1.2.392.200149.8.5.5."
_NAME, _SEX, _BIRTH_DATE, _ADDRESS = (f"{_ARC}{number}" for number in (1, 3, 4, 5))


@dataclass(frozen=True, slots=True, repr=False)
class FourItems:
    """As they stand in the certificate. `birth_date` is the era's digit and YYYYMMDD, `sex` one digit. Nothing of it is
    printed, logged or kept by the kit."""

    name: str
    address: str
    birth_date: str
    sex: str


def items_of(certificate: x509.Certificate) -> FourItems | None:
    """The four items, or None for a certificate that does not carry all of them."""
    names = extension(certificate, x509.SubjectAlternativeName)
    texts: dict[str, str] = {}
    for name in names or ():
        if isinstance(name, x509.OtherName) and name.type_id.dotted_string.startswith(_ARC):
            texts[name.type_id.dotted_string] = _text(name.value)
    try:
        return FourItems(texts[_NAME], texts[_ADDRESS], texts[_BIRTH_DATE], texts[_SEX])
    except KeyError:
        return None


def _text(value: bytes) -> str:
    """The UTF8String in a value. Raises ValueError for anything else."""
    parser.parse(value, strict=True)
    return str(core.UTF8String.load(value, strict=True).native)
