"""What `jpki-verify` is tried on: holders' certificates as the profiles make them, and status that is at hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cache

from ca.tbs import build_tbs
from domain.signing import assemble
from jpki_verify import Verifier
from jpki_verify.certificates import Holder
from jpki_verify.ocsp_answer import Status, Word
from tests.support.authority import leaf_plan, signer_of


@cache
def holder_certificate(profile: str, number: int = 0) -> bytes:
    """A certificate (DER) under a profile of `config/profiles/`, over the holder key of that number."""
    plan = leaf_plan(profile, number=number)
    signer = signer_of(plan)
    tbs = build_tbs(plan, signer.algorithm)
    return assemble(tbs, signer.algorithm, signer.sign(tbs))


def good(verifier: Verifier) -> Verifier:
    """The verifier, with one source that calls everything good."""
    return replace(verifier, sources={"ocsp": _good})


def _good(holder: Holder, now: datetime) -> Status:
    return Status(Word.GOOD, now)
