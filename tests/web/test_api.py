"""The API: what is sent becomes what the acts are asked, what they answer becomes what the description says."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
from openapi_spec_validator import validate

from ca.revoke import RevocationRequest
from domain.applications import Card, CertificateText, IssuanceApplication
from domain.birth import BirthDate
from domain.certificates import Carrier, Kind
from domain.errors import Code, Refusal
from domain.events import EventType, NoticeState, ResidentEvent
from domain.people import BasicAttributes, MunicipalityCode, ResidentCode, Sex
from domain.revocation import RevocationCause
from policies.admission import Requestor
from residents.feed import COLUMNS, BadNotice
from residents.receipts import HeldNotice
from tests.support.authority import KIYOSE, NOW
from tests.support.doors import CALLERS, EFFECTS_TOLD, KEY, PAIR, Acts, Door
from tests.support.residents import csv_file
from web import delivery, issuance, notices, revocation
from web.bodies import BODY_LIMIT
from web.openapi import describe
from web.problems import STATUS

CODE = "01234567892"
ITEMS = {"name": "山田　花子", "address": "東京都清瀬市中里五丁目８４２番地", "birth_date": "1990-02-28", "sex": "2"}
ATTRIBUTES = BasicAttributes(ITEMS["name"], ITEMS["address"], BirthDate(1990, 2, 28), Sex.FEMALE)
REQUEST = base64.b64encode(b"a request").decode()
APPLICATION: dict[str, Any] = {
    "resident_code": CODE,
    "municipality_code": KIYOSE.code.value,
    "attributes": ITEMS,
    "card": {"id": "AB12345678", "expires_on": "2036-02-28"},
    "requests": {"signature": REQUEST, "authentication": REQUEST},
}
REVOCATION = {"resident_code": CODE, "cause": "key-report"}
DELIVERY_PATH = delivery.PATH.format(key=quote(KEY, safe=""))
DELIVERY = {"outcome": "delivered"}
NOTICE = {
    "version": "1",
    "notice_id": "n-1",
    "sequence": "7",
    "resident_code": CODE,
    "event": "name-change",
    "effective_on": "2027-04-01",
    "municipality_code": KIYOSE.code.value,
    **ITEMS,
}
ACTS = [
    pytest.param(issuance.PATH, APPLICATION, id="issue"),
    pytest.param(DELIVERY_PATH, DELIVERY, id="deliver"),
    pytest.param(revocation.PATH, REVOCATION, id="revoke"),
    pytest.param(notices.PATH, NOTICE, id="notify"),
    pytest.param(f"{revocation.PATH}?dry_run=true", REVOCATION, id="revoke-dry-run"),
    pytest.param(f"{notices.PATH}?dry_run=true", NOTICE, id="notify-dry-run"),
]


@pytest.fixture
def acts() -> Acts:
    return Acts()


@pytest.fixture
def door(acts: Acts) -> Door:
    return Door(acts)


def test_the_description_is_valid_openapi() -> None:
    validate(json.loads(json.dumps(describe())))


def test_the_description_has_every_route_and_no_other(door: Door) -> None:
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule.replace("<rest:encoded>", "{request}")), method.lower())
        for rule in door.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
    }
    described = {(path, method) for path, operations in describe()["paths"].items() for method in operations}
    assert served == described


def test_the_description_is_served(door: Door) -> None:
    assert door.send("GET", "/v1/openapi.json", caller=None).json == json.loads(json.dumps(describe()))


def test_an_application_reaches_the_authority(door: Door, acts: Acts) -> None:
    response = door.send("POST", issuance.PATH, APPLICATION)
    assert response.status_code == 201
    assert acts.asked == [
        IssuanceApplication(
            caller=CALLERS["municipality"],
            key=KEY,
            municipality=KIYOSE.code,
            resident_code=ResidentCode(CODE),
            attributes=ATTRIBUTES,
            card=Card("AB12345678", date(2036, 2, 28)),
            requests={Kind.SIGNATURE: b"a request", Kind.AUTHENTICATION: b"a request"},
        )
    ]
    assert response.json == {
        "application": 7,
        "certificates": {kind.value: base64.b64encode(kind.value.encode()).decode() for kind in Kind},
        "substituted": {"name": [1, 3], "address": []},
        "substitutions": [],
        "repeated": False,
        "pending": False,
    }
    assert response.headers["Cache-Control"] == "no-store"


def test_an_application_with_everything_optional(door: Door, acts: Acts) -> None:
    text = {"name": "山田　〓子"}
    more = {"carrier": "mobile-device", "certificate_text": text, "requests": {"signature": REQUEST}}
    door.send("POST", issuance.PATH, APPLICATION | more)
    (application,) = acts.asked
    assert application.carrier is Carrier.MOBILE_DEVICE
    assert application.text == CertificateText(name="山田　〓子")
    assert application.requests == {Kind.SIGNATURE: b"a request"}


def test_a_repeat_is_told_from_the_first_time(door: Door, acts: Acts) -> None:
    acts.answers["issue"] = replace(PAIR, repeated=True)
    assert door.send("POST", issuance.PATH, APPLICATION).status_code == 200


@pytest.mark.parametrize("kinds", [None, {Kind.SIGNATURE}, set(Kind)], ids=["by-the-cause", "one", "both"])
def test_a_revocation_reaches_the_authority(door: Door, acts: Acts, kinds: set[Kind] | None) -> None:
    body = REVOCATION | ({"kinds": [kind.value for kind in kinds]} if kinds else {})
    response = door.send("POST", revocation.PATH, body)
    assert response.status_code == 200
    assert acts.asked == [
        RevocationRequest(
            CALLERS["municipality"],
            KEY,
            ResidentCode(CODE),
            RevocationCause.KEY_REPORT,
            frozenset(kinds) if kinds else None,
        )
    ]
    assert response.json == {
        "receipt": "0a" * 16,
        "cause": "key-report",
        "revoked": ["signature"],
        "already": [],
        "received_at": "2027-04-01T00:00:00+00:00",
        "committed_at": "2027-04-01T00:00:00+00:00",
        "effects": [],
    }


def test_a_revocation_names_carriers(door: Door, acts: Acts) -> None:
    assert door.send("POST", revocation.PATH, REVOCATION | {"carriers": ["card"]}).status_code == 200
    assert acts.asked[0].carriers == {Carrier.CARD}


def test_a_revocation_can_be_rehearsed(door: Door) -> None:
    response = door.send("POST", f"{revocation.PATH}?dry_run=true", REVOCATION)
    assert response.json == {
        "dry_run": True,
        "cause": "key-report",
        "revokes": ["signature"],
        "already": ["authentication"],
        "effects": EFFECTS_TOLD,
    }
    receipt = door.send("POST", f"{revocation.PATH}?dry_run=false", REVOCATION).json
    assert receipt is not None
    assert "receipt" in receipt


@pytest.mark.parametrize("caller", ["municipality", "register"])
def test_a_notice_reaches_the_intake(door: Door, acts: Acts, caller: str) -> None:
    response = door.send("POST", notices.PATH, NOTICE, caller=caller, headers={})
    assert response.status_code == 200
    party = CALLERS[caller]
    event = ResidentEvent(
        party.label, "n-1", 7, ResidentCode(CODE), EventType.NAME_CHANGE, date(2027, 4, 1), KIYOSE.code, ATTRIBUTES
    )
    assert acts.asked == [(event, party)]
    assert response.json == {
        "state": "applied",
        "receipt": "0b" * 16,
        "notice_id": "n-1",
        "event": "move-in",
        "revoked": ["signature"],
        "nothing": None,
        "changes": ["address"],
        "effects": [],
        "received_at": "2027-04-01T00:00:00+00:00",
        "committed_at": "2027-04-01T00:00:00+00:00",
        "repeated": False,
    }


def test_a_notice_can_be_rehearsed(door: Door) -> None:
    response = door.send("POST", f"{notices.PATH}?dry_run=true", NOTICE, headers={})
    assert response.json == {
        "dry_run": True,
        "state": "applied",
        "revokes": [],
        "nothing": "exempt-event",
        "changes": ["address"],
        "releases": ["n-8"],
        "effects": [],
    }


def test_a_notice_that_waits_is_accepted_and_says_for_what(door: Door, acts: Acts) -> None:
    acts.answers["apply_event"] = acts.answers["preview_event"] = HeldNotice("n-1", 7, 5, NOW)
    waits = {
        "state": "held",
        "notice_id": "n-1",
        "sequence": "7",
        "expected": "5",
        "received_at": "2027-04-01T00:00:00+00:00",
    }
    response = door.send("POST", notices.PATH, NOTICE, headers={})
    assert (response.status_code, response.json) == (202, {**waits, "repeated": False})
    rehearsed = door.send("POST", f"{notices.PATH}?dry_run=true", NOTICE, headers={})
    assert (rehearsed.status_code, rehearsed.json) == (200, {**waits, "dry_run": True})


def test_a_notice_that_cannot_be_read_reaches_the_intake_as_a_bad_one(door: Door, acts: Acts) -> None:
    acts.refusal = Refusal(Code.MALFORMED, "sex must be", facts={"state": "quarantined", "sequence": 7})
    response = door.send("POST", notices.PATH, {**NOTICE, "sex": "f"}, headers={})
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["facts"]["state"] == "quarantined"
    assert "new id" in response.json["action"]
    assert "notice_id" in response.json["action_ja"]
    ((bad, party),) = acts.asked
    assert isinstance(bad, BadNotice)
    assert (bad.sequence, bad.notice_id, party) == (7, "n-1", CALLERS["municipality"])


@pytest.mark.parametrize(
    ("content_type", "octets"),
    [
        pytest.param("application/jsonl", json.dumps(NOTICE).encode() + b"\n{half\n", id="json-lines"),
        pytest.param(
            "text/csv; charset=utf-8",
            csv_file([dict.fromkeys(COLUMNS, "") | NOTICE], COLUMNS).getvalue() + b"half\n",
            id="csv",
        ),
    ],
)
@pytest.mark.parametrize("rehearsal", [False, True], ids=["in-earnest", "rehearsed"])
def test_a_file_of_notices_reaches_the_intake(
    door: Door, acts: Acts, content_type: str, octets: bytes, rehearsal: bool
) -> None:
    path = f"{notices.PATH}?dry_run={str(rehearsal).lower()}"
    response = door.send("POST", path, octets=octets, content_type=content_type, headers={})
    ((sent, party),) = acts.asked
    assert party == CALLERS["municipality"]
    assert [type(notice) for _, notice in sent] == [ResidentEvent, BadNotice]
    assert response.json == {
        "dry_run": rehearsal,
        "outcomes": [
            {
                "line": 1,
                "notice_id": "n-1",
                "repeated": False,
                "released": ["n-3"],
                "state": "applied",
                "revoked": ["signature"],
                "effects": [],
            },
            {"line": 2, "notice_id": "n-5", "repeated": True, "state": "held", "expected": "4"},
            {
                "line": 3,
                "notice_id": "unreadable 00",
                "repeated": False,
                "state": "quarantined",
                "reason": "malformed",
                "detail": "sex must be",
            },
            {
                "line": 4,
                "notice_id": None,
                "state": "refused",
                "reason": "idempotency-mismatch",
                "detail": "this number was used for another notice",
            },
        ],
    }


def test_a_file_of_notices_has_a_limit(door: Door, acts: Acts) -> None:
    octets = b" " * (notices.FILE_LIMIT + 1)
    assert door.send("POST", notices.PATH, octets=octets, content_type="application/jsonl").status_code == 413
    assert not acts.asked


def test_pages_go_on_after_a_notice_without_a_number(door: Door, acts: Acts) -> None:
    door.send("GET", f"{notices.PATH}?state=quarantined&after_id=unreadable%2000")
    assert acts.asked == [("municipality:kiyose", NoticeState.QUARANTINED, "unreadable 00")]
    assert door.send("GET", f"{notices.PATH}?state=quarantined&after_id=n&after=6").status_code == 400


def test_a_sender_sees_its_own_notices(door: Door, acts: Acts) -> None:
    response = door.send("GET", f"{notices.PATH}?state=quarantined&after=6")
    assert acts.asked == [("municipality:kiyose", NoticeState.QUARANTINED, 6)]
    assert response.json == {
        "expected": "8",
        "notices": [
            {
                "notice_id": "n-7",
                "sequence": "7",
                "state": "quarantined",
                "received_at": "2027-04-01T00:00:00+00:00",
                "reason": "unknown-resident",
                "detail": "no record of this resident is stored",
            },
            {
                "notice_id": "unreadable 00",
                "sequence": None,
                "state": "quarantined",
                "received_at": "2027-04-01T00:00:00+00:00",
                "reason": None,
                "detail": None,
            },
        ],
        "more": False,
    }


@pytest.mark.parametrize(
    "query", ["", "?state=lost", "?state=held&after=-1", "?state=held&state=held", "?state=held&of=register:juki"]
)
def test_a_list_of_notices_is_asked_for_in_one_way(door: Door, acts: Acts, query: str) -> None:
    assert door.send("GET", notices.PATH + query).status_code == 400
    assert not acts.asked


@pytest.mark.parametrize("caller", ["verifier", "operator"])
def test_others_have_no_list_of_notices(door: Door, acts: Acts, caller: str) -> None:
    assert door.send("GET", f"{notices.PATH}?state=held", caller=caller).status_code == 403
    assert not acts.asked


@pytest.mark.parametrize(
    ("path", "body", "allowed"),
    [
        pytest.param(issuance.PATH, APPLICATION, {"municipality"}, id="issue"),
        pytest.param(revocation.PATH, REVOCATION, {"municipality", "register", "operator"}, id="revoke"),
        pytest.param(notices.PATH, NOTICE, {"municipality", "register"}, id="notify"),
    ],
)
def test_roles(door: Door, acts: Acts, path: str, body: object, allowed: set[str]) -> None:
    statuses = {caller: door.send("POST", path, body, caller=caller).status_code for caller in CALLERS}
    assert {caller for caller, status in statuses.items() if status < 300} == allowed
    assert {status for caller, status in statuses.items() if caller not in allowed} == {403}
    assert len(acts.asked) == len(allowed)


@pytest.mark.parametrize(("path", "body"), ACTS)
@pytest.mark.parametrize("caller", [None, "stranger"])
def test_strangers_hear_nothing(door: Door, acts: Acts, path: str, body: object, caller: str | None) -> None:
    response = door.send("POST", path, body, caller=caller)
    assert response.status_code == 401
    assert not acts.asked
    broken = door.send("POST", path, octets=b"{", caller=caller, content_type="text/plain")
    assert broken.json == response.json


@pytest.mark.parametrize(("path", "body"), ACTS)
@pytest.mark.parametrize(
    "code", [code for code in Code if STATUS[code] not in (404, 405, 429)], ids=lambda code: code.value
)
def test_every_refusal_of_an_act_is_described(door: Door, acts: Acts, path: str, body: object, code: Code) -> None:
    acts.refusal = Refusal(code, "why", facts={"items": ["name"]})
    response = door.send("POST", path, body)
    assert response.status_code == STATUS[code]
    assert response.json is not None
    assert response.json["code"] == code.value


@pytest.mark.parametrize(("path", "body"), ACTS)
def test_a_bug_is_a_500_without_words(door: Door, acts: Acts, path: str, body: object) -> None:
    acts.refusal = RuntimeError("secret")
    response = door.send("POST", path, body)
    assert response.status_code == 500
    assert "secret" not in response.text


BROKEN: list[Any] = [
    pytest.param(b"", "application/json", 400, id="nothing"),
    pytest.param(b"[]", "application/json", 400, id="a-list"),
    pytest.param(b"null", "application/json", 400, id="null"),
    pytest.param(b'"text"', "application/json", 400, id="a-text"),
    pytest.param(b"{}", "application/json", 400, id="an-empty-object"),
    pytest.param(b'{"resident_code": NaN}', "application/json", 400, id="not-a-number"),
    pytest.param(b'{"resident_code": 1, "resident_code": 2}', "application/json", 400, id="a-name-twice"),
    pytest.param(b"\xff", "application/json", 400, id="not-utf-8"),
    pytest.param(b"[" * 60_000, "application/json", 400, id="a-depth-bomb"),
    pytest.param(b" " * (BODY_LIMIT + 1), "application/json", 413, id="too-long"),
    pytest.param(b"{}", "text/plain", 415, id="of-another-type"),
    pytest.param(b"a=b", "application/x-www-form-urlencoded", 415, id="a-form"),
]


@pytest.mark.parametrize(("path", "body"), ACTS)
@pytest.mark.parametrize(("octets", "content_type", "status"), BROKEN)
def test_broken_bodies(
    door: Door, acts: Acts, path: str, body: object, octets: bytes, content_type: str, status: int
) -> None:
    response = door.send("POST", path, octets=octets, content_type=content_type)
    assert response.status_code == status
    # Only the intake of notices hears of them, to put them aside.
    assert all(isinstance(asked, tuple) and isinstance(asked[0], BadNotice) for asked in acts.asked)
    assert not acts.asked or (path.startswith(notices.PATH) and status == 400)


@pytest.mark.parametrize("written", ["1990-02-XX", "XXXX-XX-XX", "showa XXXX-02-28"])
def test_a_birth_date_may_be_unknown_in_part(door: Door, acts: Acts, written: str) -> None:
    response = door.send("POST", issuance.PATH, APPLICATION | {"attributes": ITEMS | {"birth_date": written}})
    assert response.status_code == 201
    (asked,) = acts.asked
    assert isinstance(asked, IssuanceApplication)
    assert asked.attributes.birth_date == BirthDate.read(written)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        pytest.param({"resident_code": "01234567890"}, "/resident_code", id="a-wrong-check-digit"),
        pytest.param({"resident_code": 1234567892}, "/resident_code", id="a-number-for-a-code"),
        pytest.param({"municipality_code": "132210"}, "/municipality_code", id="a-wrong-municipality-check-digit"),
        pytest.param({"attributes": ITEMS | {"name": "x" * 500}}, "/attributes/name", id="a-long-name"),
        pytest.param({"attributes": ITEMS | {"name": "山田\n花子"}}, "/attributes/name", id="a-line-break-in-a-name"),
        pytest.param({"attributes": ITEMS | {"sex": "男"}}, "/attributes/sex", id="an-unknown-sex"),
        pytest.param({"attributes": ITEMS | {"birth_date": "1990-02-30"}}, "/attributes/birth_date", id="no-such-day"),
        pytest.param({"attributes": ITEMS | {"birth_date": "1990-00-00"}}, "/attributes/birth_date", id="zeros"),
        pytest.param({"attributes": ITEMS | {"birth_date": "showa 1950-XX-XX"}}, "/attributes/birth_date", id="era"),
        pytest.param({"attributes": {"name": "山田"}}, "/attributes/address", id="a-missing-item"),
        pytest.param({"attributes": ITEMS | {"my_number": "1"}}, "/attributes", id="an-item-too-many"),
        pytest.param({"card": {"id": "あ", "expires_on": "2036-02-28"}}, "/card/id", id="a-japanese-card-id"),
        pytest.param({"requests": {}}, "/requests", id="no-request"),
        pytest.param({"requests": {"signature": "AA"}}, "/requests/signature", id="broken-base64"),
        pytest.param({"requests": {"other": REQUEST}}, "/requests", id="a-request-of-no-kind"),
        pytest.param({"carrier": "paper"}, "/carrier", id="an-unknown-carrier"),
        pytest.param({"certificate_text": {"sex": "1"}}, "/certificate_text", id="text-for-another-item"),
        pytest.param({"dry_run": True}, "", id="a-field-of-another-place"),
    ],
)
def test_what_is_wrong_is_pointed_at_and_not_repeated(
    door: Door, acts: Acts, change: dict[str, Any], pointer: str
) -> None:
    response = door.send("POST", issuance.PATH, APPLICATION | change)
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["pointer"] == pointer
    assert not acts.asked
    told = response.text
    for value in (CODE, "01234567890", "132210", "山田", "清瀬市", "1990", "my_number", "男"):
        assert value not in told


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(None, id="none"),
        pytest.param("short", id="too-short"),
        pytest.param("k" * 101, id="too-long"),
        pytest.param("with a space", id="with-a-space"),
        pytest.param("key-キー-key", id="japanese"),
    ],
)
@pytest.mark.parametrize("path", [issuance.PATH, revocation.PATH])
def test_the_idempotency_key_is_needed(door: Door, acts: Acts, path: str, key: str | None) -> None:
    body = APPLICATION if path == issuance.PATH else REVOCATION
    headers = {} if key is None else {"Idempotency-Key": key.encode().decode("latin-1")}
    response = door.send("POST", path, body, headers=headers)
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["pointer"] == "Idempotency-Key"
    assert not acts.asked


@pytest.mark.parametrize("query", ["dry_run=1", "dry_run=", "dry_run=true&dry_run=true", "dryrun=true", "x"])
@pytest.mark.parametrize(("path", "body"), [(revocation.PATH, REVOCATION), (notices.PATH, NOTICE)])
def test_a_misspelt_rehearsal_is_not_taken_for_the_real_thing(
    door: Door, acts: Acts, path: str, body: object, query: str
) -> None:
    assert door.send("POST", f"{path}?{query}", body).status_code == 400
    assert not acts.asked


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HEAD"])
@pytest.mark.parametrize("path", [issuance.PATH, revocation.PATH, "/ocsp"])
def test_other_methods_are_refused(door: Door, method: str, path: str) -> None:
    response = door.app.test_client().open(path, method=method)
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_notices_are_sent_and_listed_and_nothing_else(door: Door, method: str) -> None:
    response = door.app.test_client().open(notices.PATH, method=method)
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_the_table_of_causes(door: Door) -> None:
    response = door.send("GET", "/v1/causes", caller=None)
    assert response.json is not None
    assert {row["cause"] for row in response.json["causes"]} == {cause.value for cause in RevocationCause}
    for row in response.json["causes"]:
        places = {(effect["kind"], effect["carrier"]) for effect in row["effects"]}
        assert places == {(kind.value, carrier.value) for kind in Kind for carrier in Carrier}
    assert response.headers["Cache-Control"] == "public, max-age=3600"


def test_municipalities(door: Door) -> None:
    assert door.send("GET", "/v1/municipalities/132217", caller=None).json == {
        "code": "132217",
        "prefecture": "東京都",
        "name": "清瀬市",
        "prefecture_romanised": "Tokyo-to",
        "name_romanised": "Kiyose-shi",
    }


@pytest.mark.parametrize("code", ["132210", "13221", "999999", "あ", str(MunicipalityCode.of_area("99999"))])
def test_other_codes_name_no_municipality(door: Door, code: str) -> None:
    assert door.send("GET", f"/v1/municipalities/{code}", caller=None).status_code == 404


def test_status_for_verifiers(door: Door, acts: Acts) -> None:
    assert door.send("POST", "/ocsp", octets=b"request", caller="verifier").data == b"answer"
    assert door.send("GET", "/ocsp/AAAA", caller=None).data == b"answer"
    assert acts.asked == [(b"request", Requestor(CALLERS["verifier"])), (b"\0\0\0", None)]
    assert door.send("GET", "/ca/signature-g1.cer", caller=None).status_code == 200
    assert door.send("GET", "/crl/signature-g1/13221.crl", caller=None).status_code == 404


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_operation(door: Door, path: str) -> None:
    assert door.send("GET", path, caller=None).status_code == 200


PHONE = {**APPLICATION, "carrier": "mobile-device", "proof": REQUEST}


def test_an_operator_applies_for_phones_only(door: Door, acts: Acts) -> None:
    assert door.send("POST", issuance.PATH, PHONE, caller="operator").status_code == 201
    assert acts.asked[0].proof == base64.b64decode(REQUEST)
    assert door.send("POST", issuance.PATH, APPLICATION, caller="operator").status_code == 403
    assert len(acts.asked) == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        pytest.param({"proof": "not base64"}, "/proof", id="a-proof-that-is-none"),
        pytest.param({"proof": ""}, "/proof", id="an-empty-proof"),
        pytest.param({"under_guardianship": "yes"}, "/under_guardianship", id="a-word-for-a-truth-value"),
    ],
)
def test_what_is_said_of_phones_and_wards_is_read_strictly(door: Door, change: object, pointer: str) -> None:
    assert isinstance(change, dict)
    response = door.send("POST", issuance.PATH, PHONE | change)
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["pointer"] == pointer
