"""Signatures are timed for whoever watches, as often as is said, also in processes that nobody can ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.signing import SECONDS, SigningCounts, SigningTimes, counts_of
from domain.errors import Refusal
from tests.support.signers import WrappedSigner, responder_signer

SIGNER = responder_signer("signature", "g1")


def test_the_first_of_so_many_signatures_is_told() -> None:
    times, told = SigningTimes(), list[tuple[str, str]]()
    times.hear(lambda role, kind, seconds: told.append((role, kind)) if seconds > 0 else None)
    signer = times.timed("responder", SIGNER, every=4)
    signatures = [signer.sign_digest(bytes(32)) if n % 2 else signer.sign(b"answer") for n in range(9)]
    assert all(signatures)
    assert told == [("responder", "ec-p256")] * 3
    assert (signer.algorithm, signer.key_id) == (SIGNER.algorithm, SIGNER.key_id)


def test_a_signature_that_fails_is_not_told_and_the_next_one_is() -> None:
    times, told = SigningTimes(), list[str]()
    times.hear(lambda role, _kind, _seconds: told.append(role))
    inner = WrappedSigner(SIGNER, away=True)
    signer = times.timed("issuing", inner)
    with pytest.raises(Refusal):
        signer.sign(b"certificate")
    assert told == []
    inner.away = False
    signer.sign(b"certificate")
    assert told == ["issuing"]


def test_counts_of_a_process_without_a_door_are_read_by_others(tmp_path: Path) -> None:
    counts = SigningCounts(tmp_path, "publisher")
    for seconds in (0.5 * SECONDS[0], SECONDS[0], 1.5 * SECONDS[0], 2 * SECONDS[-1]):
        counts.tell("lists", "rsa", seconds)
    counts.keep()
    counts.tell("audit", "ed25519", SECONDS[0])
    counts.keep()
    audit, lists = sorted(counts_of(tmp_path), key=lambda row: row.role)
    assert (lists.process, lists.role, lists.kind) == ("publisher", "lists", "rsa")
    assert lists.counts == (2, 1, *[0] * (len(SECONDS) - 2), 1)
    assert lists.seconds == pytest.approx(3 * SECONDS[0] + 2 * SECONDS[-1])
    assert sum(audit.counts) == 1
    assert [path.name for path in (tmp_path / "signing-times").iterdir()] == ["publisher.json"]


def test_what_cannot_be_written_or_read_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "signing-times").write_text("a file where the folder should be")
    counts = SigningCounts(tmp_path, "publisher")
    counts.tell("lists", "rsa", 1.0)
    counts.keep()
    assert list(counts_of(tmp_path)) == []
    other = tmp_path / "other"
    SigningCounts(other, "publisher").keep()
    (other / "signing-times").mkdir(parents=True)
    (other / "signing-times" / "publisher.json").write_text("[[1,")
    assert list(counts_of(other)) == []
