"""The API over acts that only remember what they were asked, and a client that checks answers by the description."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from ca.batches import Progress, Result
from ca.revoke import RevocationOutcome
from ca.visibility import Showing, Visibility
from config.municipalities import load_municipalities
from config.rules import load_causes, load_variants
from domain.applications import DeliveryReceipt, HandOver, IssuedPair
from domain.batches import Batch, BatchItem, BatchRefusal, ItemState
from domain.certificates import Carrier, IssuerId, Kind
from domain.changes import ListChange
from domain.detection import Alarm, Grade
from domain.errors import Code, Refusal
from domain.events import EventType, NoticeRecord, NoticeState
from domain.handles import Handle, HandleWord
from domain.holds import ReleaseReceipt
from domain.lists import ListRecord, ListState, Scope
from domain.mass import MassState
from domain.parties import Credential, Party, Role, Usage
from domain.provisions import Channel
from domain.revocation import CertificateEffect, CrlReason, EffectWord, RevocationCause, RevocationReceipt
from domain.validations import Format, Item
from filters.shelf import Shelf
from mass.account import MassAccount
from ocsp.response import OcspAnswer
from policies.characters import propose
from provisions.disclosure import Challenge, Disclosure
from provisions.ledger import Told
from residents.feed import BadNotice
from residents.intake import Effect, Outcome
from residents.listing import NoticeList
from residents.queue import Taken
from residents.receipts import HeldNotice, NothingRevoked, NoticeReceipt, QuarantinedNotice
from tests.support.authority import KIYOSE, NOW
from tests.support.lists import ISSUERS
from tests.support.memory import MemoryStore
from tests.support.officers import make_board
from tests.support.responder import admit_all, forget
from tests.support.verifiers import make_desk
from validation.answer import ValidationAnswer
from validation.finding import SigningTime
from validation.receipt import Receipt
from verifiers.handle_news import News
from verifiers.handle_office import KnownAs
from web.alarms import AlarmParts
from web.api import ApiParts, create_api
from web.batches import BatchParts
from web.filters import FilterParts
from web.handles import HandleParts
from web.ledger import LedgerParts
from web.lists import ListParts
from web.openapi import describe
from web.proposals import parts_of
from web.status import StatusParts

CALLERS = {
    "municipality": Party(1, Role.MUNICIPALITY, "kiyose", KIYOSE.code),
    "register": Party(2, Role.REGISTER, "register"),
    "verifier": Party(3, Role.VERIFIER, "bank", kinds=frozenset(Kind)),
    "operator": Party(4, Role.OPERATOR, "office"),
    "desk": Party(5, Role.DESK, "call-centre"),
}
"""Each is registered with the certificate that is its own name, in octets."""
HANDLE = Handle("1-" + "a" * 40)
PROVIDER = Party(6, Role.VERIFIER, "shop", kinds=frozenset(Kind))

KEY = "key-of-a-request"
RECEIPT = RevocationReceipt("0a" * 16, RevocationCause.KEY_REPORT, (Kind.SIGNATURE,), (), NOW, NOW)
PAIR = IssuedPair(7, {kind: kind.value.encode() for kind in Kind}, {"name": (1, 3), "address": ()}, repeated=False)
DELIVERY = DeliveryReceipt("0d" * 16, 7, HandOver.DELIVERED, tuple(Kind), tuple(Kind), NOW, NOW, repeated=False)
NOTICE_RECEIPT = NoticeReceipt("0b" * 16, "n-1", EventType.MOVE_IN, (Kind.SIGNATURE,), None, NOW, NOW, ("address",))
NOTICES = NoticeList(
    "municipality:kiyose",
    8,
    [
        NoticeRecord(
            "municipality:kiyose",
            "n-7",
            7,
            bytes(32),
            NoticeState.QUARANTINED,
            NOW,
            reason=Code.UNKNOWN_RESIDENT,
            detail="no record of this resident is stored",
        ),
        NoticeRecord("municipality:kiyose", "unreadable 00", None, bytes(32), NoticeState.QUARANTINED, NOW),
    ],
    more=False,
)
_BAD = BadNotice("municipality:kiyose", None, None, bytes(32), Refusal(Code.MALFORMED, "sex must be"))
OUTCOMES: list[Outcome] = [
    (1, _BAD, Taken(NOTICE_RECEIPT, (HeldNotice("n-3", 3, 3, NOW),))),
    (2, _BAD, Taken(HeldNotice("n-5", 5, 4, NOW, repeated=True))),
    (3, _BAD, Taken(QuarantinedNotice("unreadable 00", None, Code.MALFORMED, "sex must be", NOW))),
    (4, _BAD, Refusal(Code.IDEMPOTENCY_MISMATCH, "this number was used for another notice")),
]
EFFECTS = (
    CertificateEffect(Kind.SIGNATURE, Carrier.CARD, EffectWord.REVOKED, CrlReason.KEY_COMPROMISE, NOW),
    CertificateEffect(Kind.AUTHENTICATION, Carrier.CARD, EffectWord.STAYS_GOOD),
)
EFFECTS_TOLD = [
    {
        "kind": "signature",
        "carrier": "card",
        "effect": "revoked",
        "reason": "key-compromise",
        "since": "2027-04-01T00:00:00+00:00",
    },
    {"kind": "authentication", "carrier": "card", "effect": "stays-good", "reason": None, "since": None},
]
MASS_EVENT = MassAccount(
    "0c" * 8, "temporary-stop", MassState.RUNNING, 3, 8, 1000, {"held": 250}, "operator:a", NOW, "operator:b", NOW, None
)
CHANGE = ListChange(Scope(IssuerId("signature-g1"), KIYOSE.code), 4, 1, "0a" * 16, RevocationCause.KEY_REPORT, NOW, NOW)
LISTED = ListRecord(CHANGE.scope, 7, NOW, NOW, ListState.PUBLISHED, 4, published_at=NOW)
VISIBILITY = Visibility("0a" * 16, ("signature",), NOW, NOW, NOW, (Showing(CHANGE, LISTED), Showing(CHANGE, None)))
HOLD_RECEIPT = RevocationReceipt("0c" * 16, RevocationCause.TEMPORARY_STOP, (Kind.SIGNATURE,), (), NOW, NOW, EFFECTS)
RELEASE_RECEIPT = ReleaseReceipt("0d" * 16, Carrier.MOBILE_DEVICE, NOW, NOW, EFFECTS)
VALIDATION = ValidationAnswer(
    "e30.e30.AA",
    Receipt(
        "0e" * 16,
        "bank",
        "opening an account",
        Format.RAW,
        bytes(32),
        bytes(32),
        Kind.SIGNATURE,
        (),
        NOW,
        "h-1",
        frozenset({Item.SEX}),
        SigningTime(NOW, proven=False),
    ),
    {"sex": "2"},
    repeated=False,
)
ANSWER = OcspAnswer(b"answer", "good", 1800, True, NOW, NOW + timedelta(hours=1))

_BATCH = Batch(7, "municipality:kiyose", KEY, b"", 3, 2, NOW)
_PROGRESS = Progress(_BATCH, {ItemState.WAITING: 2, ItemState.REFUSED: 1})
_ENDED = Progress(replace(_BATCH, open=0, cancelled_at=NOW, ended_at=NOW), {ItemState.CANCELLED: 3})
_REFUSED = BatchItem(
    7, 1, None, ItemState.REFUSED, refusal=BatchRefusal(Code.MALFORMED, "must be an object", "/attributes")
)
_ISSUED = BatchItem(7, 2, "line-two", ItemState.ISSUED, KIYOSE.code, None, 11)
_RESULTS = [
    Result(_REFUSED, {}, {}),
    Result(_ISSUED, dict.fromkeys(Kind, b"certificate"), {"name": (1,), "address": ()}),
]
ALARM = Alarm("20270401-1--1-surge", NOW.date(), 1, -1, "surge", Grade.JUSTIFY, {"surge": 7.0}, NOW)
DISCLOSURE = Disclosure(
    NOW, [Told(NOW, NOW, 1, "bank", None, "log-in", Channel.OCSP, "good", "", municipality=KIYOSE.code)]
)
_BATCH_ANSWERS = {
    "take_batch": _PROGRESS,
    "batch_progress": _PROGRESS,
    "list_batches": [_ENDED, _PROGRESS],
    "batch_results": _RESULTS,
    "cancel_batch": _ENDED,
}


@dataclass
class Acts:
    """What the doors lead to. Every act keeps what it was asked, then refuses with `refusal` or gives its answer."""

    refusal: Exception | None = None
    asked: list[Any] = field(default_factory=list)
    answers: dict[str, Any] = field(
        default_factory=lambda: {
            "issue": PAIR,
            "report_delivery": DELIVERY,
            **_BATCH_ANSWERS,
            "revoke": RECEIPT,
            "preview_revocation": RevocationOutcome((Kind.SIGNATURE,), (Kind.AUTHENTICATION,), EFFECTS),
            "visibility": VISIBILITY,
            "place_hold": HOLD_RECEIPT,
            "preview_hold": RevocationOutcome((Kind.SIGNATURE,), (), EFFECTS),
            "release_hold": RELEASE_RECEIPT,
            "preview_release": EFFECTS,
            "apply_event": NOTICE_RECEIPT,
            "list_notices": NOTICES,
            "apply_notices": OUTCOMES,
            "rehearse_notices": OUTCOMES,
            "preview_event": Effect((), NothingRevoked.EXEMPT_EVENT, ("address",), ("n-8",)),
            "handles_of": [KnownAs(HANDLE, Kind.SIGNATURE)],
            "translate": [HANDLE],
            "counterparts": [HANDLE, None],
            "subscribe": None,
            "fetch_news": ([News(4, HANDLE, None, Kind.SIGNATURE, HandleWord.RENEWED)], True),
            "list_mass_events": [MASS_EVENT],
            "find_mass_event": MASS_EVENT,
            "validate": VALIDATION,
            "answer": ANSWER,
            "challenge": Challenge("Y2hhbGxlbmdl", NOW),
            "to_owner": DISCLOSURE,
            "alarms": [ALARM],
            "justify": ALARM,
            "appeal": ALARM,
            "at_counter": DISCLOSURE,
        }
    )

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def act(*asked: object) -> Any:
            self.asked.append(asked[0] if len(asked) == 1 else asked)
            if self.refusal:
                raise self.refusal
            if asked and isinstance(asked[0], BadNotice):
                raise asked[0].refusal
            return self.answers[name]

        return act


def make_status_parts(acts: Acts, directory: Path = Path("nowhere")) -> StatusParts:
    return StatusParts(
        answer=acts.answer,
        lists=ListParts(directory, ISSUERS, admit_all, forget, lambda: NOW),
        clock=lambda: NOW,
        random=bytes,
        health=lambda: {"database": True},
    )


def make_api_parts(acts: Acts, directory: Path = Path("nowhere")) -> ApiParts:
    credentials = {
        hashlib.sha256(name.encode()).digest(): Credential(b"", Usage.TLS, party, NOW + timedelta(days=1))
        for name, party in CALLERS.items()
    }
    return ApiParts(
        status=make_status_parts(acts, directory),
        credential_of=credentials.get,
        issue=acts.issue,
        batches=BatchParts(
            take=acts.take_batch,
            progress=acts.batch_progress,
            listed=acts.list_batches,
            results=acts.batch_results,
            cancel=acts.cancel_batch,
        ),
        propose=partial(propose, load_variants()),
        report_delivery=acts.report_delivery,
        revoke=acts.revoke,
        preview_revocation=acts.preview_revocation,
        visibility=acts.visibility,
        place_hold=acts.place_hold,
        preview_hold=acts.preview_hold,
        release_hold=acts.release_hold,
        preview_release=acts.preview_release,
        apply_event=acts.apply_event,
        preview_event=acts.preview_event,
        apply_notices=acts.apply_notices,
        rehearse_notices=acts.rehearse_notices,
        list_notices=acts.list_notices,
        handles=HandleParts(
            provider_of=lambda _, name: PROVIDER if name else None,
            purpose_of=lambda _, __, said: said,
            of_many=acts.handles_of,
            translate=acts.translate,
            counterparts=acts.counterparts,
            subscribe=lambda *asked, **named: acts.subscribe(*asked, named),
            fetch_news=acts.fetch_news,
        ),
        filters=FilterParts(Shelf(directory), ISSUERS, acts.key_of, admit_all, forget, lambda: NOW),
        proposals=parts_of(make_board(MemoryStore().begin)),
        verifiers=make_desk(MemoryStore().begin),
        list_mass_events=acts.list_mass_events,
        find_mass_event=acts.find_mass_event,
        validate=acts.validate,
        alarms=AlarmParts(acts.alarms, acts.justify, acts.appeal, lambda rule: (f"{rule}の題", f"title of {rule}")),
        ledger=LedgerParts(challenge=acts.challenge, to_owner=acts.to_owner, at_counter=acts.at_counter),
        causes=load_causes().values(),
        municipalities=load_municipalities(),
    )


class Door:
    """A client of the API. `send` fails the test when an answer is not one that the description allows."""

    def __init__(self, acts: Acts, directory: Path = Path("nowhere")) -> None:
        self.app = create_api(make_api_parts(acts, directory), _shown)

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        caller: str | None = "municipality",
        octets: bytes | None = None,
        content_type: str | None = "application/json",
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        """`body` goes as JSON, `octets` as they are; `caller` is one of `CALLERS`, any other name, or nobody."""
        response = self.app.test_client().open(
            path,
            method=method,
            data=json.dumps(body).encode() if octets is None and body is not None else octets,
            content_type=content_type if body is not None or octets is not None else None,
            headers={"Idempotency-Key": KEY} if headers is None else headers,
            environ_overrides={"test.certificate": caller.encode() if caller else None},
        )
        assert_described(method, path, response)
        return response


def assert_described(method: str, path: str, response: TestResponse) -> None:
    """Hold an answer to the description: operation, status, media type and schema."""
    document = describe()
    operation = _operation(document, method, path)
    if operation is None:
        assert response.status_code in (404, 405), f"{method} {path} is served and not described"
        schema = document["components"]["schemas"]["Problem"]
        assert response.mimetype == "application/problem+json"
    else:
        described = operation["responses"].get(str(response.status_code))
        assert described, f"{method} {path} answers {response.status_code}, which is not described"
        if "content" not in described:
            assert not response.data
            return
        assert response.mimetype in described["content"]
        schema = described["content"][response.mimetype].get("schema")
    if schema is not None:
        Draft202012Validator({**schema, "components": document["components"]}).validate(json.loads(response.data))


def _operation(document: dict[str, Any], method: str, path: str) -> dict[str, Any] | None:
    for template, operations in document["paths"].items():
        # Only a request for status may have slashes in it.
        pattern = re.sub(r"\\{(\w+)\\}", lambda name: ".*" if name[1] == "request" else "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path.partition("?")[0]) and method.lower() in operations:
            found: dict[str, Any] = operations[method.lower()]
            return found
    return None


def _shown(environ: Mapping[str, object]) -> bytes | None:
    certificate = environ["test.certificate"]
    assert certificate is None or isinstance(certificate, bytes)
    return certificate
