"""The words of explanations, in English and in Japanese."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Literal

from domain.certificates import Carrier, CertificateState, Kind
from domain.events import Act
from domain.people import ResidentState
from domain.revocation import CrlReason
from domain.status import Word

Language = Literal["en", "ja"]

WORDS: Mapping[Enum | Word, tuple[str, str]] = {
    Kind.SIGNATURE: ("signing certificate", "署名用電子証明書"),
    Kind.AUTHENTICATION: ("authentication certificate", "利用者証明用電子証明書"),
    Carrier.CARD: ("card", "個人番号カード用"),
    Carrier.MOBILE_DEVICE: ("mobile device", "移動端末設備用"),
    CertificateState.RESERVED: ("reserved, not signed yet", "発行手続中（未署名）"),
    CertificateState.ISSUED: ("issued", "発行済み"),
    ResidentState.PRESENT: ("in the resident register", "住民票あり"),
    ResidentState.MOVING: ("moved out, not moved in yet", "転出、転入前"),
    ResidentState.DEAD: ("dead", "死亡"),
    ResidentState.REMOVED: ("removed from the resident register", "住民票消除"),
    ResidentState.ABROAD: ("moved abroad", "国外転出"),
    ResidentState.ABROAD_CONTINUED: ("moved abroad, card in continued use", "国外転出（継続利用）"),
    Act.RESIDENT_CHANGED: ("record changed", "異動"),
    Act.RESERVED: ("reserved", "発行の受付"),
    Act.ISSUED: ("issued", "発行"),
    Act.DELIVERED: ("delivered", "交付"),
    Act.EXPIRED: ("expired", "有効期間の満了"),
    Act.REVOKED: ("revoked", "失効"),
    Act.HELD: ("held", "一時停止"),
    Act.ERASED: ("record erased, its time being over", "保存期間の満了による記録の消去"),
    Act.RELEASED: ("hold lifted", "一時停止の解除"),
    Act.HOLD_AGED: ("hold reached its age", "一時停止の長期化"),
    "good": ("good", "有効"),
    "revoked": ("revoked", "失効"),
    "unknown": ("unknown", "不明"),
    CrlReason.UNSPECIFIED: ("no reason given", "理由の記載なし"),
    CrlReason.KEY_COMPROMISE: ("keyCompromise", "鍵の危殆化 (keyCompromise)"),
    CrlReason.CA_COMPROMISE: ("cACompromise", "認証局の鍵の危殆化 (cACompromise)"),
    CrlReason.AFFILIATION_CHANGED: ("affiliationChanged", "記載内容の変更 (affiliationChanged)"),
    CrlReason.SUPERSEDED: ("superseded", "更新 (superseded)"),
    CrlReason.CESSATION_OF_OPERATION: ("cessationOfOperation", "証明書の必要性の消滅 (cessationOfOperation)"),
    CrlReason.CERTIFICATE_HOLD: ("certificateHold", "一時保留 (certificateHold)"),
}
"""Names of values."""

SENTENCES: Mapping[str, tuple[str, str]] = {
    "head": (
        "As of {at}: {resident}, municipality {municipality}, {count} certificates",
        "{at} 現在: {resident}、市区町村 {municipality}、証明書 {count} 件",
    ),
    "certificate": (
        "{kind} of application {application} ({issuer}, {carrier}, municipality {municipality})",
        "申請 {application} の{kind}（{issuer}、{carrier}、市区町村 {municipality}）",
    ),
    "validity": ("valid from {begin} through {end}; {state}", "有効期間 {begin} から {end} まで、{state}"),
    "follows": ("follows the one of application {application}", "申請 {application} の電子証明書の後継"),
    "pending": ("waits for its hand-over", "交付待ち"),
    "undelivered": ("ended before it was handed over", "交付前に失効"),
    "ended": ("no longer the holder's live certificate since {at}", "{at} に利用者の現用証明書でなくなった"),
    "status": ("OCSP answers: {word}", "OCSP の応答: {word}"),
    "since": ("OCSP answers: {word} since {at}, {reason}", "OCSP の応答: {word}（{at}、{reason}）"),
    "step": ("{at}  {act} by {actor}", "{at}  {act}（{actor}）"),
    "because": ("because: {title} [{source}]", "根拠: {title}［{source}］"),
    "unverified": ("(not verified against the law's text)", "（条文未確認）"),
    "no list": ("list {path}: none is published yet", "失効リスト {path}: 未公表"),
    "listed": (
        "list {path} number {number} of {begin} lists it: {at}, {reason}",
        "失効リスト {path} 第 {number} 号（{begin}）に登載: {at}、{reason}",
    ),
    "not listed": (
        "list {path} number {number} of {begin}, in force through {end}, does not list it",
        "失効リスト {path} 第 {number} 号（{begin}、{end} まで有効）に登載なし",
    ),
    "due": ("the list does not say so yet; the next is due by {at}", "失効リストに未反映。次の公表は {at} まで"),
}
"""Sentences with places for values."""
