"""New keys, and the encrypted form in which they are kept."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from domain.errors import Code, Refusal
from keys.software import PrivateKey

KINDS = ("rsa-2048", "ec-p256", "ec-p384", "ed25519")


def new_key(kind: str) -> PrivateKey:
    """A fresh key of one of `KINDS`, from the operating system's randomness. Raises Refusal(BAD_CONFIGURATION)."""
    match kind:
        case "rsa-2048":
            return rsa.generate_private_key(65537, 2048)
        case "ec-p256":
            return ec.generate_private_key(ec.SECP256R1())
        case "ec-p384":
            return ec.generate_private_key(ec.SECP384R1())
        case "ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            raise Refusal(Code.BAD_CONFIGURATION, f"no such kind of key; choose one of {', '.join(KINDS)}")


def to_encrypted_pem(key: PrivateKey, passphrase: bytes) -> bytes:
    """PKCS#8 in PEM, encrypted under the passphrase (RFC 5958, RFC 8018 PBES2).

    Take a random passphrase of 16 octets or more: the derivation behind it is too quick to protect a word.
    Raises Refusal(BAD_CONFIGURATION) for an empty passphrase: keys are never written in clear.
    """
    if not passphrase:
        raise Refusal(Code.BAD_CONFIGURATION, "a key is not written without a passphrase; give one")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase))
