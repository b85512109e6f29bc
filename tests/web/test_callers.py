"""Callers are known by the certificate of the connection, asked for anew on every request, and by nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask, request

from domain.errors import Code, Refusal
from domain.parties import Credential, Party, Role, Usage
from policies.admission import Requestor
from web.callers import Callers, peer_certificate
from web.environ import PARTY

NOW = datetime(2027, 4, 1, tzinfo=UTC)
CERTIFICATE = b"a certificate"
KIYOSE = Party(1, Role.MUNICIPALITY, "kiyose")
CREDENTIAL = Credential(hashlib.sha256(CERTIFICATE).digest(), Usage.TLS, KIYOSE, NOW + timedelta(days=1))


def callers(*credentials: Credential, certificate: bytes | None = CERTIFICATE) -> Callers:
    known = {credential.fingerprint: credential for credential in credentials}
    return Callers(known.get, lambda: NOW, lambda _environ: certificate)


def test_a_registered_caller_is_known_and_noted_for_the_log() -> None:
    with Flask("test").test_request_context():
        assert callers(CREDENTIAL).party(Role.MUNICIPALITY) == KIYOSE
        assert request.environ[PARTY] == "municipality:kiyose"


def test_any_of_several_roles_will_do() -> None:
    with Flask("test").test_request_context():
        assert callers(CREDENTIAL).party(Role.OPERATOR, Role.MUNICIPALITY) == KIYOSE


@pytest.mark.parametrize(
    ("found", "code"),
    [
        pytest.param(callers(CREDENTIAL, certificate=None), Code.UNKNOWN_CALLER, id="without-certificate"),
        pytest.param(callers(CREDENTIAL, certificate=b""), Code.UNKNOWN_CALLER, id="with-nothing-for-a-certificate"),
        pytest.param(callers(), Code.UNKNOWN_CALLER, id="not-registered"),
        pytest.param(callers(CREDENTIAL, certificate=b"another"), Code.UNKNOWN_CALLER, id="with-another-certificate"),
        pytest.param(callers(replace(CREDENTIAL, withdrawn_at=NOW)), Code.UNKNOWN_CALLER, id="withdrawn"),
        pytest.param(
            callers(replace(CREDENTIAL, usage=Usage.OCSP_REQUEST)),
            Code.UNKNOWN_CALLER,
            id="registered-to-sign-requests",
        ),
        pytest.param(
            callers(replace(CREDENTIAL, not_after=NOW - timedelta(seconds=1))), Code.UNKNOWN_CALLER, id="expired"
        ),
        pytest.param(
            callers(replace(CREDENTIAL, party=replace(KIYOSE, suspended_at=NOW))), Code.NOT_ADMITTED, id="suspended"
        ),
        pytest.param(
            callers(replace(CREDENTIAL, party=replace(KIYOSE, in_force_until=NOW - timedelta(days=1)))),
            Code.NOT_ADMITTED,
            id="out-of-force",
        ),
        pytest.param(
            callers(replace(CREDENTIAL, party=replace(KIYOSE, role=Role.VERIFIER))),
            Code.NOT_ADMITTED,
            id="another-role",
        ),
    ],
)
def test_anybody_else_is_refused(found: Callers, code: Code) -> None:
    with Flask("test").test_request_context(), pytest.raises(Refusal) as refused:
        found.party(Role.MUNICIPALITY, Role.REGISTER)
    assert refused.value.code is code
    assert "kiyose" not in refused.value.detail


def test_the_last_second_of_a_certificate_counts() -> None:
    assert callers(replace(CREDENTIAL, not_after=NOW)).known({}) == Requestor(KIYOSE)


def test_status_is_asked_for_with_the_party_even_when_it_is_suspended() -> None:
    suspended = replace(KIYOSE, suspended_at=NOW)
    assert callers(replace(CREDENTIAL, party=suspended)).known({}) == Requestor(suspended)
    assert callers().known({}) is None
    assert callers(certificate=None).known({}) is None


def test_purpose_and_provider_are_said_in_headers() -> None:
    environ = {"HTTP_JPKI_PURPOSE": "log-in", "HTTP_JPKI_PROVIDER": "%E3%81%8A%E5%BA%97"}
    found = callers(replace(CREDENTIAL, purpose="contract"))
    assert found.known(environ) == Requestor(KIYOSE, None, "log-in", "お店", "contract")
    assert found.known({}) == Requestor(KIYOSE, bound="contract")


def test_who_calls_is_the_same_object_until_something_changes() -> None:
    credentials = [CREDENTIAL, CREDENTIAL, replace(CREDENTIAL, purpose="contract")]
    following = iter(credentials)
    found = Callers(lambda _: next(following), lambda: NOW, lambda _: CERTIFICATE)
    first, second, third = (found.known({}) for _ in credentials)
    assert first is second
    assert third == Requestor(KIYOSE, bound="contract")


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-Client-Cert", "X-SSL-Client-Cert", "X-SSL-Client-Verify", "Client-Cert", "SSL-Client-Cert"],
)
def test_headers_name_nobody(header: str) -> None:
    with Flask("test").test_request_context(headers={header: CERTIFICATE.decode()}):
        assert peer_certificate(request.environ) is None


def test_a_plain_connection_shows_no_certificate() -> None:
    assert peer_certificate({"gunicorn.socket": object()}) is None
    assert peer_certificate({}) is None
