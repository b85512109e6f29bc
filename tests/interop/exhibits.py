"""Lists and answers to be judged by: the genuine ones as served, and those that prove nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from http.client import HTTPConnection

from domain.certificates import IssuerId
from domain.serial import SerialNumber
from domain.status import GOOD
from ocsp.responder import Responder, answer
from tests.interop.scene import Scene
from tests.support.authority import KIYOSE
from tests.support.people import serial_of
from tests.support.residents import HINO
from tests.support.responder import Statuses, admit_all, make_cert_id, make_ocsp_request
from tests.support.serving import Served

Exhibit = Callable[[Scene, IssuerId], bytes]
"""Makes a list or an answer (DER) for an issuer's certificates."""


def other_generation(issuer: IssuerId) -> IssuerId:
    """The issuer of the same name with the other key."""
    kind, _, label = issuer.partition("-")
    return IssuerId(f"{kind}-{'g2' if label == 'g1' else 'g1'}")


def ask(scene: Scene, issuer: IssuerId, fate: str) -> bytes:
    """The answer of the public service to a question about a certificate."""
    return send(scene.public, question(scene, issuer, fate))


def send(service: Served, request: bytes) -> bytes:
    """What a service answers to a request by POST."""
    with closing(HTTPConnection(service.host, service.port, timeout=30)) as connection:
        connection.request("POST", "/ocsp", request)
        return connection.getresponse().read()


def question(scene: Scene, issuer: IssuerId, fate: str, nonce: bytes | None = None, algorithm: str = "sha1") -> bytes:
    """A request (DER) for the status of one certificate."""
    cert_id = make_cert_id(scene.serial(issuer, fate), scene.services.issuers[issuer], algorithm)
    return make_ocsp_request(cert_id, nonce=nonce)


def _list_with_an_entry_changed(scene: Scene, issuer: IssuerId) -> bytes:
    lost, another = SerialNumber(scene.serial(issuer, "card-lost")), serial_of("nobody's")
    octets = scene.list_of(issuer, KIYOSE.code)
    assert octets.count(lost.octets) == 1
    return octets.replace(lost.octets, another.octets)


LISTS: Mapping[str, Exhibit] = {
    "its own": lambda scene, issuer: scene.list_of(issuer, KIYOSE.code),
    "its own of last week": lambda scene, issuer: scene.lists_of_last_week[issuer],
    "its own, an entry changed": _list_with_an_entry_changed,
    "another municipality's": lambda scene, issuer: scene.list_of(issuer, HINO),
    "of CA certificates": lambda scene, issuer: scene.list_of(issuer, None),
    "the other generation's": lambda scene, issuer: scene.list_of(other_generation(issuer), KIYOSE.code),
    "a namesake's": lambda scene, issuer: scene.namesake_lists[issuer],
}


def _answer_of_hours_ago(scene: Scene, issuer: IssuerId) -> bytes:
    responder = scene.services.responder
    past = responder.clock() - timedelta(hours=3)
    return answer(replace(responder, clock=lambda: past, admit=admit_all), question(scene, issuer, "card-lost")).der


def _answer_with_the_serial_changed(scene: Scene, issuer: IssuerId) -> bytes:
    lost, good = (SerialNumber(scene.serial(issuer, fate)) for fate in ("card-lost", "good"))
    octets = ask(scene, issuer, "good")
    assert octets.count(good.octets) == 1
    return octets.replace(good.octets, lost.octets)


def _answer_of_a_namesake(scene: Scene, issuer: IssuerId) -> bytes:
    """An authority of the same name calls the certificate of a lost card good."""
    own, theirs = scene.services.responder, scene.namesake.responder
    known = Statuses({(issuer, SerialNumber(scene.serial(issuer, "card-lost"))): GOOD})
    key = replace(theirs.keys[issuer], issuer=own.keys[issuer].issuer)
    forger = Responder({issuer: key}, known, own.policy, admit_all, own.clock, own.steady, own.record)
    return answer(forger, question(scene, issuer, "card-lost")).der


def _answer_that_calls_the_unrecorded_revoked(scene: Scene, issuer: IssuerId) -> bytes:
    """By the setting `never_issued = "revoked"`."""
    responder = scene.services.responder
    policy = replace(responder.policy, never_issued="revoked")
    return answer(replace(responder, policy=policy, admit=admit_all), question(scene, issuer, "unrecorded")).der


ANSWERS: Mapping[str, tuple[str, Exhibit]] = {
    "its own": ("card-lost", lambda scene, issuer: ask(scene, issuer, "card-lost")),
    "its own of three hours ago": ("card-lost", _answer_of_hours_ago),
    "a good one's": ("card-lost", lambda scene, issuer: ask(scene, issuer, "good")),
    "a good one's, the serial changed": ("card-lost", _answer_with_the_serial_changed),
    "a good one's of the other generation": (
        "card-lost",
        lambda scene, issuer: ask(scene, other_generation(issuer), "good"),
    ),
    "a namesake's, who calls it good": ("card-lost", _answer_of_a_namesake),
    "never issued, so revoked": ("unrecorded", _answer_that_calls_the_unrecorded_revoked),
}
"""The fate of the certificate that the answer is held against, and the answer."""
