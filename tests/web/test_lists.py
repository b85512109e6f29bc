"""The doors for lists and issuer certificates: only known names, true validators, ranges, and honest lifetimes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.http import http_date

from domain.certificates import Kind
from domain.der import DerError
from domain.errors import Code, Refusal
from domain.lists import Scope
from domain.provisions import Channel, Provision, Record
from policies.admission import Requestor
from policies.ocsp import Access
from tests.support.authority import KIYOSE, TurnedClock
from tests.support.lists import G1, ISSUERS, NOW, SCOPE, make_list, make_revocation
from tests.support.memory import MemoryStore
from tests.support.verifiers import make_gate, make_register, make_verifier
from verifiers.admit import status_admission
from web.editions import Editions, update_times
from web.lists import LIST_AGE, ListParts, lists_blueprint
from web.metrics import Meter
from web.shell import make_shell

PATH = f"/crl/{SCOPE.path}"
LIST = make_list([make_revocation("a"), make_revocation("b")])
NEXT_UPDATE = x509.load_der_x509_crl(LIST).next_update_utc


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


BANK = make_verifier("bank", id_=7)


@pytest.fixture
def told() -> list[Provision]:
    return []


@pytest.fixture
def app(tmp_path: Path, clock: TurnedClock, told: list[Provision]) -> Flask:
    put(tmp_path, SCOPE, LIST)
    (tmp_path / "secret.crl").write_bytes(LIST)
    app = make_shell(bytes, Meter())
    app.register_blueprint(lists_blueprint(make_parts(tmp_path, clock, told.append), lambda _: Requestor(BANK)))
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def make_parts(directory: Path, clock: TurnedClock, record: Record) -> ListParts:
    """As for notified verifiers alone."""
    register = make_register(MemoryStore().begin)
    return ListParts(
        directory, ISSUERS, status_admission(register, "notified-verifiers", Channel.CRL, make_gate()), record, clock
    )


def app_for(directory: Path, clock: TurnedClock, who: Requestor | None, access: Access = "notified-verifiers") -> Flask:
    put(directory, SCOPE, LIST)
    app, parts = make_shell(bytes, Meter()), make_parts(directory, clock, lambda _: None)
    admit = status_admission(make_register(MemoryStore().begin), access, Channel.CRL, make_gate())
    app.register_blueprint(lists_blueprint(replace(parts, admit=admit), lambda _: who))
    return app


@pytest.mark.parametrize(
    ("who", "status", "rule"),
    [
        pytest.param(None, 401, "caller-unknown", id="nobody"),
        pytest.param(Requestor(make_verifier("bank", approvals=())), 403, "signature-not-approved", id="not approved"),
        pytest.param(Requestor(BANK, purpose="log-in"), 403, "purpose-not-approved", id="another purpose"),
        pytest.param(
            Requestor(make_verifier("gym", Kind.AUTHENTICATION)), 403, "signature-not-approved", id="another kind"
        ),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [{}, {"If-None-Match": "*"}], ids=["plain", "conditional"])
def test_a_list_is_for_approved_verifiers(
    who: Requestor | None,
    status: int,
    rule: str,
    method: str,
    headers: dict[str, str],
    tmp_path: Path,
    clock: TurnedClock,
) -> None:
    client = app_for(tmp_path, clock, who).test_client()
    response = client.open(PATH, method=method, headers=headers)
    assert response.status_code == status
    assert LIST not in response.data
    if method == "GET":
        assert response.json is not None
        assert response.json["facts"]["rule"] == rule
        assert "公的個人認証法" in response.json["facts"]["source"]
        assert client.get("/crl/signature-g1/99999.crl").status_code == status


@pytest.mark.parametrize(
    ("refusal", "status", "waits"),
    [
        (Refusal(Code.BUSY, "why", facts={"rule": "waits-for-decision"}), 503, True),
        (Refusal(Code.NOT_ADMITTED, "why", facts={"rule": "blocked-by-officers"}), 403, False),
    ],
    ids=["try later", "blocked"],
)
def test_what_alarms_say_is_heard_at_the_lists(
    refusal: Refusal, status: int, waits: bool, tmp_path: Path, clock: TurnedClock
) -> None:
    def restrain(*_: object) -> None:
        raise refusal

    put(tmp_path, SCOPE, LIST)
    app, parts = make_shell(bytes, Meter()), make_parts(tmp_path, clock, lambda _: None)
    register, gate = make_register(MemoryStore().begin), make_gate(restrain=restrain)
    parts = replace(parts, admit=status_admission(register, "notified-verifiers", Channel.CRL, gate))
    app.register_blueprint(lists_blueprint(parts, lambda _: Requestor(BANK)))
    response = app.test_client().get(PATH)
    assert (response.status_code, "Retry-After" in response.headers) == (status, waits)
    assert response.json is not None
    assert response.json["facts"] == refusal.facts


def test_lists_of_issuers_certificates_name_no_holder(tmp_path: Path, clock: TurnedClock) -> None:
    app = app_for(tmp_path, clock, None)
    put(tmp_path, replace(SCOPE, municipality=None), LIST)
    response = app.test_client().get("/crl/signature-g1/ca.crl")
    assert response.data == LIST
    assert response.headers["Cache-Control"].startswith("public")
    assert app.test_client().get("/ca/signature-g1.cer").status_code == 200


def test_where_lists_are_open_anybody_has_them(tmp_path: Path, clock: TurnedClock) -> None:
    response = app_for(tmp_path, clock, None, "open").test_client().get(PATH)
    assert response.data == LIST
    assert response.headers["Cache-Control"].startswith("public")


def put(directory: Path, scope: Scope, octets: bytes) -> None:
    """Swap a list in as the publisher does: written beside, then renamed."""
    path = directory / scope.path
    path.parent.mkdir(exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_bytes(octets)
    beside.rename(path)


def test_a_list_that_is_handed_over_is_put_on_record(
    client: FlaskClient, clock: TurnedClock, told: list[Provision]
) -> None:
    etag = client.get(PATH).headers["ETag"]
    client.get(PATH, headers={"Range": "bytes=0-9"})
    provision = Provision(
        clock.now,
        BANK,
        None,
        "contract",
        SCOPE.issuer,
        Channel.CRL,
        SCOPE.path[-9:-4].encode(),
        "list",
        hashlib.sha256(LIST).digest(),
    )
    assert told == [provision, provision]
    assert client.get(PATH, headers={"If-None-Match": etag}).status_code == 304
    assert client.head(PATH).status_code == 200
    assert client.get(PATH, headers={"Range": "bytes=99999999-"}).status_code == 416
    assert client.get("/ca/signature-g1.cer").status_code == 200
    assert len(told) == 2


def test_no_list_is_handed_over_that_cannot_be_put_on_record(tmp_path: Path, clock: TurnedClock) -> None:
    def refuse(provision: Provision) -> None:
        raise Refusal(Code.STORE_UNAVAILABLE, "no room")

    put(tmp_path, SCOPE, LIST)
    app = make_shell(bytes, Meter())
    app.register_blueprint(lists_blueprint(make_parts(tmp_path, clock, refuse), lambda _: Requestor(BANK)))
    response = app.test_client().get(PATH)
    assert response.status_code == 503
    assert LIST not in response.data


def test_a_list_comes_as_it_lies_there(client: FlaskClient) -> None:
    response = client.get(PATH)
    assert response.status_code == 200
    assert response.data == LIST
    assert response.content_type == "application/pkix-crl"
    assert response.content_length == len(LIST)
    assert response.get_etag() == (hashlib.sha256(LIST).hexdigest(), False)
    assert response.last_modified == x509.load_der_x509_crl(LIST).last_update_utc
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["Cache-Control"] == "private, max-age=300, no-transform"


def test_head_tells_the_same_without_the_list(client: FlaskClient) -> None:
    response = client.head(PATH)
    assert response.status_code == 200
    assert response.data == b""
    assert response.content_length == len(LIST)
    assert response.get_etag() == client.get(PATH).get_etag()


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param({"If-None-Match": f'"{hashlib.sha256(LIST).hexdigest()}"'}, id="by-validator"),
        pytest.param({"If-Modified-Since": http_date(NOW)}, id="by-time"),
    ],
)
def test_who_has_the_list_is_told_so(client: FlaskClient, condition: dict[str, str]) -> None:
    response = client.get(PATH, headers=condition)
    assert response.status_code == 304
    assert response.data == b""


def test_who_has_an_older_list_gets_the_new_one(client: FlaskClient) -> None:
    response = client.get(PATH, headers={"If-None-Match": '"0000"', "If-Modified-Since": http_date(NOW)})
    assert response.data == LIST


@pytest.mark.parametrize(
    ("range_", "part"),
    [
        pytest.param("bytes=0-9", LIST[:10], id="the-beginning"),
        pytest.param("bytes=100-", LIST[100:], id="the-rest"),
        pytest.param("bytes=-5", LIST[-5:], id="the-end"),
    ],
)
def test_a_broken_download_can_go_on(client: FlaskClient, range_: str, part: bytes) -> None:
    response = client.get(PATH, headers={"Range": range_})
    assert response.status_code == 206
    assert response.data == part
    assert response.content_range.length == len(LIST)


def test_a_range_of_another_list_gives_the_whole_one(client: FlaskClient) -> None:
    assert client.get(PATH, headers={"Range": "bytes=5-", "If-Range": '"0000"'}).data == LIST


def test_a_range_beyond_the_end_is_a_problem(client: FlaskClient) -> None:
    response = client.get(PATH, headers={"Range": f"bytes={len(LIST)}-"})
    assert response.status_code == 416
    assert response.content_type == "application/problem+json"
    assert response.headers["Content-Range"] == f"bytes */{len(LIST)}"


@pytest.mark.parametrize(
    "range_",
    [
        pytest.param("lines=0-9", id="in units that nobody knows"),
        pytest.param("bytes=0-1,4-5", id="several at once"),
        pytest.param("bytes=9-4000000000-", id="that are none"),
        pytest.param("bytes=", id="without an end"),
    ],
)
def test_other_ranges_are_ignored(client: FlaskClient, range_: str) -> None:
    response = client.get(PATH, headers={"Range": range_})
    assert (response.status_code, response.data) == (200, LIST)


def test_a_head_has_no_ranges(client: FlaskClient) -> None:
    response = client.head(PATH, headers={"Range": "bytes=0-9"})
    assert (response.status_code, response.content_length) == (200, len(LIST))


def test_a_new_list_is_seen_at_once(client: FlaskClient, tmp_path: Path) -> None:
    before = client.get(PATH)
    new = make_list([make_revocation("c")], number=8)
    put(tmp_path, SCOPE, new)
    after = client.get(PATH)
    assert after.data == new
    assert after.get_etag() != before.get_etag()


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        pytest.param(
            timedelta(hours=2), f"private, max-age={LIST_AGE.seconds}, no-transform", id="long-before-the-end"
        ),
        pytest.param(timedelta(seconds=90), "private, max-age=90, no-transform", id="near-the-end"),
        pytest.param(timedelta(), "no-cache", id="at-the-end"),
        pytest.param(timedelta(days=-3), "no-cache", id="after-the-end"),
    ],
)
def test_no_cache_keeps_a_list_past_its_next_update(
    client: FlaskClient, clock: TurnedClock, left: timedelta, expected: str
) -> None:
    assert NEXT_UPDATE is not None
    clock.now = NEXT_UPDATE - left
    assert client.get(PATH).headers["Cache-Control"] == expected


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/crl/signature-g1/01100.crl", id="a-municipality-without-a-list"),
        pytest.param("/crl/signature-g9/13221.crl", id="an-unknown-issuer"),
        pytest.param("/crl/../13221.crl", id="a-folder-up"),
        pytest.param("/crl/signature-g1/..%2fsecret.crl", id="an-escaped-slash"),
        pytest.param("/crl/signature-g1%2f..%2f/secret.crl", id="escaped-slashes"),
        pytest.param("/crl/./secret.crl", id="the-folder-itself"),
        pytest.param("/crl/signature-g1/.crl", id="no-name"),
        pytest.param("/crl/signature-g1/13221%00.crl", id="a-nul"),
        pytest.param("/crl/signature-g1/１３２２１.crl", id="full-width-digits"),
        pytest.param("/crl/signature-g1/13221.new", id="a-file-being-written"),
        pytest.param("/crl/signature-g1/", id="a-folder"),
        pytest.param("/ca/signature-g9.cer", id="an-unknown-issuers-certificate"),
        pytest.param("/ca/..%2f..%2fkeys.cer", id="a-path-as-issuer"),
    ],
)
def test_nothing_else_is_given_out(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_list_of_authority_certificates_has_its_own_name(client: FlaskClient, tmp_path: Path) -> None:
    put(tmp_path, Scope(G1, None), LIST)
    assert client.get("/crl/signature-g1/ca.crl").data == LIST


def test_issuer_certificates(client: FlaskClient) -> None:
    response = client.get("/ca/signature-g1.cer")
    assert response.content_type == "application/pkix-cert"
    assert response.data == ISSUERS[G1].certificate
    assert client.get("/ca/signature-g1.cer", headers={"If-None-Match": response.headers["ETag"]}).status_code == 304


def test_lists_are_not_written_to(client: FlaskClient) -> None:
    assert client.put(PATH, data=b"x").status_code == 405
    assert client.post(PATH, data=b"x").status_code == 405


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(datetime(2027, 4, 1, tzinfo=UTC), id="both-before-2050"),
        pytest.param(datetime(2049, 12, 31, tzinfo=UTC), id="across-2050"),
        pytest.param(datetime(2051, 1, 1, tzinfo=UTC), id="both-after-2050"),
    ],
)
def test_times_are_read_as_others_read_them(moment: datetime) -> None:
    octets = make_list([], this_update=moment, next_update=moment + timedelta(days=2))
    judge = x509.load_der_x509_crl(octets)
    assert update_times(octets) == (judge.last_update_utc, judge.next_update_utc)


@pytest.mark.parametrize("octets", [b"", LIST[:-1], LIST + b"\x00", b"\x30\x00"])
def test_what_is_no_list_is_not_given_out(tmp_path: Path, octets: bytes) -> None:
    put(tmp_path, SCOPE, octets)
    with pytest.raises(DerError):
        Editions(tmp_path).find(SCOPE.path)


def test_a_scope_s_path_is_what_certificates_point_to() -> None:
    assert f"/crl/signature-g1/{KIYOSE.code.area}.crl" == PATH
