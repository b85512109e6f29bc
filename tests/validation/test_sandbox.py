"""The sandbox: documents are read elsewhere, within limits, and whatever they do to their reader, the next is read."""

from __future__ import annotations

import os
import signal
import zlib
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from domain.certificates import Kind
from domain.errors import Code, Refusal
from domain.validations import Format, Reason
from tests.support.authority import NOW
from tests.support.certificates import certificate_over
from tests.support.consents import SoftwareCard
from tests.support.requests import holder_key
from tests.support.signed import CONTENT, changed_pdf, openssl_cms, signed_pdf, signed_xml
from tests.support.stamps import stamp_authority, stamper
from validation.finding import Examination, Finding, SigningTime
from validation.sandbox import AT_ONCE, WAITING, Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    opened = Sandbox([stamp_authority("stamps")])
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def harsh() -> Iterator[Sandbox]:
    """Its readers are as bad as can be, and have a second."""
    opened = Sandbox(program="tests.support.endless_reader")
    yield opened
    opened.close()


def examination(card: SoftwareCard, format_: Format, document: bytes, signature: bytes | None = None) -> Examination:
    return Examination(format_, document, signature, card.certificate, NOW)


def refused(sandbox: Sandbox, asked: Examination) -> Refusal:
    with pytest.raises(Refusal) as told:
        sandbox(asked)
    return told.value


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_every_format_is_read_there(sandbox: Sandbox, kind: str) -> None:
    """Nothing can be opened there any more: what a library would load later was loaded before."""
    key = holder_key(kind)
    card = SoftwareCard(certificate_over(key), key)
    pss = ("-keyopt", "rsa_padding_mode:pss") if kind == "rsa" else ()
    for format_, document in (
        (Format.CMS, openssl_cms(card, "-nodetach")),
        (Format.CMS, openssl_cms(card, "-nodetach", "-cades", *pss)),
        (Format.PDF, signed_pdf(card)),
        (Format.PDF, signed_pdf(card, timestamper=stamper("stamps", NOW))),
        (Format.XML, signed_xml(card)),
        (Format.XML, signed_xml(card, enveloping=True)),
    ):
        assert sandbox(examination(card, format_, document)).reasons == ()
    assert sandbox(examination(card, Format.CMS, CONTENT, openssl_cms(card))).reasons == ()
    wrong = sandbox(examination(card, Format.CMS, b"other", openssl_cms(card)))
    assert wrong == Finding((Reason.SIGNATURE_WRONG,))
    assert "changed" in refused(sandbox, examination(card, Format.PDF, changed_pdf(signed_pdf(card)))).detail


def test_time_stamps_are_believed_there(sandbox: Sandbox, card: SoftwareCard) -> None:
    time = sandbox(examination(card, Format.PDF, signed_pdf(card, timestamper=stamper("stamps", NOW)))).signing_time
    assert time == SigningTime(NOW, proven=True)


@pytest.mark.parametrize("format_", [Format.CMS, Format.XML], ids=["a file", "a connection"])
def test_nothing_is_opened(format_: Format, card: SoftwareCard) -> None:
    curious = Sandbox(program="tests.support.curious_reader")
    assert (
        refused(curious, examination(card, format_, b"document")).detail
        == f"the document cannot be read as {format_.value}"
    )
    curious.close()


def test_what_cannot_be_read_is_told(sandbox: Sandbox, card: SoftwareCard) -> None:
    refusal = refused(sandbox, examination(card, Format.CMS, b"no CMS"))
    assert (refusal.code, refusal.detail) == (Code.BAD_DOCUMENT, "the document cannot be read as cms")
    assert "exactly one signature" in refused(sandbox, examination(card, Format.XML, b"<x/>")).detail


def test_many_at_once(sandbox: Sandbox, cards: dict[Kind, SoftwareCard]) -> None:
    card = cards[Kind.SIGNATURE]
    asked = examination(card, Format.CMS, openssl_cms(card, "-nodetach"))
    with ThreadPoolExecutor(8) as pool:
        assert {finding.reasons for finding in pool.map(sandbox, [asked] * 24)} == {()}


@pytest.mark.parametrize("format_", Format, ids=["talkative", "endless", "greedy", "deadly"])
def test_a_reader_that_runs_away_is_killed_and_the_document_refused(
    harsh: Sandbox, card: SoftwareCard, format_: Format
) -> None:
    refusal = refused(harsh, examination(card, format_, b"document"))
    assert refusal.code is Code.BAD_DOCUMENT


def test_a_pdf_that_unfolds_to_gigabytes_is_refused(sandbox: Sandbox, card: SoftwareCard) -> None:
    bomb = zlib.compressobj(9)
    packed = b"".join(bomb.compress(bytes(1 << 24)) for _ in range(48)) + bomb.flush()
    head = b"%PDF-1.5\n1 0 obj\n<</Type /XRef /Size 2 /W [1 2 1] /Root 1 0 R /Filter /FlateDecode /Length "
    document = head + b"%d>>\nstream\n" % len(packed) + packed + b"\nendstream\nendobj\nstartxref\n9\n%%EOF\n"
    assert len(document) < 4_000_000
    assert refused(sandbox, examination(card, Format.PDF, document)).code is Code.BAD_DOCUMENT


def test_a_program_that_dies_is_started_again(card: SoftwareCard) -> None:
    sandbox = Sandbox()
    asked = examination(card, Format.XML, signed_xml(card))
    assert sandbox(asked).reasons == ()
    assert sandbox.process_id is not None
    os.kill(sandbox.process_id, signal.SIGKILL)
    os.waitid(os.P_PID, sandbox.process_id, os.WEXITED | os.WNOWAIT)
    assert sandbox(asked).reasons == ()
    sandbox.close()
    sandbox.close()
    assert sandbox(asked).reasons == ()
    sandbox.close()


def test_a_forked_child_starts_its_own(sandbox: Sandbox, card: SoftwareCard) -> None:
    asked = examination(card, Format.XML, signed_xml(card))
    assert sandbox(asked).reasons == ()
    before = sandbox.process_id
    child = os.fork()
    if child == 0:
        own = sandbox(asked).reasons == () and sandbox.process_id != before
        sandbox.close()
        os._exit(0 if own else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert sandbox(asked).reasons == ()
    assert sandbox.process_id == before


def test_who_comes_while_too_many_wait_is_asked_to_come_again_at_once(card: SoftwareCard) -> None:
    """Threads that wait for documents are threads that no municipality gets."""
    sandbox, asked = Sandbox(), examination(card, Format.CMS, openssl_cms(card, "-nodetach"))
    assert sandbox(asked).reasons == ()
    program = sandbox.process_id
    assert program is not None
    os.kill(program, signal.SIGSTOP)
    with ThreadPoolExecutor(AT_ONCE + WAITING + 1) as pool:
        futures = [pool.submit(sandbox, asked) for _ in range(AT_ONCE + WAITING + 1)]
        (first,) = wait(futures, return_when=FIRST_COMPLETED).done
        os.kill(program, signal.SIGCONT)
    assert isinstance(told := first.exception(), Refusal)
    assert told.code is Code.BUSY
    assert all(future.result().reasons == () for future in futures if future is not first)
    sandbox.close()


def test_without_a_program_callers_are_asked_to_come_again(card: SoftwareCard) -> None:
    sandbox = Sandbox(program="validation.nowhere")
    assert refused(sandbox, examination(card, Format.XML, b"<x/>")).code is Code.BUSY
    sandbox.close()


def test_secrets_in_the_environment_and_open_files_do_not_reach_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, card: SoftwareCard
) -> None:
    monkeypatch.setenv("JPKI_PASSPHRASE", "secret")
    sandbox = Sandbox()
    with (tmp_path / "key").open("wb") as key:
        os.set_inheritable(key.fileno(), True)
        sandbox(examination(card, Format.XML, signed_xml(card)))
        process = Path(f"/proc/{sandbox.process_id}")
        assert b"secret" not in (process / "environ").read_bytes()
        opened = {one.readlink() for one in (process / "fd").iterdir()}
        assert tmp_path / "key" not in opened
    sandbox.close()
