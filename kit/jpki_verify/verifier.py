"""The verifier: what an operator's program calls. Certificates come in, handles go out, nothing else stays."""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from jpki_verify.accounts import recall
from jpki_verify.anchors import Anchor, load_anchors
from jpki_verify.certificates import Holder, accept
from jpki_verify.challenge import NONCE_OCTETS, make_challenge, redeem_challenge
from jpki_verify.cms import SignedDocument
from jpki_verify.handles import Handles
from jpki_verify.items import FourItems, items_of
from jpki_verify.rejection import Code, Reason, Rejected
from jpki_verify.settings import Kind, Settings, load_settings
from jpki_verify.signatures import verify_raw
from jpki_verify.sources import open_handles, open_sources, open_upkeep
from jpki_verify.status import Ask, confirm
from jpki_verify.store import Erased, Evidence, Store
from jpki_verify.transaction import BARE_NONCE_OCTETS, SALT_OCTETS, Transaction, transaction_about
from jpki_verify.upkeep import Kept

_log = logging.getLogger("jpki_verify")


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Somebody is confirmed. `handle` is all that is to be kept. `items` are the four items of a signing certificate,
    for this moment; they are not printed. `passed_over` names sources that could not tell, and why."""

    handle: str
    kind: Kind
    checked_at: datetime
    source: str
    as_of: datetime
    passed_over: tuple[tuple[str, Reason], ...]
    items: FourItems | None = field(repr=False)


@dataclass(frozen=True, repr=False)
class Verifier:
    """One operator's verifier; threads may share it. Everything it needs of the world is handed to it."""

    settings: Settings
    anchors: tuple[Anchor, ...]
    sources: dict[str, Ask]
    handles: Handles
    store: Store
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        random: Callable[[int], bytes] = os.urandom,
    ) -> Self:
        """The verifier of a settings file. Raises Rejected(BAD_CONFIGURATION) with what is wrong and what to do."""
        settings = load_settings(Path(path).resolve())
        try:
            store = Store(settings.store.path)
            anchors = load_anchors(settings.trust, clock())
            return cls(
                settings=settings,
                anchors=anchors,
                sources=open_sources(settings, store),
                handles=open_handles(settings),
                store=store,
                clock=clock,
                random=random,
            )
        except (ssl.SSLError, OSError) as error:
            raise Rejected(
                Code.BAD_CONFIGURATION, f"the files for TLS cannot be used: {error.strerror or error}"
            ) from None

    def new_challenge(self) -> str:
        """A text for the card to sign: send it to the browser, and keep it with the session until it comes back."""
        now, rules = self.clock(), self.settings.store
        return make_challenge(self.settings.audience, self.random(NONCE_OCTETS), now, rules.challenge_life, self.store)

    def log_in(self, challenge: str, certificate: bytes, signature: bytes) -> Confirmed:
        """Who signed the challenge with an authentication certificate (DER or PEM). Raises Rejected."""
        with _telling(Kind.AUTHENTICATION):
            signed = redeem_challenge(challenge, self.clock(), self.store)
            return self._confirm(certificate, Kind.AUTHENTICATION, signed, signature)

    def check_signature(self, document: bytes, certificate: bytes, signature: bytes) -> Confirmed:
        """Who signed the octets of a document with a signing certificate (DER or PEM). Raises Rejected."""
        with _telling(Kind.SIGNATURE):
            return self._confirm(certificate, Kind.SIGNATURE, document, signature)

    def check_cms(self, signed: bytes, document: bytes | None = None) -> Confirmed:
        """Who signed a document in CMS: with the content inside, or with `document` beside it. Raises Rejected."""
        with _telling(Kind.SIGNATURE):
            opened = SignedDocument(signed)
            holder = self.accept(opened.certificate, Kind.SIGNATURE)
            return self._finish(holder, self._transaction(opened.content(document)))

    def accept(self, certificate: bytes, kind: Kind) -> Holder:
        """The certificate of a holder as far as it can be told without asking anybody. Raises Rejected."""
        return accept(certificate, kind, self.anchors, self.settings.trust, self.clock())

    def check_certificate(self, certificate: bytes, kind: Kind) -> Confirmed:
        """Whose certificate this is, and that it is good. Nobody has shown that it is theirs: ask so only about a
        transaction that you can show, since the authority notices who asks for no reason. Raises Rejected."""
        with _telling(kind):
            return self._finish(self.accept(certificate, kind), None)

    def recall(self, person: Confirmed) -> str | None:
        """What your own system calls this person, or None for somebody new. Raises Rejected."""
        return recall(person.handle, self.store, self.handles, self.clock())

    def remember(self, person: Confirmed, reference: str) -> None:
        """Keep what your own system calls this person, until nobody asks for it any more."""
        self.store.remember(person.handle, person.kind.value, reference, self.clock())

    def update_filters(self) -> list[Kept]:
        """Fetch the newest filters of your class; run it some times a day. Raises Rejected(BAD_CONFIGURATION,
        NOT_ADMITTED or STATUS_AWAY); what was kept before stays in use until it is over."""
        kept = open_upkeep(self.settings, self.anchors, self.store).update(self.clock())
        _log.info("filters: %d kept, %d fetched", len(kept), sum(len(one.fetched) for one in kept))
        return kept

    def erase(self) -> Erased:
        """Erase what is over; run it once a day. Nobody else erases anything."""
        erased = self.store.erase(self.clock(), self.settings.store.account_life)
        _log.info(
            "erased: %d challenges, %d accounts, %d records of evidence",
            erased.challenges,
            erased.accounts,
            erased.evidence,
        )
        return erased

    def _confirm(self, certificate: bytes, kind: Kind, octets: bytes, signature: bytes) -> Confirmed:
        holder = self.accept(certificate, kind)
        # Before anybody is asked about the certificate: who cannot sign with it learns nothing about it here.
        if not verify_raw(holder.key, octets, signature):
            raise Rejected(Code.BAD_SIGNATURE, "the signature is not by the key of the certificate")
        return self._finish(holder, self._transaction(octets))

    def _transaction(self, octets: bytes) -> Transaction:
        return transaction_about(octets, self.random(SALT_OCTETS))

    def _finish(self, holder: Holder, transaction: Transaction | None) -> Confirmed:
        """Status and handle of a holder who is otherwise accepted."""
        nonce = transaction.commitment if transaction else self.random(BARE_NONCE_OCTETS)
        found = confirm(holder, self.sources, self.clock(), nonce)
        handle = self.handles.handle_of(holder)
        now, rules = self.clock(), self.settings
        if rules.store.evidence_life and transaction:
            about = holder.kind.value, rules.declared.purposes[holder.kind] or "", found.source, found.as_of
            kept = Evidence(now, handle, *about, transaction.digest, transaction.salt)
            self.store.keep_evidence(kept, rules.store.evidence_life)
        _log.info("confirmed: %s by %s%s", holder.kind.value, found.source, _said(found.passed_over))
        items = items_of(holder.certificate) if holder.kind is Kind.SIGNATURE else None
        return Confirmed(handle, holder.kind, now, found.source, found.as_of, found.passed_over, items)


@contextmanager
def _telling(kind: Kind) -> Iterator[None]:
    """Log what was not confirmed."""
    try:
        yield
    except Rejected as rejected:
        _log.info("not confirmed: %s: %s%s", kind.value, rejected.code.value, _said(rejected.passed_over))
        raise


def _said(passed_over: tuple[tuple[str, Reason], ...]) -> str:
    return "".join(f", {name} could not tell ({reason.value})" for name, reason in passed_over)
