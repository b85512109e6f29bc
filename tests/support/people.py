"""Who is certified in tests of the rules, and the rows on record for them. Nobody here exists."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from domain.birth import BirthDate
from domain.certificates import (
    Carrier,
    CertificateRecord,
    CertificateState,
    IssuerId,
    Kind,
    Validity,
)
from domain.people import BasicAttributes, Municipality, MunicipalityCode, Sex
from domain.serial import SerialNumber

KIYOSE = Municipality(MunicipalityCode("132217"), "東京都", "清瀬市", "Tokyo-to", "Kiyose-shi")
PERSON = BasicAttributes("霧島　透子", "東京都清瀬市霞野２－１４－３０５", BirthDate(1980, 2, 17), Sex.FEMALE)
ISSUED_AT = datetime(2027, 4, 1, 1, 30, tzinfo=UTC)
VALIDITY = Validity(ISSUED_AT, datetime(2032, 2, 17, 14, 59, 59, tzinfo=UTC))


def serial_of(label: str) -> SerialNumber:
    """The same serial for the same label."""
    return SerialNumber.drawn_from(hashlib.sha256(label.encode()).digest()[:16])


def certificate_record(kind: Kind, application_id: int = 1) -> CertificateRecord:
    """A live certificate of a resident of 清瀬市."""
    return CertificateRecord(
        issuer=IssuerId(f"{kind.value}-g1"),
        serial=serial_of(f"{kind.value} {application_id}"),
        kind=kind,
        carrier=Carrier.CARD,
        resident_id=7,
        application_id=application_id,
        municipality=KIYOSE.code,
        validity=VALIDITY,
        state=CertificateState.ISSUED,
        der=b"",
        spki_digest=b"",
        profile_digest="",
        reserved_at=ISSUED_AT,
    )
