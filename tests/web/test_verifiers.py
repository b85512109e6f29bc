"""The doors of the register and of proposals, with officers and verifiers that show certificates of their own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from domain.parties import Credential, Usage
from domain.ports import Begin
from tests.support.authority import NOW
from tests.support.doors import Acts, assert_described, make_api_parts
from tests.support.memory import MemoryStore
from tests.support.officers import AOI, KEN, Officer, make_board, register
from tests.support.requests import make_request
from tests.support.verifiers import make_desk, make_register
from tests.verifiers.certificates import LIFE, NOT_BEFORE, make_credential_certificate
from web.api import create_api
from web.proposals import parts_of

SPARE = Officer("aoi", "spare")
REQUEST = base64.b64encode(make_request("rsa")).decode()
SHOP = {"name": "shop", "standing": "accredited-private", "purposes": {"signature": ["contract"]}}


class Client:
    """Calls with a certificate (DER); each answer is held to the description."""

    def __init__(self, begin: Begin) -> None:
        parts = replace(
            make_api_parts(Acts()),
            credential_of=make_register(begin).credential,
            proposals=parts_of(make_board(begin, *_acts())),
            verifiers=make_desk(begin),
        )
        self.app = create_api(parts, _shown)

    def __call__(self, certificate: bytes, method: str, path: str, body: object = None) -> TestResponse:
        overrides = {"test.certificate": certificate}
        response = self.app.test_client().open(path, method=method, json=body, environ_overrides=overrides)
        assert_described(method, path, response)
        return response

    def do(self, certificate: bytes, method: str, path: str, body: object = None) -> dict[str, Any]:
        response = self(certificate, method, path, body)
        assert response.status_code in (200, 201), response.data
        found: dict[str, Any] = response.json or {}
        return found

    def agree(self, kind: str, content: Mapping[str, Any]) -> None:
        """Proposed by aoi, confirmed by ken."""
        body = {"kind": kind, "content": dict(content), "reason": "it is due"}
        made = self.do(AOI.certificate, "POST", "/v1/proposals", body)
        path, digest = f"/v1/proposals/{made['id']}/confirmation", {"digest": made["digest"]}
        for alone in (AOI, SPARE):
            refused = self(alone.certificate, "POST", path, digest)
            assert (refused.status_code, (refused.json or {})["code"]) == (403, "second-officer")
        assert self.do(KEN.certificate, "POST", path, digest)["decided_by"] == "operator:ken"
        assert self(KEN.certificate, "POST", path, digest).status_code == 409


def _acts() -> Any:
    from config.rules import load_verifiers
    from verifiers.approvals import approval_acts

    return approval_acts(load_verifiers())


def _shown(environ: Mapping[str, object]) -> bytes | None:
    certificate = environ["test.certificate"]
    assert isinstance(certificate, bytes)
    return certificate


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    register(store.begin, AOI, KEN, SPARE)
    return store


@pytest.fixture
def client(store: MemoryStore) -> Client:
    return Client(store.begin)


def equip(store: MemoryStore, name: str = "shop", purpose: str | None = None) -> bytes:
    """A certificate that speaks for the registered verifier, for any purpose or bound to one."""
    certificate = make_credential_certificate(f"{name} {purpose or 'first'}")
    with store.begin() as work:
        party = work.parties.find("verifier", name)
        assert party is not None
        fingerprint = hashlib.sha256(certificate).digest()
        work.parties.add_credential(
            Credential(fingerprint, Usage.TLS, party, NOT_BEFORE + LIFE, None, certificate, purpose), NOW
        )
        work.commit()
    return certificate


def approved(client: Client, store: MemoryStore) -> bytes:
    """The certificate of a shop that two officers approved over the API, and that notified itself."""
    file = client.do(AOI.certificate, "POST", "/v1/verifier-applications", SHOP)
    assert "accreditation" in file["missing"]
    assert client(AOI.certificate, "GET", "/v1/verifiers/shop/approval").status_code == 409
    for criterion in file["missing"]:
        body = {"criterion": criterion, "reference": "file 12"}
        file = client.do(KEN.certificate, "POST", "/v1/verifiers/shop/evidence", body)
    assert file["missing"] == []
    certificate = equip(store)
    client.agree("verifier-approval", client.do(AOI.certificate, "GET", "/v1/verifiers/shop/approval"))
    assert client.do(certificate, "GET", "/v1/verifier")["approvals"][0]["state"] == "approved"
    client.do(certificate, "POST", "/v1/verifier/notification", {"kinds": ["signature"]})
    return certificate


def test_a_verifier_is_approved_over_the_api(client: Client, store: MemoryStore) -> None:
    certificate = approved(client, store)
    (approval,) = client.do(certificate, "GET", "/v1/verifier")["approvals"]
    assert (approval["kind"], approval["purposes"], approval["state"]) == ("signature", ["contract"], "in-force")
    assert client.do(AOI.certificate, "GET", "/v1/verifiers") == {"verifiers": ["shop"]}
    shown = client.do(AOI.certificate, "GET", f"/v1/proposals/{approval['proposal']}")
    assert (shown["reason"], shown["decided_by"]) == ("it is due", "operator:ken")


def test_two_officers_suspend_resume_and_withdraw(client: Client, store: MemoryStore) -> None:
    certificate = approved(client, store)
    for kind, state in (
        ("verifier-suspension", "suspended"),
        ("verifier-resumption", "in-force"),
        ("verifier-withdrawal", "withdrawn"),
    ):
        client.agree(kind, {"verifier": "shop", "kinds": ["signature"]})
        assert client.do(certificate, "GET", "/v1/verifier")["approvals"][0]["state"] == state


def test_a_verifier_rotates_its_credential_with_an_overlap(client: Client, store: MemoryStore) -> None:
    first = approved(client, store)
    made = client.do(first, "POST", "/v1/verifier/credentials", {"request": REQUEST})
    second = base64.b64decode(made["certificate"])
    assert client.do(second, "GET", "/v1/verifier") == client.do(first, "GET", "/v1/verifier")
    client.do(second, "DELETE", f"/v1/verifier/credentials/{hashlib.sha256(first).hexdigest()}")
    assert client(first, "GET", "/v1/verifier").status_code == 401
    usable = [row["usable"] for row in client.do(second, "GET", "/v1/verifier")["credentials"]]
    assert sorted(usable) == [False, True]
    again = client(second, "DELETE", f"/v1/verifier/credentials/{hashlib.sha256(first).hexdigest()}")
    assert again.status_code == 409


def test_what_follows_a_credential_that_is_bound_to_a_purpose_is_bound_to_it_too(
    client: Client, store: MemoryStore
) -> None:
    approved(client, store)
    bound = equip(store, purpose="contract")
    made = client.do(bound, "POST", "/v1/verifier/credentials", {"request": REQUEST})
    rows = {row["fingerprint"]: row["purpose"] for row in client.do(bound, "GET", "/v1/verifier")["credentials"]}
    assert rows[made["fingerprint"]] == "contract"


@pytest.mark.parametrize(
    "fingerprint", ["00" * 32, "xx", AOI.fingerprint.hex()], ids=["nobody's", "no hex", "another's"]
)
def test_it_ends_no_credential_but_its_own(fingerprint: str, client: Client, store: MemoryStore) -> None:
    certificate = approved(client, store)
    assert client(certificate, "DELETE", f"/v1/verifier/credentials/{fingerprint}").status_code == 404
    assert client(AOI.certificate, "GET", "/v1/proposals").status_code == 200


def test_a_verifier_without_an_approval_gets_no_successor(client: Client, store: MemoryStore) -> None:
    client.do(AOI.certificate, "POST", "/v1/verifier-applications", SHOP)
    certificate = equip(store)
    assert client(certificate, "POST", "/v1/verifier/credentials", {"request": REQUEST}).status_code == 403
    assert client(certificate, "POST", "/v1/verifier/notification", {"kinds": ["signature"]}).status_code == 409


def test_a_verifier_applies_for_itself_alone(client: Client, store: MemoryStore) -> None:
    certificate = approved(client, store)
    more = {**SHOP, "purposes": {"authentication": ["log-in"]}}
    assert client.do(certificate, "POST", "/v1/verifier-applications", more)["applications"][1]["proposal"] is None
    assert client(certificate, "POST", "/v1/verifier-applications", {**more, "name": "other"}).status_code == 403
    for path in ("/v1/verifiers", "/v1/verifiers/shop", "/v1/verifiers/shop/approval", "/v1/proposals"):
        assert client(certificate, "GET", path).status_code == 403
    body: dict[str, Any] = {"criterion": "staff", "reference": "me"}
    assert client(certificate, "POST", "/v1/verifiers/shop/evidence", body).status_code == 403
    body = {"kind": "verifier-suspension", "content": {"verifier": "other", "kinds": ["signature"]}, "reason": "rivals"}
    assert client(certificate, "POST", "/v1/proposals", body).status_code == 403
    assert client(AOI.certificate, "GET", "/v1/verifier").status_code == 403


def test_proposals_are_listed_and_dismissed(client: Client) -> None:
    content = {"name": "rin", "certificate": base64.b64encode(Officer("rin").certificate).decode()}
    body = {"kind": "officer", "content": content, "reason": "she joins us"}
    made = client.do(AOI.certificate, "POST", "/v1/proposals", body)
    assert [row["id"] for row in client.do(KEN.certificate, "GET", "/v1/proposals")["proposals"]] == [made["id"]]
    wrong = {"digest": "00" * 32, "reason": "no"}
    assert client(KEN.certificate, "POST", f"/v1/proposals/{made['id']}/dismissal", wrong).status_code == 422
    client.do(KEN.certificate, "POST", f"/v1/proposals/{made['id']}/dismissal", {**wrong, "digest": made["digest"]})
    assert client.do(KEN.certificate, "GET", "/v1/proposals") == {"proposals": []}
    (row,) = client.do(KEN.certificate, "GET", "/v1/proposals?all=true")["proposals"]
    assert row["state"] == "dismissed"
    assert client(KEN.certificate, "GET", "/v1/proposals/none").status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param(
            "/v1/proposals", {"kind": "officer", "content": [], "reason": "x"}, id="content that is no object"
        ),
        pytest.param("/v1/proposals", {"kind": "officer", "content": {}, "reason": ""}, id="no reason"),
        pytest.param("/v1/verifier-applications", {**SHOP, "standing": "shop"}, id="no standing"),
        pytest.param("/v1/verifier-applications", {**SHOP, "purposes": {}}, id="no purpose"),
        pytest.param(
            "/v1/verifier-applications", {**SHOP, "purposes": {"signature": ["log-in"]}}, id="a wrong purpose"
        ),
        pytest.param("/v1/verifier-applications", {**SHOP, "through": "nobody"}, id="through somebody"),
        pytest.param(
            "/v1/verifier-applications", {**SHOP, "standing": "service-provider"}, id="a provider through nobody"
        ),
        pytest.param(
            "/v1/verifier-applications",
            {**SHOP, "standing": "group-verifier", "purposes": {"authentication": ["log-in"]}},
            id="a group verifier of authentication certificates",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(path: str, body: dict[str, Any], client: Client) -> None:
    assert client(AOI.certificate, "POST", path, body).status_code == 400
