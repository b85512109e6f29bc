"""The doors for filters: bases, deltas and keys for the caller's class, to who is admitted, each put on record."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.provisions import Channel, Provision, Record
from domain.standings import Standing
from filters.publish import ClassKey
from policies.admission import Requestor
from tests.support.filters import BASE, DAY, DELTA, HOUR, Office
from tests.support.lists import G1, ISSUERS, make_revocation, record_revocation
from tests.support.memory import MemoryStore
from tests.support.verifiers import make_gate, make_register, make_verifier
from verifiers.admit import status_admission
from verifiers.gate import Restrain
from web.filters import FilterParts, filters_blueprint
from web.metrics import Meter
from web.shell import make_shell

LIST, FILE, KEY = "/v1/filters/signature", f"/v1/filters/signature/files/{G1}", "/v1/filters/signature/key"
COURT = make_verifier("district-court", id_=7, standing=Standing.COURT)
WHO = Requestor(COURT)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """With a base and a delta of the class of courts, and a base of another class."""
    office = Office(tmp_path)
    record_revocation(office.store.begin, make_revocation("revoked"))
    office.publish()
    office.key = ClassKey("certified-ca", bytes(32))
    office.publish(verifiers="certified-ca")
    office.key = ClassKey("court", bytes(range(32)))
    office.publish()
    return office


@pytest.fixture
def told() -> list[Provision]:
    return []


def door(
    office: Office, who: Requestor | None, record: Record, restrain: Restrain = lambda *_: None, **changes: Any
) -> FlaskClient:
    """The doors as one caller finds them."""
    gate = make_gate(record, restrain)
    admit = status_admission(make_register(MemoryStore().begin), "notified-verifiers", Channel.FILTER, gate)
    parts = FilterParts(office.office.shelf, ISSUERS, lambda _: office.key, admit, record, office.clock)
    app = make_shell(bytes, Meter())
    app.register_blueprint(filters_blueprint(replace(parts, **changes), lambda _: who))
    return app.test_client()


@pytest.fixture
def client(office: Office, told: list[Provision]) -> FlaskClient:
    return door(office, WHO, told.append)


def listed(client: FlaskClient) -> Any:
    response = client.get(LIST)
    assert response.headers["Cache-Control"] == "no-store"
    return response.json


def test_what_there_is_is_what_lies_there(client: FlaskClient, office: Office, told: list[Provision]) -> None:
    found = listed(client)
    assert found["class"] == "court"
    (row,) = found["filters"]
    for part, name in (("base", BASE), ("delta", DELTA)):
        octets = office.octets(name)
        assert octets is not None
        assert row[part]["sha256"] == hashlib.sha256(octets).hexdigest()
        assert row[part]["octets"] == len(octets)
    assert told == []


def test_a_base_and_the_delta_over_it_come_as_they_are_and_are_put_on_record(
    client: FlaskClient, office: Office, told: list[Provision]
) -> None:
    number = listed(client)["filters"][0]["base"]["number"]
    base, delta = client.get(FILE), client.get(f"{FILE}?over={number}")
    assert (base.data, delta.data) == (office.octets(BASE), office.octets(DELTA))
    assert base.content_type == "application/vnd.jpki.filter"
    assert base.headers["Cache-Control"].startswith("private")
    digests = [hashlib.sha256(answer.data).digest() for answer in (base, delta)]
    about = (office.clock.now, COURT, None, "contract", G1, Channel.FILTER, b"filter", "filter")
    assert told == [Provision(*about, digest) for digest in digests]


def test_an_edition_at_hand_is_not_sent_again_and_parts_are_put_on_record(
    client: FlaskClient, office: Office, told: list[Provision]
) -> None:
    etag = client.get(FILE).headers["ETag"]
    again = client.get(FILE, headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    assert client.head(FILE).status_code == 200
    part = client.get(FILE, headers={"Range": "bytes=0-9", "If-Range": etag})
    assert (part.status_code, part.data) == (206, (office.octets(BASE) or b"")[:10])
    assert len(told) == 2


def test_a_delta_is_wanted_over_the_base_there_is(client: FlaskClient, office: Office) -> None:
    number = listed(client)["filters"][0]["base"]["number"]
    stale = client.get(f"{FILE}?over={number - 1}")
    assert stale.status_code == 409
    office.publish(fresh=True)
    none = client.get(f"{FILE}?over={listed(client)['filters'][0]['base']['number']}")
    assert none.status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/filters/nothing", 404),
        ("/v1/filters/nothing/files/signature-g1", 404),
        ("/v1/filters/nothing/key", 404),
        ("/v1/filters/signature/files/authentication-g1", 404),
        ("/v1/filters/signature/files/..%2fsecrets", 404),
        (f"{FILE}?over=-1", 400),
        (f"{FILE}?over=1&over=2", 400),
        (f"{FILE}?since=1", 400),
        (f"{FILE}?over=", 400),
    ],
)
def test_what_is_not_there_is_refused(client: FlaskClient, told: list[Provision], path: str, status: int) -> None:
    assert client.get(path).status_code == status
    assert told == []


def test_the_key_of_the_class_is_handed_over_on_record(
    client: FlaskClient, office: Office, told: list[Provision]
) -> None:
    response = client.get(KEY)
    assert response.json == {"class": "court", "key": office.key.octets.hex()}
    assert response.headers["Cache-Control"] == "no-store"
    kind = Kind.SIGNATURE.value
    wanted = Provision(office.clock.now, COURT, None, "contract", kind, Channel.FILTER, b"", "filter-key")  # type: ignore[arg-type]
    assert told == [wanted]


@pytest.mark.parametrize(
    ("who", "status", "rule"),
    [
        pytest.param(None, 401, "caller-unknown", id="nobody"),
        pytest.param(Requestor(make_verifier("bank", approvals=())), 403, "signature-not-approved", id="not approved"),
        pytest.param(replace(WHO, purpose="log-in"), 403, "purpose-not-approved", id="another purpose"),
        pytest.param(
            Requestor(make_verifier("taxes", standing=Standing.GROUP_VERIFIER)), 403, "way-not-given", id="another way"
        ),
    ],
)
@pytest.mark.parametrize("path", [LIST, FILE, KEY])
def test_filters_and_keys_are_for_who_is_admitted(
    office: Office, told: list[Provision], who: Requestor | None, status: int, rule: str, path: str
) -> None:
    response = door(office, who, told.append).get(path, headers={"If-None-Match": "*"})
    assert response.status_code == status
    assert response.json is not None
    assert response.json["facts"]["rule"] == rule
    assert "公的個人認証法" in response.json["facts"]["source"]
    assert [one.answered for one in told] == ([] if who is None else [f"refused: {rule}"])
    assert {one.channel for one in told} <= {Channel.FILTER}


@pytest.mark.parametrize("path", [LIST, FILE, KEY])
def test_what_alarms_say_is_heard_here_too(office: Office, told: list[Provision], path: str) -> None:
    def restrain(*_: object) -> None:
        raise Refusal(Code.BUSY, "why", facts={"rule": "waits-for-decision"})

    assert door(office, WHO, told.append, restrain).get(path).status_code == 503


@pytest.mark.parametrize("path", [FILE, f"{FILE}?over={{number}}", KEY])
def test_nothing_is_handed_over_that_cannot_be_put_on_record(office: Office, path: str) -> None:
    def refuse(provision: Provision) -> None:
        raise Refusal(Code.STORE_UNAVAILABLE, "no room")

    number = listed(door(office, WHO, lambda _: None))["filters"][0]["base"]["number"]
    response = door(office, WHO, refuse).get(path.format(number=number))
    assert response.status_code == 503
    for secret in (office.octets(BASE), office.octets(DELTA), office.key.octets.hex().encode()):
        assert secret is not None
        assert secret not in response.data


def test_filters_of_a_former_key_or_that_are_over_are_not_handed_over(
    client: FlaskClient, office: Office, told: list[Provision]
) -> None:
    office.key = ClassKey("court.2", bytes(32))
    assert listed(client) == {"class": "court.2", "filters": []}
    assert client.get(FILE).status_code == 404
    office.key = ClassKey("court", bytes(32))
    office.clock.forward(2 * DAY + HOUR)
    assert listed(client) == {"class": "court", "filters": []}
    assert client.get(FILE).status_code == 404
    assert told == []


def test_a_file_that_was_just_replaced_is_to_be_fetched_again(office: Office, told: list[Provision]) -> None:
    class Replaced:
        find, pair = office.office.shelf.find, office.office.shelf.pair

        def read(self, _: object) -> None:
            return None

    response = door(office, WHO, told.append, shelf=Replaced()).get(FILE)
    assert (response.status_code, told) == (503, [])
