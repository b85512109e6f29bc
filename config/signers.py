"""Signers: over encrypted key files, or over the keys of the token."""

from __future__ import annotations

from pathlib import Path

from config.document import ConfigurationFaults, KeyPlace, TokenKey
from config.files import read_file, read_secret, write_private
from config.settings import Settings
from domain.errors import Refusal
from keys.generation import new_key, to_encrypted_pem
from keys.pkcs11 import Pkcs11Signer, Pkcs11Token
from keys.software import SoftwareSigner

KeySigner = SoftwareSigner | Pkcs11Signer


class Signers:
    """All signers of a process, which share one session with the token."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._token: Pkcs11Token | None = None

    @property
    def token(self) -> Pkcs11Token:
        """Raises ConfigurationFaults when settings name none, or its PIN is missing."""
        settings = self._settings.token
        if settings is None:
            raise ConfigurationFaults(["token: is missing; a key is in it"])
        if self._token is None:
            self._token = Pkcs11Token(str(settings.module), settings.label, read_secret(settings.pin))
        return self._token

    def open(self, key: KeyPlace, certificate: bytes | None = None, *, repeatable: bool = True) -> KeySigner:
        """The signer of a key, for its certificate (DER) if one is given.

        A file is opened and checked against the certificate now, a token when it first signs. `repeatable`, for files:
        equal octets get equal signatures. Raises Refusal(BAD_CONFIGURATION), and Refusal(SIGNER_UNAVAILABLE) for a key
        in the token without a certificate, whose public half must be asked for.
        """
        if isinstance(key, TokenKey):
            if certificate is None:
                return Pkcs11Signer(self.token, key.label, self.token.public(key.label))
            return Pkcs11Signer.certified(self.token, key.label, certificate)
        pem, passphrase = read_file(key), read_secret(self._settings.secrets.key_passphrase)
        try:
            return SoftwareSigner.from_pem(pem, passphrase, certificate, repeatable=repeatable)
        except Refusal as refusal:
            raise Refusal(refusal.code, f"{key.name}: {refusal.detail}") from None

    def found(self, key: KeyPlace, kind: str) -> KeySigner:
        """The signer of a new key of a kind of `keys.generation.KINDS`: encrypted on file, or made in the token, unless
        that has it already and settings say so. Raises Refusal(BAD_CONFIGURATION) and (SIGNER_UNAVAILABLE)."""
        if isinstance(key, TokenKey):
            if not key.existing:
                self.token.make(key.label, kind)
            return self.open(key)
        return make_key(self._settings, kind, key)


def make_key(settings: Settings, kind: str, path: Path) -> SoftwareSigner:
    """A new key of a kind of `keys.generation.KINDS`, encrypted on file; its signer."""
    key = new_key(kind)
    write_private(path, to_encrypted_pem(key, read_secret(settings.secrets.key_passphrase)))
    return SoftwareSigner(key)
