"""The ledger in words, Japanese and English, for residents; and as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.certificates import Carrier, Kind
from domain.provisions import Channel
from provisions.disclosure import Disclosure
from provisions.ledger import Told

Words = tuple[str, str]
"""Japanese, English."""

CHANNELS: Final[Mapping[Channel, Words]] = {
    Channel.OCSP: ("失効情報の照会（OCSP）", "status of one certificate (OCSP)"),
    Channel.CRL: ("失効情報ファイル（CRL）", "list of revoked certificates of a municipality (CRL)"),
    Channel.FILTER: ("失効情報フィルター", "revocation filter"),
    Channel.HANDLE: ("ハンドル（仮名の番号）", "handle instead of the serial"),
    Channel.NOTICE: ("失効の通知", "notice of a change"),
    Channel.VALIDATION: ("機構による検証", "validation by the authority, with consent"),
}
ANSWERS: Final[Mapping[str, Words]] = {
    "good": ("有効", "good"),
    "revoked": ("失効", "revoked"),
    "unknown": ("不明", "unknown"),
    "list": ("一覧の提供", "the whole list"),
    "filter": ("フィルターの提供", "the whole filter"),
}
KINDS: Final[Mapping[Kind, Words]] = {
    Kind.SIGNATURE: ("署名用電子証明書", "signing certificate"),
    Kind.AUTHENTICATION: ("利用者証明用電子証明書", "authentication certificate"),
}
CARRIERS: Final[Mapping[Carrier, Words]] = {
    Carrier.CARD: ("個人番号カード", "card"),
    Carrier.MOBILE_DEVICE: ("移動端末設備", "mobile device"),
}
ANYBODY: Final[Words] = ("不特定の者（公開ファイル）", "anybody (public file)")


def about(told: Told) -> Words:
    """Which certificate of the person, or which list, it was about."""
    if told.record is not None:
        kind, carrier = KINDS[told.record.kind], CARRIERS[told.record.carrier]
        day = f"{told.record.validity.not_before:%Y-%m-%d}"
        return f"{kind[0]}（{carrier[0]}、{day}発行）", f"{kind[1]} ({carrier[1]}, issued {day})"
    if told.municipality is None:
        return "発行した全ての電子証明書のフィルター", "filter of all certificates that were issued"
    return f"市区町村 {told.municipality} の一覧", f"list of municipality {told.municipality}"


def disclosure_to_json(disclosure: Disclosure) -> dict[str, object]:
    """The disclosure as JSON values."""
    return {
        "as_of": disclosure.as_of.isoformat(),
        "provisions": [
            {
                "first_at": told.first.isoformat(),
                "last_at": told.last.isoformat(),
                "count": told.count,
                "verifier": told.party,
                "provider": told.provider,
                "purpose": told.purpose,
                "channel": told.channel.name.lower(),
                "channel_ja": CHANNELS[told.channel][0],
                "channel_en": CHANNELS[told.channel][1],
                "about_ja": about(told)[0],
                "about_en": about(told)[1],
                "answer": told.answered,
                "answer_ja": ANSWERS.get(told.answered, (told.answered, ""))[0],
                "evidence": told.evidence or None,
            }
            for told in disclosure.told
        ],
    }
