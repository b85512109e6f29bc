"""What `jpki-verify check-config` looks at, and what it says to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jpki_verify.anchors import read_certificate
from jpki_verify.exchange import Limits, post
from jpki_verify.rejection import Rejected, Unusable
from jpki_verify.settings import Kind
from jpki_verify.verifier import Verifier

_SOON = timedelta(days=30)
_HOW = {True: "run jpki-verify filters, and have it run some times a day", False: "put the filters of your class there"}


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is in order, and what to do next; nothing to do when that is empty."""

    checks: list[str]
    next: list[str]


def inspect(path: Path, *, online: bool, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Inspection:
    """Look at the settings in a file and everything that they name; with `online` ask the responder, too.

    Raises nothing that a person could mend: that is in `next`.
    """
    try:
        verifier = Verifier.open(path, clock=clock)
    except Rejected as rejected:
        return Inspection([], rejected.detail.split("; "))
    now = verifier.clock()
    checks = [
        f"{path.name} can be read",
        f"{len(verifier.anchors)} trust anchors fit their pinned digests",
        f"status comes from {', then '.join(verifier.sources)}",
        f"{verifier.settings.store.path.name} can be written",
    ]
    todo = [*_of_anchors(verifier, now), *_of_credential(verifier, now), *_of_files(verifier)]
    if online and not todo:
        for name, fault in _online(verifier):
            if fault:
                todo.append(f"{name}: {fault}")
            else:
                checks.append(f"{name} answers")
    return Inspection(checks, todo)


def _of_anchors(verifier: Verifier, now: datetime) -> Iterator[str]:
    kinds = {anchor.kind for anchor in verifier.anchors}
    for kind in Kind:
        if kind not in kinds and verifier.settings.trust.policies[kind]:
            yield f"there is no anchor for {kind.value} certificates: add one, or empty its policies"
    for anchor in verifier.anchors:
        ends = anchor.certificate.not_valid_after_utc
        if ends - now < _SOON:
            yield f"the anchor {anchor.name} ends on {ends:%Y-%m-%d}: ask the authority for the next generation"


def _of_credential(verifier: Verifier, now: datetime) -> Iterator[str]:
    credential = verifier.settings.credential
    certificate = read_certificate(credential.certificate.read_bytes())
    ends = certificate.not_valid_after_utc
    if ends - now < _SOON:
        yield f"{credential.certificate.name} ends on {ends:%Y-%m-%d}: ask the authority for the next one"
    if credential.key.stat().st_mode & 0o077:
        yield f"{credential.key} can be read by others: chmod 600 {credential.key}"


def _of_files(verifier: Verifier) -> Iterator[str]:
    settings = verifier.settings
    if settings.audience == "www.example.jp":
        yield "audience is still that of the template: put your own name on the net there"
    if settings.status.filters and not any(settings.status.filters.glob("*.base.filter")):
        yield f"{settings.status.filters} has no base filter: {_HOW[bool(settings.status.filters_url)]}"
    if settings.store.path.stat().st_mode & 0o077:
        yield f"{settings.store.path} can be read by others: chmod 600 {settings.store.path}"


def _online(verifier: Verifier) -> Iterator[tuple[str, str | None]]:
    """(what was asked, what is wrong with the answer). The responder is asked about nobody: octets that are no request
    show whether something that speaks OCSP is there."""
    url = verifier.settings.status.ocsp
    if url and url.startswith("http://"):
        try:
            post(
                url,
                b"0\x00",
                "application/ocsp-request",
                "application/ocsp-response",
                Limits(verifier.settings.status.patience, 1 << 16),
            )
        except Unusable as unusable:
            yield "ocsp", f"nothing there speaks OCSP ({unusable.reason.value}): see [status] ocsp"
        else:
            yield "ocsp", None
