"""What `jpki-verify` says of every fate, against the services as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.certificates import IssuerId
from jpki_verify import Code, Kind, Rejected, Verifier
from tests.interop.fates import ISSUERS
from tests.interop.scene import Scene
from tests.support.operator import card_signs, write_settings
from tests.support.requests import holder_key

pytestmark = [pytest.mark.interop, pytest.mark.slow]

Operate = Callable[..., Verifier]


@pytest.fixture
def operate(scene: Scene, tmp_path: Path) -> Operate:
    """An operator with the bank's credential, which asks the service that answers verifiers only."""

    def made(**changes: Any) -> Verifier:
        addresses = {"ocsp": f"{scene.notified.url}/ocsp", "lists": f"{scene.notified.url}/crl"}
        changes["status"] = {**addresses, **changes.get("status", {})}
        changes["handles"] = {"url": f"{scene.api.url}/v1/handles", **changes.get("handles", {})}
        credential = changes.pop("credential", scene.credential("bank"))
        issuers = [scene.services.issuers[issuer] for issuer in ISSUERS]
        folder = tmp_path / f"operator-{len(list(tmp_path.iterdir()))}"
        return Verifier.open(write_settings(folder, issuers, credential, **changes))

    return made


def kind_of(issuer: IssuerId) -> Kind:
    return Kind(issuer.partition("-")[0])


def said(verifier: Verifier, certificate: bytes, kind: Kind) -> str:
    """Who said that it is good, or the code of the refusal."""
    try:
        return f"good by {verifier.check_certificate(certificate, kind).source}"
    except Rejected as rejected:
        return rejected.code.value


FATES = {
    "good": "good",
    "card-lost": "revoked",
    "stopped": "held",
    "expired": "expired",
    "unrecorded": "never-issued",
    "forged": "unknown-issuer",
    "altered": "unknown-issuer",
}


@pytest.mark.parametrize("issuer", ISSUERS)
@pytest.mark.parametrize("source", ["ocsp", "lists"])
def test_every_fate_by_each_source(scene: Scene, operate: Operate, issuer: IssuerId, source: str) -> None:
    verifier = operate(status={"sources": [source]})
    found = {fate: said(verifier, scene.certificates[issuer, fate], kind_of(issuer)) for fate in FATES}
    wanted = {fate: f"good by {source}" if word == "good" else word for fate, word in FATES.items()}
    assert found == wanted


@pytest.mark.parametrize("issuer", ISSUERS)
def test_who_moved_may_log_in_and_not_sign(scene: Scene, operate: Operate, issuer: IssuerId) -> None:
    wanted = "revoked" if kind_of(issuer) is Kind.SIGNATURE else "good by ocsp"
    assert said(operate(), scene.certificates[issuer, "holder-moved"], kind_of(issuer)) == wanted


@pytest.mark.parametrize("issuer", ISSUERS)
def test_a_certificate_of_the_other_kind_is_refused(scene: Scene, operate: Operate, issuer: IssuerId) -> None:
    other = next(kind for kind in Kind if kind is not kind_of(issuer))
    assert said(operate(), scene.certificates[issuer, "good"], other) == "wrong-kind"


def test_policies_that_are_not_critical_are_policies_too(scene: Scene, operate: Operate) -> None:
    certificate = scene.certificates[IssuerId("signature-g1"), "general"]
    assert said(operate(), certificate, Kind.SIGNATURE) == "good by ocsp"


@pytest.mark.parametrize(
    ("credential", "issuer", "wanted"),
    [
        pytest.param("gym", "authentication-g1", "good by ocsp", id="what-it-notified"),
        pytest.param("gym", "signature-g1", "not-admitted", id="a-kind-it-did-not-notify"),
        pytest.param("stranger", "authentication-g1", "not-admitted", id="a-stranger"),
    ],
)
def test_who_is_not_admitted_hears_so_and_no_list_is_asked_instead(
    scene: Scene, operate: Operate, credential: str, issuer: str, wanted: str
) -> None:
    verifier = operate(credential=scene.credential(credential))
    found = said(verifier, scene.certificates[IssuerId(issuer), "good"], kind_of(IssuerId(issuer)))
    assert found == wanted


@pytest.mark.parametrize("source", ["ocsp", "lists"])
@pytest.mark.parametrize(
    ("declared", "wanted"),
    [
        pytest.param({"authentication": "log-in"}, "good", id="the-purpose-that-was-approved"),
        pytest.param({"signature": "filing"}, "good", id="nothing-for-this-kind-and-there-is-but-one"),
        pytest.param({"authentication": "counter-service"}, "not-admitted", id="a-purpose-that-was-not-approved"),
        pytest.param({"authentication": "log-in", "provider": "shop"}, "not-admitted", id="an-unknown-provider"),
    ],
)
def test_what_is_declared_is_what_was_approved(
    scene: Scene, operate: Operate, source: str, declared: dict[str, str], wanted: str
) -> None:
    verifier = operate(declared=declared, status={"sources": [source], "lists": f"{scene.api.url}/crl"})
    found = said(verifier, scene.certificates[ISSUERS[1], "good"], Kind.AUTHENTICATION)
    assert found == (f"good by {source}" if wanted == "good" else wanted)


def test_status_and_lists_over_mutual_tls(scene: Scene, operate: Operate) -> None:
    addresses = {"ocsp": f"{scene.api.url}/ocsp", "lists": f"{scene.api.url}/crl"}
    for source in ("ocsp", "lists"):
        verifier = operate(status={**addresses, "sources": [source]})
        for issuer in ISSUERS:
            found = said(verifier, scene.certificates[issuer, "good"], kind_of(issuer))
            assert found == f"good by {source}"


def test_lists_stand_in_while_the_responder_is_away(scene: Scene, operate: Operate) -> None:
    verifier = operate(status={"ocsp": "http://127.0.0.1:9/ocsp"})
    confirmed = verifier.check_certificate(scene.certificates[IssuerId("signature-g2"), "good"], Kind.SIGNATURE)
    assert confirmed.source == "lists"
    assert [(name, reason.value) for name, reason in confirmed.passed_over] == [("ocsp", "unreachable")]


@pytest.mark.parametrize(("generation", "key"), [("g1", "rsa"), ("g2", "ec")])
def test_logging_in_with_a_card(scene: Scene, operate: Operate, generation: str, key: str) -> None:
    verifier = operate()
    certificate = scene.certificates[IssuerId(f"authentication-{generation}"), "good"]
    card = holder_key(key, 1)
    challenges = [verifier.new_challenge() for _ in range(2)]
    signed = [(challenge, certificate, card_signs(card, challenge.encode())) for challenge in challenges]
    first, second = (verifier.log_in(*one) for one in signed)
    assert first.handle == second.handle
    with pytest.raises(Rejected) as caught:
        verifier.log_in(*signed[0])
    assert caught.value.code is Code.WRONG_CHALLENGE
