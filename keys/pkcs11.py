"""Keys that never leave a PKCS#11 token: a hardware security module, or SoftHSM in its place."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import load_der_x509_certificate

from domain import der, oids
from domain.errors import Code, Refusal
from keys.algorithms import ECDSA_SHA384, PublicKey, algorithm_of, key_id_of, public_octets, verify
from keys.cryptoki import ECDSA, PIN_FAULTS, PRIVATE_KEY, PUBLIC_KEY, RSA_PKCS, CryptokiError, Module
from keys.token_keys import make_pair, public_of

T = TypeVar("T")

_log = logging.getLogger(__name__)

_PATIENCE = 10.0
"""Seconds to wait for another thread's signature."""

_WANTED = "a token's key must be RSA of 2048 bits or more, P-256 or P-384, and its certificate readable"

_SHA256 = der.sequence(der.oid(oids.SHA256), der.tlv(der.NULL))


class Pkcs11Token:
    """One token, one session, one signature at a time. Opened when first used, in the process that uses it.

    A session that broke (an idle timeout, a short outage) is replaced once within the call. A wrong PIN is tried once
    and never again by this process: tokens lock themselves after a few.
    """

    def __init__(self, module: str, label: str, pin: bytes) -> None:
        """`module` is the path of the token maker's library."""
        self._path = module
        self._label = label
        self._pin = pin
        self._lock = threading.Lock()
        self._pid: int | None = None
        self._module: Module | None = None
        self._session: int | None = None
        self._pin_refused = False

    def sign(self, key: str, mechanism: int, message: bytes) -> bytes:
        """The raw signature of the private key labelled `key`. Raises Refusal(SIGNER_UNAVAILABLE)."""
        return self._do(
            lambda module, session: module.sign(
                session, _only(module.keys(session, PRIVATE_KEY, key)), mechanism, message
            )
        )

    def public(self, key: str) -> bytes:
        """The public half (SubjectPublicKeyInfo) of the pair labelled `key`. Raises as `sign` does."""
        return self._do(
            lambda module, session: public_of(module, session, _only(module.keys(session, PUBLIC_KEY, key)))
        )

    def make(self, key: str, kind: str) -> None:
        """Have the token make a pair of a kind of `keys.token_keys.KINDS`, which never leaves it, labelled `key`.

        Raises Refusal(BAD_CONFIGURATION) when it has one of that label, and as `sign` does.
        """

        def make(module: Module, session: int) -> bool:
            if module.keys(session, PRIVATE_KEY, key) or module.keys(session, PUBLIC_KEY, key):
                return False
            (slot,) = module.slots_with(self._label)
            writing = module.open_session(slot, writing=True)
            try:
                make_pair(module, writing, key, kind)
            finally:
                module.close_session(writing)
            return True

        if not self._do(make):
            raise Refusal(
                Code.BAD_CONFIGURATION,
                f"the token holds a key labelled {key} already; delete it there, choose another label, or, if it was "
                "made for this, say so with existing = true",
            )

    def _do(self, act: Callable[[Module, int], T]) -> T:
        if not self._lock.acquire(timeout=_PATIENCE):
            raise _away("the token is busy")
        try:
            if self._pid not in (None, os.getpid()):
                # What a module does in a forked child is undefined (PKCS #11 2.20 §6.6.1 and the usage guide to 2.40).
                raise _away("the token was opened before this process was forked; restart the service")
            self._pid = os.getpid()
            return self._try(act)
        finally:
            self._lock.release()

    def _try(self, act: Callable[[Module, int], T]) -> T:
        for last in (self._session is None, True):
            try:
                return act(*self._opened())
            except CryptokiError as error:
                _log.warning("PKCS#11: %s", error)
                self._close()
                if error.code in PIN_FAULTS:
                    self._pin_refused = True
                if last:
                    break
        raise _away("the token failed")

    def _opened(self) -> tuple[Module, int]:
        if self._pin_refused:
            raise _away("the token refused the PIN, which is not tried again; correct it and restart the service")
        if self._module is None:
            try:
                self._module = Module(self._path)
            except (OSError, AttributeError):
                raise _away("the PKCS#11 module cannot be loaded; check its path") from None
        if self._session is None:
            slots = self._module.slots_with(self._label)
            if len(slots) != 1:
                raise _away("there is no token, or more than one, of the configured label")
            self._session = self._module.open_session(slots[0])
            self._module.log_in(self._session, self._pin)
        return self._module, self._session

    def _close(self) -> None:
        if self._module is not None and self._session is not None:
            with suppress(CryptokiError):
                self._module.close_session(self._session)
        self._session = None


class Pkcs11Signer:
    """A `Signer` over one key of a token, known by its public half. RSA, P-256 or P-384.

    What is signed is hashed here, so a long list does not travel to the token; every signature is checked against the
    certificate's key before it is handed on.
    """

    def __init__(self, token: Pkcs11Token, key: str, spki: bytes) -> None:
        """`key` is the private key's label, `spki` its SubjectPublicKeyInfo. Raises Refusal(BAD_CONFIGURATION)."""
        try:
            public = load_der_public_key(spki)
            self.algorithm = algorithm_of(public)
        except (ValueError, UnsupportedAlgorithm):
            raise Refusal(Code.BAD_CONFIGURATION, _WANTED) from None
        if not isinstance(public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
            raise Refusal(Code.BAD_CONFIGURATION, _WANTED)
        self.public = public_octets(public)
        self.key_id = key_id_of(self.public)
        self._token = token
        self._key = key
        self._rsa = isinstance(public, rsa.RSAPublicKey)

    @classmethod
    def certified(cls, token: Pkcs11Token, key: str, certificate: bytes) -> Pkcs11Signer:
        """The signer of the key that a certificate (DER) is about. Raises Refusal(BAD_CONFIGURATION)."""
        try:
            public = load_der_x509_certificate(certificate).public_key()
        except (ValueError, UnsupportedAlgorithm):
            raise Refusal(Code.BAD_CONFIGURATION, _WANTED) from None
        return cls(token, key, public_octets(public) if isinstance(public, PublicKey) else b"")

    def sign(self, message: bytes | memoryview) -> bytes:
        """Signature octets over `message`. Raises Refusal(SIGNER_UNAVAILABLE)."""
        hash_ = hashlib.sha384 if self.algorithm == ECDSA_SHA384 else hashlib.sha256
        return self.sign_digest(hash_(message).digest())

    def sign_digest(self, digest: bytes) -> bytes:
        """The same over what has this digest, by the hash of `algorithm`."""
        if self._rsa:
            signature = self._token.sign(self._key, RSA_PKCS, der.sequence(_SHA256, der.octet_string(digest)))
        else:
            # Tokens answer with r and s side by side, certificates want a SEQUENCE of them (RFC 3279 §2.2.3).
            raw = self._token.sign(self._key, ECDSA, digest)
            half = len(raw) // 2
            signature = encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))
        if not verify(self.public, self.algorithm, digest, signature, digest=True):
            raise _away("the token's key does not belong to the configured certificate")
        return signature

    def __repr__(self) -> str:
        return f"Pkcs11Signer(key_id={self.key_id})"


def _only(handles: Sequence[int]) -> int:
    if len(handles) != 1:
        raise _away("the token holds no key, or more than one, of the configured label")
    return handles[0]


def _away(why: str) -> Refusal:
    return Refusal(Code.SIGNER_UNAVAILABLE, f"the signing key cannot be used: {why}")
