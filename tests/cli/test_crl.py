"""`jpki crl`: publish what is due, and see where each list stands."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.terminal import HOLDER, Terminal, issue_pair

ISSUERS = ["authentication-g1", "authentication-g2", "signature-g1", "signature-g2"]
HOUR = timedelta(hours=1)


def listed(terminal: Terminal) -> dict[str, dict[str, str]]:
    return {row["list"]: row for row in terminal.do("crl", "list").rows}


def published(terminal: Terminal, name: str) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl((terminal.state / "crl" / name).read_bytes())


def test_every_scope_in_use_gets_its_list_and_then_none_is_due(terminal: Terminal) -> None:
    assert terminal.do("crl", "publish").out == "8 published, 0 not due, 0 refused\n"
    assert terminal.do("crl", "publish").out == "0 published, 8 not due, 0 refused\n"
    files = {path.relative_to(terminal.state / "crl").as_posix() for path in (terminal.state / "crl").rglob("*.crl")}
    assert files == {f"{issuer}/{name}.crl" for issuer in ISSUERS for name in ("ca", "13221")}


def test_a_revocation_makes_its_list_due(terminal: Terminal, tmp_path: Path) -> None:
    issue_pair(terminal, tmp_path / "pair")
    terminal.do("crl", "publish")
    terminal.clock.forward(HOUR)
    terminal.do(
        "revoke", "--resident", "-", "--cause", "key-report", "--kind", "signature", typed=HOLDER["resident_code"]
    )
    waiting = listed(terminal)
    assert waiting["signature-g1/13221.crl"]["changes waiting"] == "1"
    assert waiting["authentication-g1/13221.crl"]["changes waiting"] == ""
    assert terminal.do("crl", "publish").out == "1 published, 7 not due, 0 refused\n"
    certificate = x509.load_der_x509_certificate((tmp_path / "pair" / "signature.cer").read_bytes())
    entry = published(terminal, "signature-g1/13221.crl").get_revoked_certificate_by_serial_number(
        certificate.serial_number
    )
    assert entry is not None
    assert listed(terminal)["signature-g1/13221.crl"]["entries"] == "1"


def test_with_force_all_are_published(terminal: Terminal) -> None:
    terminal.do("crl", "publish")
    terminal.clock.forward(HOUR)
    assert terminal.do("crl", "publish", "--force").out == "8 published, 0 not due, 0 refused\n"
    assert {row["number"] for row in listed(terminal).values()} == {"2"}


@pytest.mark.parametrize(
    "name",
    ["signature-g1/13221.crl", "signature-g1/13221", "signature-g1/132217", "signature-g1/132217.crl"],
)
def test_one_list_is_named_as_it_is_listed_or_by_the_municipalitys_code(name: str, terminal: Terminal) -> None:
    assert terminal.do("crl", "publish", "--only", name).out == "1 published, 0 not due, 0 refused\n"
    assert [row["list"] for row in listed(terminal).values() if row["number"]] == ["signature-g1/13221.crl"]


@pytest.mark.parametrize("name", ["signature-g2/ca", "signature-g2/ca.crl"])
def test_the_list_of_ca_certificates_can_be_named(name: str, terminal: Terminal) -> None:
    terminal.do("crl", "publish", "--only", name)
    issuer = x509.load_der_x509_certificate((terminal.state / "certs" / "signature-g2.cer").read_bytes()).public_key()
    assert isinstance(issuer, ec.EllipticCurvePublicKey)
    assert published(terminal, "signature-g2/ca.crl").is_signature_valid(issuer)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        pytest.param("signature-g1", "want a name like signature-g1/13221.crl", id="an issuer alone"),
        pytest.param("signature-g1/kiyose", "want a name like", id="a municipality's name"),
        pytest.param("signature-g1/132218", "check digit is wrong", id="a wrong check digit"),
        pytest.param("a/b/13221.crl", "want a name like", id="a longer path"),
        pytest.param("signature-g1/１３２２１.crl", "want a name like", id="full-width digits"),
    ],
)
def test_a_name_of_no_list_is_wrong_usage(name: str, why: str, terminal: Terminal) -> None:
    said = terminal("crl", "publish", "--only", name)
    assert said.code == 2
    assert why in said.err


@pytest.mark.parametrize("name", ["signature-g9/13221.crl", "signature-g1/01100.crl"])
def test_a_list_that_is_not_in_use_is_refused_by_name(name: str, terminal: Terminal) -> None:
    said = terminal("crl", "publish", "--only", name)
    assert said.code == 1
    assert f"{name}: refused (" in said.err
    assert said.out == "0 published, 0 not due, 1 refused\n"


def test_the_list_shows_what_was_never_published_and_what_has_ended(terminal: Terminal) -> None:
    assert {row["note"] for row in listed(terminal).values()} == {"never published"}
    terminal.do("crl", "publish")
    row = listed(terminal)["signature-g1/13221.crl"]
    assert (row["number"], row["entries"], row["note"]) == ("1", "0", "")
    assert (row["thisUpdate"], row["nextUpdate"]) == ("2027-04-01 00:00:00+00:00", "2027-04-02 23:59:59+00:00")
    terminal.clock.forward(48 * HOUR)
    assert {row["note"] for row in listed(terminal).values()} == {"PAST nextUpdate"}


def test_a_file_that_is_gone_comes_back(terminal: Terminal) -> None:
    terminal.do("crl", "publish")
    (terminal.state / "crl" / "signature-g1" / "13221.crl").unlink()
    terminal.clock.forward(HOUR)
    assert terminal.do("crl", "publish").out == "1 published, 7 not due, 0 refused\n"


def test_a_clock_that_went_back_publishes_nothing(terminal: Terminal) -> None:
    terminal.do("crl", "publish")
    terminal.clock.forward(-HOUR)
    said = terminal("crl", "publish")
    assert said.code == 1
    assert said.err.count("refused (clock-behind)") == 8
