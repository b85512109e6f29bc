"""`jpki tracers`: agreed on by two officers, issued, seen by the publisher, and found in a file that leaked."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from cli.publisher import go_round
from config.watching import gauges_of
from domain.certificates import Kind
from domain.parties import Party
from tests.support.terminal import Terminal
from tests.support.tracers import file_of, make_personas
from tests.support.verifiers import add_verifier


@pytest.fixture
def verifiers(terminal: Terminal) -> tuple[Party, Party]:
    """A bank and a broker."""
    with closing(terminal.services()) as services:
        bank, broker = (add_verifier(services.begin, name, at=services.clock()) for name in ("bank", "broker"))
    return bank, broker


@pytest.fixture
def personas(tmp_path: Path) -> Path:
    path = tmp_path / "personas.jsonl"
    path.write_bytes(file_of(make_personas(2)))
    return path


@pytest.fixture
def proposal(terminal: Terminal, verifiers: tuple[Party, Party], personas: Path) -> str:
    """A proposal that two officers agreed on."""
    for name in ("aoi", "ken"):
        terminal.do("parties", "add", "operator", name)
    aoi, ken = (terminal.state / "credentials" / f"operator-{name}" for name in ("aoi", "ken"))
    words = ("tracers", "propose", "bank", personas, "--reason", "the yearly audit")
    id_ = terminal.do(*words, "--officer", aoi).out.split()[1]
    assert "second-officer" in terminal("proposals", "confirm", id_, "--officer", aoi).err
    terminal.do("proposals", "confirm", id_, "--officer", ken)
    return id_


def test_tracers_from_the_agreement_to_the_alarm(
    terminal: Terminal, verifiers: tuple[Party, Party], proposal: str, personas: Path, tmp_path: Path
) -> None:
    bank, broker = verifiers
    assert terminal.do("tracers", "list").out == "there are no tracers\n"
    for _ in range(2):
        assert "2 tracers" in terminal.do("tracers", "issue", proposal, personas, "--out", tmp_path / "out").out
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {f"{n}-{kind.value}.{end}" for n in (0, 1) for kind in Kind for end in ("key", "cer")}
    assert b"ENCRYPTED" in (tmp_path / "out" / "0-signature.key").read_bytes()
    listed = terminal.do("tracers", "list").rows
    assert [(row["tracer"], row["planted at"], row["seen elsewhere"]) for row in listed] == [
        (f"{proposal}/{place}", "verifier:bank", "0") for place in (0, 1)
    ]
    certificate = (tmp_path / "out" / "1-signature.cer").read_bytes()
    for party, code in ((bank, 0), (broker, 1)):
        with closing(terminal.services()) as services:
            services.handles.of(party, None, certificate)
            services.record.close()
            terminal.clock.forward(timedelta(minutes=1))
            assert go_round(services)
            gauges = {gauge.name: [value for _, value in gauge.values] for gauge in gauges_of(services)}
            assert gauges["jpki_tracer_sightings"] == [code]
        assert terminal("tracers", "list").code == code
    said = terminal("tracers", "list").out.splitlines()
    assert said[-1].split("\t")[:3] == [f"{proposal}/1", "verifier:broker", "handle"]
    acts = [(row["act"], row["facts"]) for row in terminal.audit() if str(row["act"]).startswith("tracer")]
    assert [act for act, _ in acts] == ["tracer-seen"]
    assert terminal.do("check").out == "database, OCSP, lists and audit trail agree\n"


def test_a_leaked_file_names_its_source(terminal: Terminal, proposal: str, personas: Path, tmp_path: Path) -> None:
    leak = tmp_path / "leak.csv"
    leak.write_text("nothing\n")
    assert terminal.do("tracers", "match", leak).out == "no tracer is in this file\n"
    terminal.do("tracers", "issue", proposal, personas, "--out", tmp_path / "out")
    assert terminal.do("tracers", "match", leak).out == "no tracer is in this file\n"
    leak.write_bytes(b"1;" + (tmp_path / "out" / "0-authentication.cer").read_bytes().hex().encode() + b";\n")
    said = terminal("tracers", "match", leak)
    assert said.code == 1
    assert {(row["tracer"], row["planted at"]) for row in said.rows} == {(f"{proposal}/0", "verifier:bank")}
    assert terminal.audit()[-1]["act"] == "tracer-matched"


def test_tracers_are_no_leak_of_codes_and_survive_new_keys(
    terminal: Terminal, proposal: str, personas: Path, tmp_path: Path
) -> None:
    terminal.do("tracers", "issue", proposal, personas, "--out", tmp_path / "out")
    assert terminal.do("residents", "prove-sealed").code == 0
    terminal.do("residents", "rotate-keys", "begin")
    terminal.do("residents", "rotate-keys", "run", "--everywhere")
    terminal.do("residents", "rotate-keys", "finish")
    assert terminal.do("residents", "prove-sealed").code == 0
    assert len(terminal.do("tracers", "list").rows) == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nothing", "line 1: is not JSON"),
        ("{}", "is missing"),
        ('{"resident_code": "92939297270"}', "fields of other names"),
    ],
)
def test_personas_that_are_none_are_refused_by_line(
    terminal: Terminal, proposal: str, tmp_path: Path, line: str, words: str
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(line + "\n")
    said = terminal("tracers", "issue", proposal, path, "--out", tmp_path / "out")
    assert said.code == 1
    assert words in said.err
    assert "92939297270" not in said.err


def test_a_scan_of_another_operator_finds_tracers_that_cannot_be_there(
    terminal: Terminal, proposal: str, personas: Path, tmp_path: Path
) -> None:
    said = terminal("audit", "scan-filter", "none", "--tracers-not-at", "broker", "--out", tmp_path)
    assert "no tracer was planted at another verifier" in said.err
    terminal.do("tracers", "issue", proposal, personas, "--out", tmp_path / "out")
    data = tmp_path / "data"
    data.mkdir()
    rows = [(tmp_path / "out" / f"{place}-signature.cer").read_bytes().hex() for place in (0, 1)]
    (data / "customers.csv").write_text("\n".join(rows))
    for audited, code in (("broker", 1), ("bank", None)):
        words = ("audit", "scan-filter", audited, "--tracers-not-at", audited, "--out", tmp_path, "--hashes", "0")
        made = terminal(*words)
        assert made.code == (0 if code else 1)
        if code:
            assert "4 certificates" in made.out
            files = ("--filter", tmp_path / f"{audited}.scan", "--key", tmp_path / f"{audited}.scan-key")
            assert terminal("audit", "scan", data, *files, "--processes", "1").code == code
