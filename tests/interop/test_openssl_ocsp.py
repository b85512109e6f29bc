"""OpenSSL asks the responder, by every way it knows, and judges the answers."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

import pytest

from domain.certificates import IssuerId
from tests.interop.exhibits import ANSWERS, other_generation, question
from tests.interop.scene import Scene, fetch
from tests.interop.verdicts import expected
from tests.support.judges import openssl_ocsp, run

pytestmark = pytest.mark.interop

SIGNATURE, AUTHENTICATION = IssuerId("signature-g1"), IssuerId("authentication-g2")
UNAUTHORIZED = "Responder Error: unauthorized (6)"


def about(scene: Scene, issuer: IssuerId, *fates: str) -> list[str | Path]:
    """Arguments: certificates of an issuer, and that it is trusted."""
    anchor = scene.anchor(issuer)
    certificates = [argument for fate in fates for argument in ("-cert", scene.path(issuer, fate))]
    return ["-CAfile", anchor, "-issuer", anchor, *certificates]


def at(service: str, scene: Scene) -> tuple[str, str]:
    return ("-url", f"{getattr(scene, service).url}/ocsp")


def by_get(scene: Scene, request: bytes, *, escaped: bool = True) -> bytes:
    """The answer to a request in a path."""
    text = base64.b64encode(request).decode()
    return fetch(f"{scene.public.url}/ocsp/{quote(text, safe='') if escaped else text}")


@expected("Fates", "openssl ocsp")
def test_post_with_a_nonce(scene: Scene, issuer: IssuerId, case: str, verdict: str) -> None:
    assert openssl_ocsp(*at("public", scene), *about(scene, issuer, case)) == f"verified, {verdict}"


@expected("Fates", "openssl ocsp")
def test_get_of_a_request_that_openssl_made(
    scene: Scene, tmp_path: Path, issuer: IssuerId, case: str, verdict: str
) -> None:
    request, answer = tmp_path / "request", tmp_path / "answer"
    question = about(scene, issuer, case)
    run("openssl", "ocsp", *question, "-no_nonce", "-reqout", request)
    answer.write_bytes(by_get(scene, request.read_bytes()))
    assert openssl_ocsp("-respin", answer, *question, "-no_nonce") == f"verified, {verdict}"


@expected("Answers", "openssl ocsp")
def test_a_given_answer(scene: Scene, tmp_path: Path, issuer: IssuerId, case: str, verdict: str) -> None:
    fate, make = ANSWERS[case]
    (tmp_path / "answer").write_bytes(make(scene, issuer))
    assert openssl_ocsp("-respin", tmp_path / "answer", *about(scene, issuer, fate), "-no_nonce") == verdict


@pytest.mark.parametrize(
    ("arguments", "verdict"),
    [
        pytest.param(("-no_nonce",), "verified, good, revoked keyCompromise", id="without-a-nonce"),
        pytest.param(("-nonce",), "verified, good, revoked keyCompromise", id="with-a-nonce"),
        pytest.param(
            ("-serial", "0x1234", "-serial", str(1 << 126)),
            "verified, good, revoked keyCompromise, unknown, unknown",
            id="with-serials-that-nobody-has",
        ),
    ],
)
@pytest.mark.parametrize("hash_", ["-sha1", "-sha256", "-sha384", "-sha512"])
@pytest.mark.parametrize("issuer", [SIGNATURE, AUTHENTICATION])
def test_several_certificates_in_one_request(
    scene: Scene, issuer: IssuerId, hash_: str, arguments: tuple[str, ...], verdict: str
) -> None:
    # The hash counts for the certificates named after it.
    anchor, first, second = scene.anchor(issuer), scene.path(issuer, "good"), scene.path(issuer, "card-lost")
    named = ("-CAfile", anchor, "-issuer", anchor, hash_, "-cert", first, hash_, "-cert", second)
    hashed = [part for argument in arguments for part in ((hash_, argument) if argument == "-serial" else (argument,))]
    assert openssl_ocsp(*at("public", scene), *named, *hashed) == verdict


def test_as_many_certificates_as_are_allowed_and_one_more(scene: Scene) -> None:
    serials = [part for number in range(32) for part in ("-serial", str((1 << 126) + number))]
    asked = [*at("public", scene), *about(scene, SIGNATURE)]
    assert openssl_ocsp(*asked, *serials) == ", ".join(["verified", *["unknown"] * 32])
    assert openssl_ocsp(*asked, *serials, "-serial", "1") == "Responder Error: malformedrequest (1)"


def test_certificates_of_two_issuers_are_not_answered_in_one(scene: Scene) -> None:
    other = other_generation(SIGNATURE)
    second = ("-issuer", scene.anchor(other), "-cert", scene.path(other, "good"))
    answer = openssl_ocsp(*at("public", scene), *about(scene, SIGNATURE, "good"), *second)
    assert answer == UNAUTHORIZED


@pytest.mark.parametrize(
    ("issuer", "trusted", "verdict"),
    [
        pytest.param("signature-g2", "signature-g1", "not verified, unknown", id="the-other-generation-is-asked"),
        pytest.param("signature-g1", "signature-g2", "not verified, good", id="the-other-generation-is-trusted"),
        pytest.param("authentication-g1", "signature-g1", UNAUTHORIZED, id="the-other-authority-is-asked"),
        pytest.param("signature-g1.namesake", "signature-g1", UNAUTHORIZED, id="a-namesake-is-asked-for"),
    ],
)
def test_the_wrong_issuer(scene: Scene, issuer: str, trusted: str, verdict: str) -> None:
    question = ("-issuer", scene.anchor(issuer), "-cert", scene.path("signature-g1", "good"))
    assert openssl_ocsp(*at("public", scene), *question, "-CAfile", scene.anchor(trusted)) == verdict


def test_the_responder_may_be_known_before(scene: Scene, tmp_path: Path) -> None:
    """-VAfile takes the responder's certificate as it is; here it comes out of an earlier answer."""
    first, responder = tmp_path / "first", tmp_path / "responder.pem"
    openssl_ocsp(*at("public", scene), *about(scene, SIGNATURE, "good"), "-respout", first)
    printed = run("openssl", "ocsp", "-respin", first, "-noverify", "-resp_text")
    responder.write_text(printed[printed.index("-----BEGIN CERT") :])
    asked = ("-issuer", scene.anchor(SIGNATURE), "-cert", scene.path(SIGNATURE, "good"), "-VAfile", responder)
    assert openssl_ocsp(*at("public", scene), *asked) == "verified, good"


@pytest.mark.parametrize(
    ("asked", "answered", "words"),
    [
        pytest.param(b"n" * 32, b"n" * 32, "verified", id="the-nonce-comes-back"),
        pytest.param(b"n" * 32, b"m" * 32, "Nonce Verify error", id="another-nonce-is-noticed"),
        pytest.param(
            b"n" * 32, None, "WARNING: no nonce in response, verified", id="a-nonce-that-is-missing-is-noticed"
        ),
    ],
)
def test_nonces(scene: Scene, tmp_path: Path, asked: bytes, answered: bytes | None, words: str) -> None:
    request, answer = tmp_path / "request", tmp_path / "answer"
    request.write_bytes(question(scene, SIGNATURE, "good", asked))
    answer.write_bytes(by_get(scene, question(scene, SIGNATURE, "good", answered)))
    assert openssl_ocsp("-reqin", request, "-respin", answer, "-CAfile", scene.anchor(SIGNATURE)) == words


@pytest.mark.parametrize("escaped", [True, False], ids=["escaped", "raw"])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_get_with_and_without_escapes(scene: Scene, tmp_path: Path, algorithm: str, escaped: bool) -> None:
    answer = tmp_path / "answer"
    request = question(scene, AUTHENTICATION, "stopped", algorithm=algorithm)
    answer.write_bytes(by_get(scene, request, escaped=escaped))
    named = ("-issuer", scene.anchor(AUTHENTICATION), f"-{algorithm}", "-cert", scene.path(AUTHENTICATION, "stopped"))
    verdict = openssl_ocsp("-respin", answer, "-CAfile", scene.anchor(AUTHENTICATION), *named, "-no_nonce")
    assert verdict == "verified, revoked certificateHold"


@pytest.mark.parametrize(
    ("verifier", "issuer", "verdict"),
    [
        pytest.param(None, SIGNATURE, UNAUTHORIZED, id="nobody-is-told"),
        pytest.param("bank", SIGNATURE, "verified, good, revoked keyCompromise", id="a-verifier-of-both-asks-for-one"),
        pytest.param("bank", AUTHENTICATION, "verified, good, revoked keyCompromise", id="and-for-the-other"),
        pytest.param(
            "gym", AUTHENTICATION, "verified, good, revoked keyCompromise", id="a-verifier-of-one-asks-for-it"
        ),
        pytest.param("gym", SIGNATURE, UNAUTHORIZED, id="and-not-for-the-other"),
        pytest.param("kiyose", SIGNATURE, UNAUTHORIZED, id="a-municipality-is-no-verifier"),
        pytest.param("stranger", SIGNATURE, UNAUTHORIZED, id="another-authoritys-verifier-is-a-stranger"),
    ],
)
@pytest.mark.parametrize("nonce", ["-nonce", "-no_nonce"])
def test_signed_requests(scene: Scene, verifier: str | None, issuer: IssuerId, verdict: str, nonce: str) -> None:
    signed: tuple[str | Path, ...] = ()
    if verifier:
        folder = scene.credential(verifier)
        signed = ("-signer", folder / "client.pem", "-signkey", folder / "client.key")
    question = about(scene, issuer, "good", "card-lost")
    assert openssl_ocsp(*at("notified", scene), *question, *signed, nonce) == verdict
