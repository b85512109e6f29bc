"""`jpki issue`: a pair from a terminal, once for each key, and nothing personal in what is printed."""

from __future__ import annotations

import base64
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from domain.certificates import Kind
from tests.support.requests import make_pair, make_request
from tests.support.terminal import HOLDER, RESIDENTS, Said, Terminal, write_application

FILES = {Kind.SIGNATURE: "signature.der", Kind.AUTHENTICATION: "authentication.der"}
PERSONAL = (HOLDER["resident_code"], HOLDER["name"], HOLDER["address"], HOLDER["birth_date"])


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with an application and the two requests."""
    desk = tmp_path / "desk"
    desk.mkdir()
    write_application(desk / "application.json")
    for kind, request in make_pair().items():
        (desk / FILES[kind]).write_bytes(request)
    return desk


def issue(terminal: Terminal, desk: Path, *more: str | Path, key: str = "desk-0001") -> Said:
    said = terminal(
        *("issue", desk / "application.json", "--key", key, "--out", desk / "out"),
        *("--signature-request", desk / "signature.der", "--authentication-request", desk / "authentication.der"),
        *more,
    )
    assert not any(value in said.out + said.err for value in PERSONAL)
    return said


def certificates(folder: Path) -> dict[str, x509.Certificate]:
    return {path.stem: x509.load_der_x509_certificate(path.read_bytes()) for path in folder.iterdir()}


def test_a_pair_is_written_as_der(terminal: Terminal, desk: Path) -> None:
    said = issue(terminal, desk)
    assert (said.code, said.err) == (0, "")
    assert said.out == "".join(f"{kind.value}: {desk}/out/{kind.value}.cer\n" for kind in Kind)
    made = certificates(desk / "out")
    assert set(made) == {"signature", "authentication"}
    for kind, certificate in made.items():
        issuer = x509.load_der_x509_certificate((terminal.state / "certs" / f"{kind}-g1.cer").read_bytes())
        certificate.verify_directly_issued_by(issuer)
        assert certificate.not_valid_before_utc == terminal.clock.now


def test_requests_may_be_in_pem(terminal: Terminal, desk: Path) -> None:
    for name in FILES.values():
        request = x509.load_der_x509_csr((desk / name).read_bytes())
        (desk / name).write_bytes(b"\n" + request.public_bytes(Encoding.PEM).replace(b"\n", b"\r\n"))
    assert issue(terminal, desk).code == 0


def test_requests_may_stand_in_the_application(terminal: Terminal, desk: Path) -> None:
    requests = {kind.value: base64.b64encode(request).decode() for kind, request in make_pair().items()}
    write_application(desk / "application.json", requests=requests)
    terminal.do("issue", desk / "application.json", "--key", "desk-0001", "--out", desk / "out")
    assert len(certificates(desk / "out")) == 2


def test_the_same_key_repeats_the_same_answer(terminal: Terminal, desk: Path) -> None:
    issue(terminal, desk)
    before = certificates(desk / "out")
    again = issue(terminal, desk)
    assert again.out.endswith("this application was answered before; these are the same certificates\n")
    assert certificates(desk / "out") == before


def test_certificates_are_for_their_owners_eyes_only(terminal: Terminal, desk: Path) -> None:
    issue(terminal, desk)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (desk / "out").iterdir()} == {0o600}


def test_nobody_elses_certificate_is_overwritten(terminal: Terminal, desk: Path) -> None:
    (desk / "out").mkdir()
    (desk / "out" / "signature.cer").write_bytes(b"of somebody else")
    said = issue(terminal, desk)
    assert said.code == 1
    assert "will not be overwritten; run this again with the same key" in said.err
    assert (desk / "out" / "signature.cer").read_bytes() == b"of somebody else"
    assert issue(terminal, desk, "--out", desk / "elsewhere").code == 0
    assert set(certificates(desk / "elsewhere")) == {"signature", "authentication"}


def test_the_same_key_for_something_else_is_refused(terminal: Terminal, desk: Path) -> None:
    issue(terminal, desk)
    write_application(desk / "application.json", card={"id": "CARD-2", "expires_on": "2036-03-31"})
    said = issue(terminal, desk)
    assert said.code == 1
    assert said.err.startswith("refused (idempotency-mismatch): ")


def test_a_second_pair_is_refused(terminal: Terminal, desk: Path) -> None:
    issue(terminal, desk)
    for kind, request in make_pair(number=1).items():
        (desk / FILES[kind]).write_bytes(request)
    said = issue(terminal, desk, key="desk-0002")
    assert said.code == 1
    assert said.err.startswith("refused (live-pair): ")


def test_the_signing_certificate_alone_follows_a_change_of_the_register(terminal: Terminal, desk: Path) -> None:
    issue(terminal, desk)
    terminal.do("revoke", "--resident", "-", "--cause", "key-report", "--kind", "signature", typed=PERSONAL[0])
    (desk / "signature.der").write_bytes(make_request(number=5))
    alone = ("--signature-request", desk / "signature.der")
    said = terminal.do("issue", desk / "application.json", "--key", "desk-2", "--out", desk / "second", *alone)
    assert said.out == f"signature: {desk}/second/signature.cer\n"


def test_substituted_characters_are_told_by_their_places(terminal: Terminal, desk: Path) -> None:
    write_application(desk / "application.json", RESIDENTS[2])
    said = issue(terminal, desk)
    assert said.out.splitlines()[2:] == ["substitute characters in name at 1: show the holder"]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        pytest.param({"resident_code": "25208017643"}, "unknown-resident", id="nobody's code"),
        pytest.param({"resident_code": "92939297271"}, "malformed", id="a wrong check digit"),
        pytest.param({"municipality_code": "132128"}, "unknown-resident", id="another municipality"),
        pytest.param({"card": {"id": "CARD-1", "expires_on": "2027-03-31"}}, "card-expired", id="an expired card"),
        pytest.param({"colour": "red"}, "malformed", id="a field that nobody knows"),
        pytest.param(
            {"attributes": {**{item: HOLDER[item] for item in ("name", "address", "birth_date")}, "sex": "1"}},
            "items-differ",
            id="another sex than on record",
        ),
    ],
)
def test_what_may_not_be_issued_is_refused_and_leaves_no_certificate(
    changes: dict[str, Any], refusal: str, terminal: Terminal, desk: Path
) -> None:
    write_application(desk / "application.json", **changes)
    said = issue(terminal, desk)
    assert said.code == 1
    assert said.err.startswith(f"refused ({refusal}): ")
    assert not list(desk.glob("out/*"))


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        pytest.param(b"nonsense", "malformed", id="no PKCS#10"),
        pytest.param(b"-----BEGIN CERTIFICATE REQUEST-----\n!!!\n", "malformed", id="no PEM"),
        pytest.param(make_request()[:-1] + b"\x00", "bad-request-signature", id="a signature by nobody"),
    ],
)
def test_a_request_that_proves_nothing_is_refused(content: bytes, refusal: str, terminal: Terminal, desk: Path) -> None:
    (desk / "signature.der").write_bytes(content)
    said = issue(terminal, desk)
    assert said.code == 1
    assert said.err.startswith(f"refused ({refusal}): ")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b'"x"'])
def test_an_application_that_is_none_is_refused(content: bytes, terminal: Terminal, desk: Path) -> None:
    (desk / "application.json").write_bytes(content)
    said = issue(terminal, desk)
    assert said.code == 1
    assert said.err.startswith("refused (malformed): ")


def test_without_a_key_nothing_happens(terminal: Terminal, desk: Path) -> None:
    said = terminal("issue", desk / "application.json")
    assert said.code == 2
    assert "--key" in said.err


def test_where_no_folder_can_be_made_nothing_is_issued(terminal: Terminal, desk: Path) -> None:
    (desk / "out").write_text("in the way")
    said = terminal("issue", desk / "application.json", "--key", "desk-0001", "--out", desk / "out" / "deeper")
    assert said.code == 1
    assert [row.get("act") for row in terminal.audit()].count("certificate-reserved") == 0


def test_what_the_holder_signs_for_a_phone_is_printed(terminal: Terminal, desk: Path) -> None:
    write_application(desk / "application.json", carrier="mobile-device", proof="AAAA")
    said = terminal(
        *("issue", desk / "application.json", "--key", "phone-0001", "--to-sign"),
        *("--signature-request", desk / "signature.der", "--authentication-request", desk / "authentication.der"),
    )
    assert said.out.startswith("JPKI application for certificates on a mobile device, version 1\n")
    assert f"resident_code={HOLDER['resident_code']}\n" in said.out
    assert not (desk / "out").exists()
    refused = terminal(
        *("issue", desk / "application.json", "--key", "phone-0001", "--out", desk / "out"),
        *("--signature-request", desk / "signature.der", "--authentication-request", desk / "authentication.der"),
    )
    assert (refused.code, "no-live-certificate" in refused.err) == (1, True)
