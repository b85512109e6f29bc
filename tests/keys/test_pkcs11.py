"""Keys in a token (SoftHSM): the same answers as keys in memory, and refusals when the token cannot be used."""

from __future__ import annotations

import hashlib
import os
import threading

import pytest

from domain.errors import Code, Refusal
from keys.algorithms import verify
from keys.cryptoki import CryptokiError, Module
from keys.generation import new_key
from keys.pkcs11 import Pkcs11Signer, Pkcs11Token
from keys.software import PrivateKey, SoftwareSigner
from tests.support.certificates import certificate_over
from tests.support.tokens import PIN, TokenStore, softhsm_module

pytestmark = pytest.mark.softhsm

KINDS = ("rsa-2048", "ec-p256", "ec-p384")


@pytest.fixture(scope="module")
def keys(tokens: TokenStore) -> dict[str, PrivateKey]:
    """The keys of the token `keys`, by label; two keys share the label `twice`. Nobody logs in to `guarded`."""
    keys = {kind: new_key(kind) for kind in KINDS}
    for number, (label, key) in enumerate(keys.items(), start=1):
        tokens.add_key("keys", label, key, number)
    for number in (8, 9):
        tokens.add_key("keys", "twice", keys["ec-p256"], number)
    return keys


def token_of(label: str = "keys", pin: str = PIN, module: str | None = None) -> Pkcs11Token:
    return Pkcs11Token(module or softhsm_module(), label, pin.encode())


def signer_of(keys: dict[str, PrivateKey], kind: str = "ec-p256", token: Pkcs11Token | None = None) -> Pkcs11Signer:
    return Pkcs11Signer.certified(token or token_of(), kind, certificate_over(keys[kind]))


def refused(signer: Pkcs11Signer) -> str:
    with pytest.raises(Refusal) as caught:
        signer.sign(b"message")
    assert caught.value.code is Code.SIGNER_UNAVAILABLE
    return caught.value.detail


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_signs_as_a_key_in_memory_does(keys: dict[str, PrivateKey], kind: str) -> None:
    signer, software = signer_of(keys, kind), SoftwareSigner(keys[kind])
    message = b"message" * 100_000
    assert (signer.algorithm, signer.key_id, signer.public) == (software.algorithm, software.key_id, software.public)
    assert verify(signer.public, signer.algorithm, message, signer.sign(message))
    digest = hashlib.new("sha384" if kind == "ec-p384" else "sha256", message).digest()
    assert verify(signer.public, signer.algorithm, message, signer.sign_digest(digest))


def test_rsa_signatures_are_the_same_octets(keys: dict[str, PrivateKey]) -> None:
    assert signer_of(keys, "rsa-2048").sign(b"message") == SoftwareSigner(keys["rsa-2048"]).sign(b"message")


def test_signers_share_a_token(keys: dict[str, PrivateKey]) -> None:
    token = token_of()
    for kind in KINDS:
        assert signer_of(keys, kind, token).sign(b"message")


def test_two_tokens_objects_of_one_process_may_both_log_in(keys: dict[str, PrivateKey]) -> None:
    one, other = signer_of(keys), signer_of(keys)
    assert one.sign(b"message")
    assert other.sign(b"message")
    assert one.sign(b"message")


def test_threads_may_share_a_token(keys: dict[str, PrivateKey]) -> None:
    token = token_of()
    signers = [signer_of(keys, kind, token) for kind in KINDS]
    made: list[bool] = []

    def sign(signer: Pkcs11Signer) -> None:
        for number in range(10):
            message = b"%d" % number
            made.append(verify(signer.public, signer.algorithm, message, signer.sign(message)))

    threads = [threading.Thread(target=sign, args=(signer,)) for signer in signers * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert made == [True] * 60


def test_a_session_that_broke_is_replaced_within_the_call(keys: dict[str, PrivateKey]) -> None:
    signer = signer_of(keys)
    assert signer.sign(b"message")
    module = Module(softhsm_module())
    for session in range(1, 200):  # every session of this process, as an outage would
        try:
            module.close_session(session)
        except CryptokiError:
            continue
    assert signer.sign(b"message")


def test_a_token_that_goes_on_failing_is_asked_twice_and_no_more(
    keys: dict[str, PrivateKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = signer_of(keys)
    assert signer.sign(b"message")
    asked: list[bytes] = []

    def fail(module: Module, session: int, key: int, mechanism: int, message: bytes) -> bytes:
        asked.append(message)
        raise CryptokiError("C_Sign", 0x30)

    with monkeypatch.context() as patch:
        patch.setattr(Module, "sign", fail)
        assert "failed" in refused(signer)
    assert len(asked) == 2
    assert signer.sign(b"message")


def test_who_waits_too_long_for_another_signature_is_told(
    keys: dict[str, PrivateKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = signer_of(keys)
    said: list[str] = []
    sign = Module.sign

    def ask_meanwhile(module: Module, session: int, key: int, mechanism: int, message: bytes) -> bytes:
        said.append(refused(signer))
        return sign(module, session, key, mechanism, message)

    monkeypatch.setattr("keys.pkcs11._PATIENCE", 0.01)
    monkeypatch.setattr(Module, "sign", ask_meanwhile)
    assert signer.sign(b"message")
    assert ["busy" in text for text in said] == [True]


def test_a_wrong_pin_is_tried_once(keys: dict[str, PrivateKey], monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[bytes] = []
    log_in = Module.log_in

    def counted(module: Module, session: int, pin: bytes) -> None:
        tried.append(pin)
        log_in(module, session, pin)

    monkeypatch.setattr(Module, "log_in", counted)
    signer = signer_of(keys, token=token_of("guarded", pin="654321"))
    refused(signer)
    assert "PIN" in refused(signer)
    assert tried == [b"654321"]


@pytest.mark.parametrize(
    ("key", "token", "why"),
    [
        pytest.param("nothing", {}, "holds no key", id="a-key-that-is-not-there"),
        pytest.param("twice", {}, "more than one", id="two-keys-of-one-label"),
        pytest.param("ec-p256", {"label": "another"}, "no token", id="a-token-that-is-not-there"),
        pytest.param("ec-p256", {"module": "/nowhere.so"}, "module", id="a-module-that-is-not-there"),
        pytest.param("ec-p256", {"module": "libc.so.6"}, "module", id="a-library-that-is-no-module"),
    ],
)
def test_what_is_configured_wrongly_is_said(
    keys: dict[str, PrivateKey], key: str, token: dict[str, str], why: str
) -> None:
    assert why in refused(Pkcs11Signer.certified(token_of(**token), key, certificate_over(keys["ec-p256"])))


def test_a_key_that_does_not_match_its_certificate_signs_nothing(keys: dict[str, PrivateKey]) -> None:
    assert "does not belong" in refused(
        Pkcs11Signer.certified(token_of(), "ec-p256", certificate_over(new_key("ec-p256")))
    )


def test_a_certificate_of_another_kind_is_refused(keys: dict[str, PrivateKey]) -> None:
    for certificate in (certificate_over(new_key("ed25519")), b"no certificate"):
        with pytest.raises(Refusal) as caught:
            Pkcs11Signer.certified(token_of(), "ec-p256", certificate)
        assert caught.value.code is Code.BAD_CONFIGURATION


def test_a_forked_process_does_not_use_its_parents_token(
    keys: dict[str, PrivateKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = signer_of(keys)
    assert signer.sign(b"message")
    parent = os.getpid()
    monkeypatch.setattr("keys.pkcs11.os.getpid", lambda: parent + 1)
    assert "forked" in refused(signer)


def test_the_pin_is_not_shown(keys: dict[str, PrivateKey]) -> None:
    assert PIN not in repr(token_of()) + repr(signer_of(keys))
