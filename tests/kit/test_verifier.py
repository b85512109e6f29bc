"""The verifier as an operator's program calls it: challenges, signatures, what is kept, told and erased."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest

from jpki_verify import Code, Confirmed, Erased, Kind, Reason, Rejected, Verdict, Verifier
from jpki_verify.certificates import Holder
from jpki_verify.ocsp_answer import Status, Word
from jpki_verify.rejection import Unusable
from jpki_verify.status import Ask
from tests.support.authority import NOW, TurnedClock
from tests.support.operator import AUDIENCE, card_signs, spellings
from tests.support.requests import holder_key
from tests.support.specimens import holder_certificate, open_verifier

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
LOGIN, SIGNING = holder_certificate("authentication-rsa2048"), holder_certificate("signature-rsa2048")
CARD = holder_key("rsa")


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def verifier(tmp_path: Path, clock: TurnedClock) -> Verifier:
    return open_verifier(tmp_path, clock=clock, store={"evidence_days": 30, "account_days": 90})


def log_in(verifier: Verifier, challenge: str, signed: str | None = None, card: int = 0) -> Confirmed:
    text = challenge if signed is None else signed
    return verifier.log_in(challenge, LOGIN, card_signs(holder_key("rsa", card), text.encode(errors="replace")))


def refusal(act: Callable[[], object]) -> Code:
    with pytest.raises(Rejected) as caught:
        act()
    return caught.value.code


def saying(word: Word) -> Ask:
    return lambda holder, now, nonce: Status(word, now, NOW - DAY)


def away(reason: Reason) -> Ask:
    def ask(holder: Holder, now: datetime, nonce: bytes) -> Status:
        raise Unusable(reason)

    return ask


def test_a_challenge_names_who_asks_and_is_another_each_time(verifier: Verifier) -> None:
    first, second = verifier.new_challenge(), verifier.new_challenge()
    assert first != second
    assert first.splitlines()[:3] == ["jpki-verify challenge 1", f"for: {AUDIENCE}", "until: 2027-04-01T00:03:00Z"]


def test_who_asks_may_have_any_name(tmp_path: Path) -> None:
    made = open_verifier(tmp_path)
    named = replace(made, settings=replace(made.settings, audience="清瀬銀行"))
    assert log_in(named, named.new_challenge()).kind is Kind.AUTHENTICATION


def test_logging_in(verifier: Verifier) -> None:
    found = log_in(verifier, verifier.new_challenge())
    assert (found.kind, found.source, found.checked_at) == (Kind.AUTHENTICATION, "ocsp", NOW)
    assert found.items is None


@pytest.mark.parametrize("key", [0, 2], ids=["the-card", "another-card"])
def test_a_challenge_is_good_once_whatever_comes_of_it(verifier: Verifier, key: int) -> None:
    challenge = verifier.new_challenge()
    if key:
        assert refusal(lambda: log_in(verifier, challenge, card=key)) is Code.BAD_SIGNATURE
    else:
        log_in(verifier, challenge)
    assert refusal(lambda: log_in(verifier, challenge)) is Code.WRONG_CHALLENGE


def test_a_challenge_is_good_until_its_end(verifier: Verifier, clock: TurnedClock) -> None:
    first, second = verifier.new_challenge(), verifier.new_challenge()
    clock.forward(timedelta(minutes=3))
    assert log_in(verifier, first).kind is Kind.AUTHENTICATION
    clock.forward(SECOND)
    assert refusal(lambda: log_in(verifier, second)) is Code.WRONG_CHALLENGE


def test_challenges_that_are_over_go_as_others_are_made(verifier: Verifier, clock: TurnedClock) -> None:
    for _ in range(6):
        verifier.new_challenge()
    clock.forward(timedelta(minutes=4))
    for _ in range(3):
        verifier.new_challenge()
    assert verifier.erase().challenges == 0


@pytest.mark.parametrize(
    "text", ["", "jpki-verify challenge 1\nfor: bank.example", "x" * 2000, "チャレンジ", "\ud800"], ids=len
)
def test_what_was_not_made_here_is_no_challenge(verifier: Verifier, text: str) -> None:
    assert refusal(lambda: log_in(verifier, text)) is Code.WRONG_CHALLENGE


def test_one_made_for_somebody_else_is_no_challenge_here(verifier: Verifier, tmp_path: Path) -> None:
    other = open_verifier(tmp_path / "other")
    assert refusal(lambda: log_in(verifier, other.new_challenge())) is Code.WRONG_CHALLENGE


def test_of_many_at_the_same_moment_one_redeems_a_challenge(verifier: Verifier) -> None:
    challenge, barrier, outcomes = verifier.new_challenge(), Barrier(4), list[str]()

    def attempt() -> None:
        barrier.wait()
        try:
            log_in(verifier, challenge)
            outcomes.append("in")
        except Rejected as rejected:
            outcomes.append(rejected.code.value)

    threads = [Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", *["wrong-challenge"] * 3]


def test_a_signing_certificate_logs_nobody_in_and_an_authentication_certificate_signs_nothing(
    verifier: Verifier,
) -> None:
    challenge = verifier.new_challenge()
    signed = card_signs(CARD, challenge.encode())
    assert refusal(lambda: verifier.log_in(challenge, SIGNING, signed)) is Code.WRONG_KIND
    assert refusal(lambda: verifier.check_signature(b"x", LOGIN, card_signs(CARD, b"x"))) is Code.WRONG_KIND


@pytest.mark.parametrize("profile", ["signature-rsa2048", "signature-p384", "signature-mobile-p384"])
def test_a_signed_document(verifier: Verifier, profile: str) -> None:
    card = holder_key("ec" if profile.endswith("p384") else "rsa")
    found = verifier.check_signature(b"document", holder_certificate(profile), card_signs(card, b"document"))
    assert found.items
    assert found.items.name == "霧島　透子"
    other = card_signs(card, b"another document")
    certificate = holder_certificate(profile)
    assert refusal(lambda: verifier.check_signature(b"document", certificate, other)) is Code.BAD_SIGNATURE


@pytest.mark.parametrize("signature", [b"", b"\x00", b"\x30\x00", b"x" * 5000], ids=len)
@pytest.mark.parametrize("profile", ["signature-rsa2048", "signature-p384"])
def test_what_is_no_signature(verifier: Verifier, profile: str, signature: bytes) -> None:
    certificate = holder_certificate(profile)
    assert refusal(lambda: verifier.check_signature(b"d", certificate, signature)) is Code.BAD_SIGNATURE


def test_nobody_is_asked_about_a_certificate_that_its_owner_did_not_use(verifier: Verifier) -> None:
    asked: list[Holder] = []

    def remember(holder: Holder, now: datetime, nonce: bytes) -> Status:
        asked.append(holder)
        return Status(Word.GOOD, now)

    curious = replace(verifier, sources={"ocsp": remember})
    assert refusal(lambda: log_in(curious, curious.new_challenge(), signed="x")) is Code.BAD_SIGNATURE
    assert asked == []
    log_in(curious, curious.new_challenge())
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("word", "code"), [(Word.REVOKED, Code.REVOKED), (Word.HELD, Code.HELD), (Word.UNKNOWN, Code.NEVER_ISSUED)]
)
def test_what_is_not_good_ends_the_question(verifier: Verifier, word: Word, code: Code) -> None:
    asked = replace(verifier, sources={"ocsp": saying(word), "lists": saying(Word.GOOD)})
    assert refusal(lambda: log_in(asked, asked.new_challenge())) is code


def test_the_next_source_is_asked_when_one_cannot_tell(verifier: Verifier) -> None:
    sources = {"filter": away(Reason.NOT_COVERED), "ocsp": away(Reason.TRY_LATER), "lists": saying(Word.GOOD)}
    asked = replace(verifier, sources=sources)
    found = log_in(asked, asked.new_challenge())
    assert found.source == "lists"
    assert found.passed_over == (("filter", Reason.NOT_COVERED), ("ocsp", Reason.TRY_LATER))


def test_when_nobody_can_tell_nobody_is_let_in(verifier: Verifier) -> None:
    asked = replace(verifier, sources={"ocsp": away(Reason.TRY_LATER), "lists": away(Reason.STALE)})
    with pytest.raises(Rejected) as caught:
        log_in(asked, asked.new_challenge())
    assert (caught.value.code, caught.value.code.verdict) == (Code.STATUS_AWAY, Verdict.UNDECIDED)
    assert "ocsp: try-later, lists: stale" in caught.value.detail


def test_a_person_is_remembered_by_handle_and_reference(verifier: Verifier) -> None:
    person = log_in(verifier, verifier.new_challenge())
    assert verifier.recall(person) is None
    verifier.remember(person, "customer 17")
    assert verifier.recall(log_in(verifier, verifier.new_challenge())) == "customer 17"
    verifier.remember(person, "customer 18")
    assert verifier.recall(person) == "customer 18"


def test_evidence_is_the_least_that_shows_it(verifier: Verifier) -> None:
    handle = log_in(verifier, verifier.new_challenge()).handle
    (evidence,) = verifier.store.evidence(handle)
    assert (evidence.at, evidence.kind, evidence.source, evidence.as_of) == (NOW, "authentication", "ocsp", NOW)
    assert len(evidence.salt) == 32


def test_the_nonce_commits_to_what_was_signed_and_the_evidence_opens_it(verifier: Verifier) -> None:
    nonces: list[bytes] = []

    def remember(holder: Holder, now: datetime, nonce: bytes) -> Status:
        nonces.append(nonce)
        return Status(Word.GOOD, now)

    asked = replace(verifier, sources={"ocsp": remember})
    for _ in range(2):
        asked.check_signature(b"contract", SIGNING, card_signs(CARD, b"contract"))
    digest = hashlib.sha256(b"contract").digest()
    opened = [hashlib.sha256(row.salt + row.digest).digest() for row in verifier.store.evidence()]
    assert {row.digest for row in verifier.store.evidence()} == {digest}
    assert nonces == opened
    assert len(set(nonces)) == 2
    asked.check_certificate(SIGNING, Kind.SIGNATURE)
    assert len(nonces[2]) == 24, "no transaction: not of the length of a commitment"
    assert len(verifier.store.evidence()) == 2


def test_no_evidence_is_kept_unless_it_is_asked_for(tmp_path: Path) -> None:
    verifier = open_verifier(tmp_path, store={"evidence_days": 0})
    assert verifier.store.evidence(log_in(verifier, verifier.new_challenge()).handle) == []


def test_what_is_over_is_erased_and_the_rest_stays(verifier: Verifier, clock: TurnedClock) -> None:
    person = log_in(verifier, verifier.new_challenge())
    handle = person.handle
    verifier.remember(person, "old customer of long ago")
    verifier.new_challenge()
    assert verifier.erase() == Erased(0, 0, 0)
    clock.forward(30 * DAY)
    assert verifier.erase() == Erased(challenges=1, accounts=0, evidence=1)
    clock.forward(60 * DAY)
    assert verifier.erase() == Erased(0, 0, 0), "the ninetieth day belongs to it"
    clock.forward(SECOND)
    assert verifier.erase() == Erased(0, 1, 0)
    octets = verifier.settings.store.path.read_bytes()
    assert b"old customer" not in octets
    assert handle.encode() not in octets


def test_being_seen_again_lengthens_the_stay(verifier: Verifier, clock: TurnedClock) -> None:
    person = log_in(verifier, verifier.new_challenge())
    verifier.remember(person, "customer")
    clock.forward(80 * DAY)
    assert verifier.recall(person) == "customer"
    clock.forward(80 * DAY)
    assert verifier.erase().accounts == 0


def test_a_person_can_be_forgotten(verifier: Verifier) -> None:
    person = log_in(verifier, verifier.new_challenge())
    verifier.remember(person, "customer")
    assert verifier.store.forget(person.handle)
    assert not verifier.store.forget(person.handle)
    assert verifier.store.evidence(person.handle) == []
    assert verifier.recall(person) is None


def test_the_number_of_a_list_never_goes_back(verifier: Verifier) -> None:
    large = 1 << 150
    assert [verifier.store.is_newest("scope", number) for number in (5, 5, large, 6, large, large + 1)] == [
        True, True, True, False, True, True,
    ]  # fmt: skip
    assert verifier.store.is_newest("another scope", 1)


def test_neither_store_nor_log_nor_text_has_a_serial(verifier: Verifier, caplog: pytest.LogCaptureFixture) -> None:
    told = [repr(verifier)]
    with caplog.at_level(logging.DEBUG):
        told.append(repr(log_in(verifier, verifier.new_challenge())))
        told.append(repr(verifier.check_signature(b"d", SIGNING, card_signs(CARD, b"d"))))
        for word in Word:
            asked = replace(verifier, sources={"ocsp": saying(word)})
            try:
                told.append(repr(asked.check_certificate(SIGNING, Kind.SIGNATURE)))
            except Rejected as rejected:
                told.append(f"{rejected!r} {rejected} {rejected.detail} {rejected.__context__!r}")
    everything = verifier.settings.store.path.read_bytes() + " ".join([*told, caplog.text]).encode()
    assert "confirmed: authentication by ocsp" in caplog.text
    assert "not confirmed: signature: revoked" in caplog.text
    for certificate in (LOGIN, SIGNING):
        assert [name for name, octets in spellings(certificate).items() if octets in everything] == []
    for text in ("霧島", "清瀬市霞野"):
        assert text.encode() not in everything


def test_the_file_is_its_owner_s(verifier: Verifier) -> None:
    assert verifier.settings.store.path.stat().st_mode & 0o777 == 0o600


def test_no_column_is_meant_for_a_serial(verifier: Verifier) -> None:
    with sqlite3.connect(verifier.settings.store.path) as database:
        (schema,) = database.execute("SELECT group_concat(lower(sql)) FROM sqlite_master").fetchone()
    database.close()
    assert "accounts" in schema
    for word in ("serial", "certificate", "subject_key", "fingerprint"):
        assert word not in schema


def test_a_database_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(Rejected) as caught:
        open_verifier(tmp_path, store={"path": "no/such/folder.db"})
    assert caught.value.code is Code.BAD_CONFIGURATION
