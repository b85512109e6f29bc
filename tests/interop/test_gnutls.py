"""GnuTLS judges certificates, lists and answers, and asks the responder itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from domain.certificates import IssuerId
from tests.interop.exhibits import ANSWERS, LISTS
from tests.interop.fates import ISSUERS
from tests.interop.scene import Scene
from tests.interop.verdicts import expected
from tests.support.judges import certtool, ocsptool

pytestmark = pytest.mark.interop


def list_file(scene: Scene, folder: Path, issuer: IssuerId, name: str) -> Path:
    path = folder / "list.pem"
    path.write_bytes(x509.load_der_x509_crl(LISTS[name](scene, issuer)).public_bytes(Encoding.PEM))
    return path


def by_list(scene: Scene, folder: Path, issuer: IssuerId, fate: str, name: str) -> str:
    given = ("--load-ca-certificate", scene.anchor(issuer), "--load-crl", list_file(scene, folder, issuer, name))
    return certtool("--verify", *given, "--infile", scene.path(issuer, fate))


@expected("Fates", "certtool")
def test_a_certificate_by_its_list(scene: Scene, tmp_path: Path, issuer: IssuerId, case: str, verdict: str) -> None:
    assert by_list(scene, tmp_path, issuer, case, "its own") == verdict


@expected("Lists", "certtool: the list")
def test_a_list(scene: Scene, tmp_path: Path, issuer: IssuerId, case: str, verdict: str) -> None:
    path = list_file(scene, tmp_path, issuer, case)
    assert certtool("--verify-crl", "--load-ca-certificate", scene.anchor(issuer), "--infile", path) == verdict


@expected("Lists", "certtool: card-lost")
def test_a_revoked_certificate_by_a_given_list(
    scene: Scene, tmp_path: Path, issuer: IssuerId, case: str, verdict: str
) -> None:
    assert by_list(scene, tmp_path, issuer, "card-lost", case) == verdict


@pytest.mark.parametrize("issuer", ISSUERS)
def test_a_namesake_is_not_taken_for_the_issuer(scene: Scene, issuer: IssuerId) -> None:
    verify = ("--verify", "--load-ca-certificate", scene.path(issuer, "namesake"))
    assert certtool(*verify, "--infile", scene.path(issuer, "good")) == "The certificate issuer is unknown."


def about(scene: Scene, issuer: IssuerId, fate: str) -> tuple[str | Path, ...]:
    anchor = scene.anchor(issuer)
    return ("--load-cert", scene.path(issuer, fate), "--load-issuer", anchor, "--load-trust", anchor)


@expected("Fates", "ocsptool")
@pytest.mark.parametrize("nonce", ["--nonce", "--no-nonce"])
def test_asking_where_the_certificate_says(scene: Scene, nonce: str, issuer: IssuerId, case: str, verdict: str) -> None:
    answer = ocsptool("--ask", nonce, *about(scene, issuer, case))
    assert (answer.verification, answer.status) == ("Success", verdict)
    assert answer.serial == scene.serial(issuer, case)
    assert bool(answer.nonce) == (nonce == "--nonce")
    assert_current(answer.this_update, answer.next_update)


def assert_current(this_update: str, next_update: str) -> None:
    form = "%a %b %d %H:%M:%S UTC %Y"
    begin, end = (datetime.strptime(text, form).replace(tzinfo=UTC) for text in (this_update, next_update))
    assert begin <= datetime.now(UTC) <= end
    assert end - begin == timedelta(hours=1, seconds=-1)


@expected("Answers", "ocsptool")
def test_a_given_answer(scene: Scene, tmp_path: Path, issuer: IssuerId, case: str, verdict: str) -> None:
    (tmp_path / "answer").write_bytes(ANSWERS[case][1](scene, issuer))
    verify = ("--verify-response", "--load-response", tmp_path / "answer", "--load-trust", scene.anchor(issuer))
    assert ocsptool(*verify).verification == verdict


@pytest.mark.parametrize(
    ("case", "its_own", "current"),
    [("its own", True, True), ("its own of three hours ago", True, False), ("a good one's", False, True)],
)
def test_what_ocsptool_leaves_to_its_caller(
    scene: Scene, tmp_path: Path, case: str, its_own: bool, current: bool
) -> None:
    issuer = ISSUERS[0]
    (tmp_path / "answer").write_bytes(ANSWERS[case][1](scene, issuer))
    answer = ocsptool("--response-info", "--load-response", tmp_path / "answer")
    assert (answer.serial == scene.serial(issuer, "card-lost")) == its_own
    if current:
        assert_current(answer.this_update, answer.next_update)
    else:
        with pytest.raises(AssertionError):
            assert_current(answer.this_update, answer.next_update)


def test_a_stranger_is_refused_where_verifiers_are_known(scene: Scene) -> None:
    answer = ocsptool(f"--ask={scene.notified.url}/ocsp", *about(scene, ISSUERS[0], "good"))
    assert (answer.verification, answer.status) == ("Failure, Signer cert not found", "unauthorized")
