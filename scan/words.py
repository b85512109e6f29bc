"""The words of a report, in English and in Japanese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from scan.search import Trace

Language = Literal["en", "ja"]

JOINABLE: Mapping[Trace, str] = {
    Trace.WHOLE: "direct",
    Trace.FIRST: "by-half",
    Trace.LAST: "by-half",
    Trace.HASH: "recomputable",
    Trace.SALTED: "recomputable-salted",
    Trace.ALIKE: "alike",
}

_TRACES: Mapping[Trace, tuple[str, str]] = {
    Trace.WHOLE: ("serial", "発行の番号"),
    Trace.FIRST: ("first half of a serial", "発行の番号の前半"),
    Trace.LAST: ("last half of a serial", "発行の番号の後半"),
    Trace.HASH: ("hash of a serial, without salt", "発行の番号のハッシュ値（ソルトなし）"),
    Trace.SALTED: ("hash of a serial, salted or rare", "発行の番号のハッシュ値（ソルト付き又は特殊）"),
    Trace.ALIKE: (
        "numbers in the form of serials, unknown to the filter",
        "発行の番号の形式の値（フィルタに無いもの）",
    ),
}

SENTENCES: Mapping[str, tuple[str, str]] = {
    "title": ("Scan for serials", "発行の番号の検出結果"),
    "head": (
        "audit {audit}, {at}: {octets} octets in {places} places",
        "監査 {audit}、{at}: {places} 箇所、{octets} オクテット",
    ),
    "filter": (
        "filter of {certificates} certificates ({plain} of them hashed, {salted} salted), until {expires}",
        "フィルタ: 証明書 {certificates} 件（ハッシュ {plain} 件、ソルト付き {salted} 件）、有効期限 {expires}",
    ),
    "finding": (
        "FOUND {place}: {trace} ({form}): {hits}, {different} different, {first}; {joinable}",
        "検出 {place}: {trace}（{form}）: {hits}、異なる番号 {different} 件、{first}。{joinable}",
    ),
    "shared": (
        "SHARED KEY {one} and {other}: about {common} values in common, {chance} by chance: they can be joined",
        "共通キー {one} と {other}: 共通の値 約 {common} 件（偶然なら {chance} 件）。両方を持つ者は突合できる",
    ),
    "gap": ("NOT READ {place}: {why}", "未検査 {place}: {why}"),
    "nothing": ("no serial and no shared key was found", "発行の番号も共通キーも検出されなかった"),
    "count-rows": ("{hits} of {rows} rows", "{rows} 行中 {hits} 行"),
    "count-octets": ("{hits} times", "{hits} 回"),
    "first-rows": ("first in rows {first}", "最初の行 {first}"),
    "first-octets": ("first at octets {first}", "最初の位置 {first}"),
    "direct": (
        "joins with everybody who has serials",
        "番号を持つ者なら誰でも突合できる",
    ),
    "by-half": (
        "joins with everybody who has serials: half of one tells whose it is",
        "半分でも一意であり、番号を持つ者なら誰でも突合できる",
    ),
    "recomputable": (
        "joins with everybody who has serials and computes the same hash",
        "番号を持つ者が同じハッシュ値を計算すれば突合できる",
    ),
    "recomputable-salted": (
        "joins with everybody who has serials and knows or guesses the salt",
        "番号を持ち、ソルトを知るか推測できる者は突合できる",
    ),
    "alike": (
        "may be serials issued after the filter was made; if so, joins with everybody who has serials",
        "フィルタ作成後に発行された番号のおそれ。その場合、番号を持つ者なら誰でも突合できる",
    ),
    "findings": ("Where serials were found", "検出箇所"),
    "shared-keys": ("Keys that two systems share", "二つのシステムに共通するキー"),
    "gaps": ("What could not be looked at", "検査できなかったもの"),
    "place": ("place", "箇所"),
    "what": ("what", "内容"),
    "how-often": ("how often", "件数"),
    "where-first": ("where", "位置"),
    "how-joinable": ("how it joins", "突合の可能性"),
    "why": ("why", "理由"),
    "common": ("in common", "共通の値"),
    "by-chance": ("by chance", "偶然の場合"),
    "no-values": (
        "This report names places, never values. A find was recognised by keyed digests.",
        "この報告書は箇所だけを示し、値は示さない。検出は鍵付きの要約値による。",
    ),
}


def say(sentence: str, language: Language, **values: object) -> str:
    """A sentence, filled in."""
    return SENTENCES[sentence][language == "ja"].format(**values)


def say_trace(trace: Trace, language: Language) -> str:
    """The name of a trace."""
    return _TRACES[trace][language == "ja"]
