"""Java (PKIX) judges everything in a few runs: with lists and OCSP as it comes, and by POST over mutual TLS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12

from domain.certificates import IssuerId
from tests.interop.exhibits import ANSWERS, LISTS, other_generation
from tests.interop.fates import ISSUERS
from tests.interop.scene import Scene, fetch
from tests.interop.verdicts import expected
from tests.support.judges import compile_java, java_verdicts

pytestmark = pytest.mark.interop

Case = dict[str, str | Path]

TOLD = {"qualifiers": "accepted"}
"""Policies of the real profile are critical and qualified, which Java takes only when told that it may."""

EVERY_ISSUER = pytest.mark.parametrize("issuer", ISSUERS)


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_java(tmp_path_factory.mktemp("java"))


@pytest.fixture(scope="module")
def verdicts(scene: Scene, classes: Path) -> dict[str, str]:
    return java_verdicts(classes, _cases(scene))


def make_case(scene: Scene, issuer: IssuerId, fate: str, **words: str | Path) -> Case:
    return {"certificate": scene.path(issuer, fate), "anchors": scene.anchor(issuer), **words}


def _cases(scene: Scene) -> Iterator[Case]:
    for issuer, fate in scene.certificates:
        for by in ("list", "ocsp"):
            yield make_case(scene, issuer, fate, **TOLD, by=by, id=f"{issuer} {fate} by {by}")
    for issuer in ISSUERS:
        for name, make in LISTS.items():
            path = _put(scene.folder / f"{issuer} {name}.list", make(scene, issuer))
            for fate in ("good", "card-lost"):
                given: Case = {"by": "given-list", "list": path, "id": f"{issuer} {fate} by {name}"}
                yield make_case(scene, issuer, fate, **TOLD, **given)
        for name, (fate, make) in ANSWERS.items():
            path = _put(scene.folder / f"{issuer} {name}.answer", make(scene, issuer))
            given = {"by": "given-answer", "answer": path, "id": f"{issuer} by {name}"}
            yield make_case(scene, issuer, fate, **TOLD, **given)
        other, namesake = scene.anchor(other_generation(issuer)), scene.path(issuer, "namesake")
        for by in ("list", "ocsp"):
            for words, anchors in (
                ("all of the name", f"{other},{namesake},{scene.anchor(issuer)}"),
                ("all but the issuer", f"{other},{namesake}"),
            ):
                case = make_case(scene, issuer, "good", **TOLD, by=by, id=f"{issuer} by {by} under {words}")
                yield case | {"anchors": anchors}
            yield make_case(scene, issuer, "good", by=by, id=f"{issuer} good by {by}, untold")
    yield make_case(scene, ISSUERS[0], "general", by="ocsp", id="general, untold")


def _put(path: Path, octets: bytes) -> Path:
    path.write_bytes(octets)
    return path


@expected("Fates", "Java by list")
def test_by_the_list_that_the_certificate_names(
    verdicts: dict[str, str], issuer: IssuerId, case: str, verdict: str
) -> None:
    assert verdicts[f"{issuer} {case} by list"] == verdict


@expected("Fates", "Java by OCSP")
def test_by_ocsp_where_the_certificate_says(
    verdicts: dict[str, str], issuer: IssuerId, case: str, verdict: str
) -> None:
    assert verdicts[f"{issuer} {case} by ocsp"] == verdict


@expected("Lists", "Java: good")
def test_a_good_certificate_by_a_given_list(
    verdicts: dict[str, str], issuer: IssuerId, case: str, verdict: str
) -> None:
    assert verdicts[f"{issuer} good by {case}"] == verdict


@expected("Lists", "Java: card-lost")
def test_a_revoked_certificate_by_a_given_list(
    verdicts: dict[str, str], issuer: IssuerId, case: str, verdict: str
) -> None:
    assert verdicts[f"{issuer} card-lost by {case}"] == verdict


@expected("Answers", "Java")
def test_by_a_given_answer(verdicts: dict[str, str], issuer: IssuerId, case: str, verdict: str) -> None:
    assert verdicts[f"{issuer} by {case}"] == verdict


@EVERY_ISSUER
@pytest.mark.parametrize("by", ["list", "ocsp"])
def test_generations_of_one_name_are_told_apart(verdicts: dict[str, str], issuer: IssuerId, by: str) -> None:
    assert verdicts[f"{issuer} by {by} under all of the name"] == "valid"
    assert verdicts[f"{issuer} by {by} under all but the issuer"] == "NO_TRUST_ANCHOR"


@EVERY_ISSUER
@pytest.mark.parametrize("by", ["list", "ocsp"])
def test_critical_qualified_policies_must_be_allowed(verdicts: dict[str, str], issuer: IssuerId, by: str) -> None:
    assert verdicts[f"{issuer} good by {by}, untold"] == "INVALID_POLICY"


def test_the_general_profile_needs_no_telling(verdicts: dict[str, str]) -> None:
    assert verdicts["general, untold"] == "valid"


BY_POST = ("-Djdk.security.certpath.ocspNonce=true", "-Dcom.sun.security.ocsp.useget=false")


@pytest.mark.parametrize(
    ("options", "door"),
    [
        pytest.param((), 'method="GET",route="/ocsp/<rest:encoded>"', id="by-get-as-it-comes"),
        pytest.param(BY_POST, 'method="POST",route="/ocsp"', id="by-post-with-a-nonce"),
    ],
)
def test_the_door_it_comes_through(scene: Scene, classes: Path, options: tuple[str, ...], door: str) -> None:
    def came() -> float:
        """When the event loop has passed on what it counted, which it does a few times a second."""
        found = [-1.0]
        while len(found) < 3 or found[-1] != found[-2]:
            counts = re.findall(rf"^jpki_http_requests_total{{{re.escape(door)},.*}} (.*)$", metrics(), re.MULTILINE)
            found.append(sum(map(float, counts)))
            Event().wait(0.6)
        return found[-1]

    def metrics() -> str:
        return fetch(f"{scene.public.url}/metrics").decode()

    before = came()
    cases = [make_case(scene, issuer, "stopped", **TOLD, by="ocsp", id=issuer) for issuer in ISSUERS]
    assert set(java_verdicts(classes, cases, *options).values()) == {"REVOKED CERTIFICATE_HOLD"}
    assert came() == before + len(ISSUERS)


PASSWORD = b"for tests"


@pytest.fixture(scope="module")
def mutual(scene: Scene, classes: Path) -> dict[str, str]:
    """What Java says when it asks over mutual TLS, by POST and with a nonce: as the bank, and as nobody."""
    folder, stores = scene.credential("bank"), [classes / "client.p12", classes / "authority.p12"]
    key = load_pem_private_key((folder / "client.key").read_bytes(), None)
    client, authority = (
        x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes()) for name in ("client", "authority")
    )
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    protection = BestAvailableEncryption(PASSWORD)
    stores[0].write_bytes(pkcs12.serialize_key_and_certificates(b"bank", key, client, [authority], protection))
    trusted = pkcs12.PKCS12Certificate(authority, b"transport")
    stores[1].write_bytes(pkcs12.serialize_java_truststore([trusted], protection))
    options = [f"-Djavax.net.ssl.trustStore={stores[1]}", f"-Djavax.net.ssl.trustStorePassword={PASSWORD.decode()}"]
    shown = [f"-Djavax.net.ssl.keyStore={stores[0]}", f"-Djavax.net.ssl.keyStorePassword={PASSWORD.decode()}"]

    def cases(who: str) -> Iterator[Case]:
        for issuer, fate in scene.certificates:
            words = {"by": "ocsp", "from": f"{scene.api.url}/ocsp", "id": f"{issuer} {fate} {who}"}
            yield make_case(scene, issuer, fate, **TOLD, **words)

    return {
        **java_verdicts(classes, cases("bank"), *BY_POST, *options, *shown),
        **java_verdicts(classes, cases("nobody"), *BY_POST, *options),
    }


@expected("Fates", "Java by OCSP")
def test_a_verifier_over_mutual_tls(mutual: dict[str, str], issuer: IssuerId, case: str, verdict: str) -> None:
    assert mutual[f"{issuer} {case} bank"] == verdict


@EVERY_ISSUER
@pytest.mark.parametrize("fate", ["good", "card-lost"])
def test_nobody_learns_anything(mutual: dict[str, str], issuer: IssuerId, fate: str) -> None:
    assert mutual[f"{issuer} {fate} nobody"] == "UNSPECIFIED"
