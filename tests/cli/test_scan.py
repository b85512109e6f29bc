"""`jpki audit scan-filter` and `jpki audit scan`: made at the authority, used at an operator's with two files alone."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from tests.support.terminal import Terminal, issue_pair

DAY = timedelta(days=1)


@pytest.fixture
def serial(terminal: Terminal, tmp_path: Path) -> int:
    """A certificate, and a filter for an audit."""
    issue_pair(terminal, tmp_path / "pair")
    terminal.do("audit", "scan-filter", "shop-2027", "--out", tmp_path / "carry", "--hashes", "2000")
    return x509.load_der_x509_certificate((tmp_path / "pair" / "signature.cer").read_bytes()).serial_number


def scan_words(tmp_path: Path, *more: object) -> list[str]:
    carry = tmp_path / "carry"
    files = ("--filter", carry / "shop-2027.scan", "--key", carry / "shop-2027.scan-key")
    return [str(word) for word in ("audit", "scan", *files, *more)]


def test_serials_at_an_operator_are_reported_without_a_value(terminal: Terminal, serial: int, tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "people.csv").write_text(f"id,certificate\n1,{serial}\n2,{serial:x}\n")
    (shop / "pair.log").write_bytes((tmp_path / "pair" / "authentication.cer").read_bytes())
    reports = ("--json", tmp_path / "report.json", "--html", tmp_path / "report.html")
    said = terminal(*scan_words(tmp_path, *reports, f"shop={shop}"))
    assert said.code == 1
    assert "FOUND shop: people.csv: certificate: serial (decimal): 1 times, 1 different" in said.out
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert {(each["source"], each["form"]) for each in report["findings"]} == {
        ("people.csv", "decimal"),
        ("people.csv", "hex"),
        ("pair.log", "DER integer"),
    }
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "発行の番号の検出結果" in page
    assert "://" not in page
    for text in (said.out, said.err, page, json.dumps(report)):
        assert f"{serial:x}" not in text
        assert str(serial) not in text


def test_a_clean_operator_is_told_so(terminal: Terminal, serial: int, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing of interest\n")
    said = terminal.do(*scan_words(tmp_path, tmp_path / "notes.txt", "--language", "ja"))
    assert "検出されなかった" in said.out


def test_making_a_filter_is_on_record_without_a_serial(terminal: Terminal, serial: int, tmp_path: Path) -> None:
    (event,) = [row for row in terminal.audit() if row["act"] == "scan-filter-made"]
    facts = event["facts"]
    assert isinstance(facts, dict)
    assert (facts["audit"], facts["certificates"]) == ("shop-2027", 2)
    octets = (tmp_path / "carry" / "shop-2027.scan").read_bytes()
    assert serial.to_bytes(16) not in octets
    assert serial.to_bytes(16)[:8] not in octets
    assert not (tmp_path / "carry" / "shop-2027.scan").stat().st_mode & 0o077


def test_a_filter_ends_with_its_time(terminal: Terminal, serial: int, tmp_path: Path) -> None:
    terminal.clock.forward(31 * DAY)
    said = terminal(*scan_words(tmp_path, tmp_path / "pair"))
    assert (said.code, "has expired" in said.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(("scan-filter", "shop-2027"), "is there already", id="a-second-filter"),
        pytest.param(("scan-filter", "../up"), "small letters", id="a-name-that-is-a-path"),
    ],
)
def test_what_cannot_be_made_is_refused(
    terminal: Terminal, serial: int, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    said = terminal("audit", *words, "--out", tmp_path / "carry")
    assert said.code == 1
    assert told in said.err


def test_a_key_that_is_none_and_a_report_that_is_there_are_refused(
    terminal: Terminal, serial: int, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.write_text("{}")
    said = terminal("audit", "scan", "--filter", tmp_path / "carry" / "shop-2027.scan", "--key", other, other)
    assert (said.code, "not the key of a scan filter" in said.err) == (1, True)
    said = terminal(*scan_words(tmp_path, "--json", other, other))
    assert (said.code, "is there already" in said.err) == (1, True)
