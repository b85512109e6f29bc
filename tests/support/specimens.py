"""What `jpki-verify` is tried on: holders' certificates as the profiles make them, and status that is at hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cache

from ca.tbs import build_tbs
from domain.certificates import Kind
from domain.signing import assemble
from jpki_verify import Kind as TrustedKind
from jpki_verify import Verifier
from jpki_verify.anchors import Anchor, fingerprint, key_identifier, read_certificate
from jpki_verify.certificates import Holder
from jpki_verify.ocsp_answer import Status, Word
from jpki_verify.signatures import key_of
from tests.support.authority import leaf_plan, make_issuer, signer_of


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


def make_anchor(kind: Kind, generation: str) -> Anchor:
    """The authority as an anchor."""
    certificate = read_certificate(make_issuer(kind, generation).certificate)
    key = key_of(certificate)
    assert key
    return Anchor(TrustedKind(kind.value), certificate, key, key_identifier(certificate), fingerprint(certificate))


def make_holder(profile: str, number: int = 0) -> Holder:
    """An accepted certificate under a profile."""
    kind = Kind.SIGNATURE if profile.startswith("signature") else Kind.AUTHENTICATION
    anchor = make_anchor(kind, "g2" if profile.endswith("p384") else "g1")
    certificate = read_certificate(holder_certificate(profile, number))
    key = key_of(certificate)
    assert key
    return Holder(certificate, anchor, key)
