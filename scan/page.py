"""The report of a scan as one page of HTML in English and in Japanese, which needs nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from scan.report import Report, moment_text, told
from scan.words import Language, say

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}"
    "table{border-collapse:collapse;width:100%;margin:0 0 2rem}th,td{border:1px solid #bbb;padding:.35rem .6rem;"
    "text-align:left;vertical-align:top;overflow-wrap:anywhere}th{background:#f0f0f0}.clean{color:#05612d}"
    "section+section{border-top:3px solid #888;margin-top:3rem}"
)
_LANGUAGES: tuple[Language, ...] = ("en", "ja")


def as_html(report: Report) -> str:
    """The page: the same report twice, one language behind the other."""
    sections = "".join(_section(report, language) for language in _LANGUAGES)
    title = escape(f"{say('title', 'en')}: {report.label.audit}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{_STYLE}</style></head><body>{sections}</body></html>\n"
    )


def _section(report: Report, language: Language) -> str:
    def words(*names: str) -> list[str]:
        return [say(name, language) for name in names]

    label = report.label
    parts = [
        f"<h1>{escape(say('title', language))}</h1>",
        _paragraph(
            say(
                "head",
                language,
                audit=label.audit,
                at=moment_text(report.at),
                octets=report.octets,
                places=report.places,
            )
        ),
        _paragraph(
            say(
                "filter",
                language,
                certificates=label.certificates,
                plain=label.plain,
                salted=label.salted,
                expires=moment_text(label.expires),
            )
        ),
        _paragraph(say("no-values", language)),
    ]
    if report.findings:
        rows = []
        for finding in report.findings:
            said = told(finding, language)
            what = f"{said['trace']} ({said['form']})"
            rows.append((finding.place, what, said["hits"], said["first"], said["joinable"]))
        heads = words("place", "what", "how-often", "where-first", "how-joinable")
        parts += [_heading("findings", language), _table(heads, rows)]
    if report.shared:
        keys = [(f"{key.one} / {key.other}", key.common, f"{key.chance:.2g}") for key in report.shared]
        parts += [_heading("shared-keys", language), _table(words("place", "common", "by-chance"), keys)]
    if report.gaps:
        gaps = [(gap.place, gap.why) for gap in report.gaps]
        parts += [_heading("gaps", language), _table(words("place", "why"), gaps)]
    if not report.findings and not report.shared:
        parts.append(f'<p class="clean">{escape(say("nothing", language))}</p>')
    return f'<section lang="{language}">{"".join(parts)}</section>'


def _heading(name: str, language: Language) -> str:
    return f"<h2>{escape(say(name, language))}</h2>"


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
