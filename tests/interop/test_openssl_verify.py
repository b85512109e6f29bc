"""OpenSSL judges certificates by our lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.certificates import IssuerId
from tests.interop.exhibits import ANSWERS, LISTS, other_generation
from tests.interop.fates import ISSUERS
from tests.interop.scene import Scene
from tests.interop.verdicts import cases, expected, rows
from tests.support.judges import openssl_verify

pytestmark = pytest.mark.interop

EVERY_ISSUER = pytest.mark.parametrize("issuer", ISSUERS)
BY_LIST = ("-crl_check", "-crl_download")
"""OpenSSL fetches the list from where the certificate says."""


def test_the_tables_leave_nothing_out(scene: Scene) -> None:
    told = [(issuer, fate) for issuer, fate, _ in cases("Fates")]
    assert sorted(told) == sorted(scene.certificates)
    assert [row["list"] for row in rows("Lists")] == list(LISTS)
    assert [row["answer"] for row in rows("Answers")] == list(ANSWERS)


@expected("Fates", "openssl verify")
def test_by_the_list_that_the_certificate_names(scene: Scene, issuer: IssuerId, case: str, verdict: str) -> None:
    assert openssl_verify(scene.path(issuer, case), *BY_LIST, "-CAfile", scene.anchor(issuer)) == verdict


@expected("Lists", "openssl verify: good")
def test_a_good_certificate_by_a_given_list(
    scene: Scene, tmp_path: Path, issuer: IssuerId, case: str, verdict: str
) -> None:
    assert by_given_list(scene, tmp_path, issuer, "good", case) == verdict


@expected("Lists", "openssl verify: card-lost")
def test_a_revoked_certificate_by_a_given_list(
    scene: Scene, tmp_path: Path, issuer: IssuerId, case: str, verdict: str
) -> None:
    assert by_given_list(scene, tmp_path, issuer, "card-lost", case) == verdict


def by_given_list(scene: Scene, folder: Path, issuer: IssuerId, fate: str, name: str) -> str:
    (folder / "list").write_bytes(LISTS[name](scene, issuer))
    given = ("-crl_check", "-CRLfile", folder / "list")
    return openssl_verify(scene.path(issuer, fate), *given, "-CAfile", scene.anchor(issuer))


@EVERY_ISSUER
def test_the_authoritys_own_list_is_found_too(scene: Scene, issuer: IssuerId) -> None:
    everything = ("-crl_check_all", "-crl_download")
    assert openssl_verify(scene.path(issuer, "good"), *everything, "-CAfile", scene.anchor(issuer)) == "OK"


@EVERY_ISSUER
@pytest.mark.parametrize(
    ("fate", "verdict"), [("good", "OK"), ("card-lost", "certificate revoked"), ("stopped", "certificate revoked")]
)
def test_generations_of_one_name_are_told_apart(
    scene: Scene, tmp_path: Path, issuer: IssuerId, fate: str, verdict: str
) -> None:
    """Both generations and an authority of the same name are trusted, and the lists of all are at hand."""
    anchors, lists = tmp_path / "anchors.pem", tmp_path / "lists"
    both = (other_generation(issuer), issuer)
    anchors.write_bytes(
        b"".join(path.read_bytes() for each in both for path in (scene.path(each, "namesake"), scene.anchor(each)))
    )
    arguments: list[str | Path] = ["-crl_check"]
    for number, name in enumerate(("the other generation's", "a namesake's", "another municipality's", "its own")):
        path = lists.with_suffix(f".{number}")
        path.write_bytes(LISTS[name](scene, issuer))
        arguments += ["-CRLfile", path]
    assert openssl_verify(scene.path(issuer, fate), *arguments, "-CAfile", anchors) == verdict


@EVERY_ISSUER
@pytest.mark.parametrize(
    ("fate", "trusted", "shown", "verdict"),
    [
        pytest.param("good", "other", None, "unable to get local issuer certificate", id="the-other-generation-alone"),
        pytest.param("good", "other", "own", "self-signed certificate in certificate chain", id="its-issuer-untrusted"),
        pytest.param("good", "namesake", None, "unable to get local issuer certificate", id="a-namesake-alone"),
        pytest.param("forged", "own", "namesake", "certificate signature failure", id="a-forgery-beside-its-maker"),
    ],
)
def test_who_is_trusted(
    scene: Scene, issuer: IssuerId, fate: str, trusted: str, shown: str | None, verdict: str
) -> None:
    paths = {
        "own": scene.anchor(issuer),
        "other": scene.anchor(other_generation(issuer)),
        "namesake": scene.path(issuer, "namesake"),
    }
    beside = ("-untrusted", paths[shown]) if shown else ()
    assert openssl_verify(scene.path(issuer, fate), *BY_LIST, "-CAfile", paths[trusted], *beside) == verdict


@pytest.mark.parametrize(
    ("issuer", "arguments", "verdict"),
    [
        pytest.param("signature-g1", ("-purpose", "smimesign"), "OK", id="a-signing-certificate-signs"),
        pytest.param(
            "authentication-g1", ("-purpose", "sslclient"), "OK", id="an-authentication-certificate-shows-a-client"
        ),
        pytest.param(
            "authentication-g2",
            ("-purpose", "sslserver"),
            "unsuitable certificate purpose",
            id="an-authentication-certificate-is-no-server's",
        ),
        pytest.param(
            "signature-g1", ("-explicit_policy", "-policy", "2.999.8.5.1.1.20"), "OK", id="the-signing-policy-is-met"
        ),
        pytest.param(
            "signature-g2",
            ("-explicit_policy", "-policy", "2.999.8.5.1.3.30"),
            "no explicit policy",
            id="the-other-policy-is-not",
        ),
    ],
)
def test_what_a_certificate_is_for(scene: Scene, issuer: str, arguments: tuple[str, ...], verdict: str) -> None:
    path = scene.path(issuer, "good")
    assert openssl_verify(path, *BY_LIST, *arguments, "-CAfile", scene.anchor(issuer)) == verdict
