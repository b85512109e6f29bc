"""pkilint looks at everything that is served; what it may find stands, with reasons, in `pkilint_expected.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from domain.certificates import IssuerId
from domain.people import MunicipalityCode
from tests.interop.exhibits import ANSWERS, ask, other_generation, question, send
from tests.interop.fates import ISSUERS
from tests.interop.scene import Scene, fetch
from tests.support.authority import KIYOSE
from tests.support.linters import lint_answer, lint_certificate, lint_chain, lint_list
from tests.support.residents import HINO
from tests.support.responder import make_cert_id, make_ocsp_request

pytestmark = pytest.mark.interop

EXPECTED = tomllib.loads(Path(__file__).with_name("pkilint_expected.toml").read_text("utf-8"))["finding"]
PLACES = {
    *("issuers", "responders", "signature", "authentication", "lists", "answers"),
    *("chain to responders", "chain to signature", "chain to authentication"),
}
EVERY_ISSUER = pytest.mark.parametrize("issuer", ISSUERS)


def expected_in(place: str) -> set[str]:
    assert place in PLACES
    return {row["code"] for row in EXPECTED if place in row["in"]}


def issuer_certificate(scene: Scene, issuer: IssuerId) -> bytes:
    return fetch(f"{scene.public.url}/ca/{issuer}.cer")


def responder_certificate(scene: Scene, issuer: IssuerId) -> bytes:
    (certificate,) = ocsp.load_der_ocsp_response(ask(scene, issuer, "good")).certificates
    return certificate.public_bytes(Encoding.DER)


@EVERY_ISSUER
def test_the_issuers_certificate(scene: Scene, issuer: IssuerId) -> None:
    assert lint_certificate(issuer_certificate(scene, issuer)) == expected_in("issuers")


@EVERY_ISSUER
def test_the_responders_certificate(scene: Scene, issuer: IssuerId) -> None:
    certificate = responder_certificate(scene, issuer)
    assert lint_certificate(certificate) == expected_in("responders")
    assert lint_chain(issuer_certificate(scene, issuer), certificate) == expected_in("chain to responders")


GENUINE = [
    pytest.param(issuer, fate, id=f"{issuer}-{fate}")
    for issuer in ISSUERS
    for fate in ("good", "general", "card-lost", "holder-moved", "stopped", "expired")
    if fate != "general" or issuer == ISSUERS[0]
]


@pytest.mark.parametrize(("issuer", "fate"), GENUINE)
def test_a_holders_certificate(scene: Scene, issuer: IssuerId, fate: str) -> None:
    certificate, kind = scene.certificates[issuer, fate], issuer.partition("-")[0]
    assert lint_certificate(certificate) == expected_in(kind)
    assert lint_chain(issuer_certificate(scene, issuer), certificate) == expected_in(f"chain to {kind}")


@EVERY_ISSUER
@pytest.mark.parametrize(
    "municipality", [KIYOSE.code, HINO, None], ids=["with-entries", "empty", "of-the-authoritys-certificates"]
)
def test_a_list(scene: Scene, issuer: IssuerId, municipality: MunicipalityCode | None) -> None:
    assert lint_list(scene.list_of(issuer, municipality)) == expected_in("lists")


@EVERY_ISSUER
@pytest.mark.parametrize("fate", ["good", "card-lost", "holder-moved", "stopped", "expired", "unrecorded"])
def test_an_answer(scene: Scene, issuer: IssuerId, fate: str) -> None:
    assert lint_answer(ask(scene, issuer, fate)) == expected_in("answers")


@EVERY_ISSUER
def test_answers_to_rarer_questions(scene: Scene, issuer: IssuerId) -> None:
    serials = [scene.serial(issuer, fate) for fate in ("good", "card-lost", "unrecorded")]
    several = make_ocsp_request(*(make_cert_id(serial, scene.services.issuers[issuer]) for serial in serials))
    for request in (
        question(scene, issuer, "good", nonce=bytes(range(32))),
        question(scene, issuer, "card-lost", algorithm="sha256"),
        several,
    ):
        assert lint_answer(send(scene.public, request)) == expected_in("answers")
    assert lint_answer(send(scene.notified, several)) == expected_in("answers")
    assert lint_answer(ANSWERS["never issued, so revoked"][1](scene, issuer)) == expected_in("answers")


def test_every_finding_has_a_reason_and_a_place() -> None:
    assert all(row["reason"] and row["in"] and set(row["in"]) <= PLACES for row in EXPECTED)


def test_the_linters_would_find_something(scene: Scene) -> None:
    issuer = ISSUERS[0]
    certificate = issuer_certificate(scene, issuer)
    assert "pkix.authority_key_id_extension_missing" in lint_chain(certificate, certificate)
    other = issuer_certificate(scene, other_generation(issuer))
    assert lint_chain(other, responder_certificate(scene, issuer)) != expected_in("chain to responders")
