"""Nothing that the kit's objects and exceptions say of themselves has a serial: whoever logs them logs none."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509

from jpki_verify import Kind, Reason, Rejected, Verifier
from jpki_verify.certificates import Holder
from jpki_verify.filters import Filters
from jpki_verify.lists import ListRules, Lists
from jpki_verify.ocsp_answer import Status, Word
from jpki_verify.ocsp_request import question_about
from jpki_verify.rejection import Unusable
from jpki_verify.transaction import transaction_about
from tests.support.authority import NOW
from tests.support.operator import spellings
from tests.support.specimens import holder_certificate, make_holder, open_verifier

PROFILES = ("authentication-rsa2048", "signature-rsa2048", "authentication-p384", "signature-p384")
DAY = timedelta(days=1)

Ask = Callable[[Holder, datetime, bytes], Status]


def told_by(error: BaseException | None) -> Iterator[str]:
    """All that an exception says: itself, its arguments, where it came from, and what it hides behind `from None`."""
    while error is not None:
        yield "".join(traceback.format_exception(error, chain=False))
        yield f"{error!r} {error.args!r} {vars(error)!r}"
        yield from told_by(error.__cause__)
        error = error.__context__


def nothing(certificate: bytes, texts: list[str]) -> None:
    everything = "\n".join(texts).encode("utf-8", "surrogateescape")
    assert [form for form, octets in spellings(certificate).items() if octets in everything] == []


def says(word: Word) -> Ask:
    return lambda _holder, now, _nonce: Status(word, now, NOW - DAY)


def stumbles(_holder: Holder, _now: datetime, _nonce: bytes) -> Status:
    raise RuntimeError("a bug")


def cannot(_holder: Holder, _now: datetime, _nonce: bytes) -> Status:
    raise Unusable(Reason.UNREADABLE)


def failures(verifier: Verifier, certificate: bytes, kind: Kind) -> Iterator[Callable[[], object]]:
    """Everything that can go wrong with a certificate, and with what is made of it."""
    other = Kind.SIGNATURE if kind is Kind.AUTHENTICATION else Kind.AUTHENTICATION
    spoilt = [certificate[:-1], certificate + b"\0", certificate[:40], b"", certificate[4:]]
    for place in range(4, len(certificate), 97):
        spoilt += [certificate[:place] + bytes((certificate[place] ^ 0x10,)) + certificate[place + 1 :]]
    for octets in spoilt:
        yield partial(verifier.check_certificate, octets, kind)
    yield partial(verifier.check_certificate, certificate, other)
    yield partial(verifier.check_cms, certificate)
    yield partial(verifier.check_signature, b"contract", certificate, b"no signature")
    yield partial(verifier.log_in, verifier.new_challenge(), certificate, b"no signature")
    read = x509.load_der_x509_certificate(certificate)
    for moment in (read.not_valid_before_utc - DAY / 24, read.not_valid_after_utc + DAY / 24):
        yield partial(replace(verifier, clock=partial(_moment, moment)).check_certificate, certificate, kind)
    for ask in (says(Word.REVOKED), says(Word.HELD), says(Word.UNKNOWN), stumbles, cannot):
        yield partial(replace(verifier, sources={"ocsp": ask}).check_certificate, certificate, kind)
    yield partial(replace(verifier, anchors=()).check_certificate, certificate, kind)


def _moment(moment: datetime) -> datetime:
    return moment


@pytest.mark.parametrize("profile", PROFILES)
def test_exceptions_tell_of_no_serial_wherever_they_come_from(
    tmp_path: Path, profile: str, caplog: pytest.LogCaptureFixture
) -> None:
    certificate, kind = holder_certificate(profile), Kind(profile.partition("-")[0])
    verifier = open_verifier(tmp_path)
    texts, codes = list[str](), set[str]()
    with caplog.at_level(logging.DEBUG):
        for fail in failures(verifier, certificate, kind):
            try:
                fail()
            except Exception as error:
                logging.getLogger("an operator's own").exception("something went wrong")
                codes.add(error.code.value if isinstance(error, Rejected) else type(error).__name__)
                texts += told_by(error)
    assert {"no-certificate", "unknown-issuer", "wrong-kind", "revoked", "held", "never-issued"} <= codes
    assert {"bad-document", "status-away", "expired", "not-yet-valid", "RuntimeError"} <= codes
    assert "something went wrong" in caplog.text
    nothing(certificate, [*texts, caplog.text])


@pytest.mark.parametrize("profile", PROFILES)
def test_objects_say_nothing_of_it_when_they_are_printed(tmp_path: Path, profile: str) -> None:
    """As debuggers, loggers and reports of errors print them."""
    certificate, holder = holder_certificate(profile), make_holder(profile)
    verifier = open_verifier(tmp_path)
    question = question_about(holder, bytes(32))
    lists = Lists(ListRules("http://127.0.0.1:9/crl", DAY, DAY), lambda _url, _kind: b"", lambda _scope, _number: True)
    objects = [
        holder,
        holder.anchor,
        question,
        transaction_about(certificate, bytes(16)),
        lists,
        Filters(tmp_path, tmp_path / "class.key", DAY),
        Status(Word.REVOKED, NOW, NOW),
        verifier,
        verifier.store,
        verifier.check_certificate(certificate, Kind(profile.partition("-")[0])),
        holder.key,
        holder.certificate,
    ]
    nothing(certificate, [form(one) for one in objects for form in (repr, str)])


def hidden(serial: int) -> None:
    try:
        int(f"no number, but {serial:x}")
    except ValueError:
        raise RuntimeError("nothing to see") from None


@pytest.mark.parametrize("raises", [lambda serial: int(f"{serial}?"), hidden], ids=["plain", "behind another"])
def test_what_is_searched_for_would_be_found(raises: Callable[[int], object]) -> None:
    serial = make_holder(PROFILES[0]).certificate.serial_number
    with pytest.raises((ValueError, RuntimeError)) as caught:
        raises(serial)
    with pytest.raises(AssertionError):
        nothing(holder_certificate(PROFILES[0]), list(told_by(caught.value)))
