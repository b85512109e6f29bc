"""Files of the state directory, and the secrets that settings refer to: read when needed, never kept in settings."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from config.document import ConfigurationFaults, Secret
from domain.code_keys import FIRST, LAST
from domain.errors import Code, Refusal

_KEY = re.compile("(?:([1-9][0-9]{0,2}):)?([0-9A-Fa-f]{64})")


def read_file(path: Path) -> bytes:
    """The octets of a file that settings name. Raises Refusal(BAD_CONFIGURATION) when it cannot be read."""
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        why = (isinstance(error, OSError) and error.strerror) or str(error)
        raise Refusal(Code.BAD_CONFIGURATION, f"{path.name} cannot be read: {why}") from None


def read_pem_certificate(path: Path) -> bytes:
    """The certificate (DER) in a PEM file. Raises Refusal(BAD_CONFIGURATION)."""
    try:
        return x509.load_pem_x509_certificate(read_file(path)).public_bytes(Encoding.DER)
    except ValueError:
        raise Refusal(Code.BAD_CONFIGURATION, f"{path.name} is not a certificate in PEM") from None


def read_secret(secret: Secret) -> bytes:
    """The secret's octets without surrounding white space. Raises ConfigurationFaults when it is not there."""
    if secret.file is not None:
        try:
            value = secret.file.read_bytes().strip()
        except OSError as error:
            raise ConfigurationFaults([f"secret {secret.file.name}: {error.strerror}"]) from None
    else:
        value = os.environb.get((secret.environment or "").encode(), b"").strip()
    if not value:
        raise ConfigurationFaults([f"secret in {secret} is empty or missing"])
    return value


def read_keys(secret: Secret) -> dict[int, bytes]:
    """Keys of 32 octets by generation, kept as `generation:64 hex digits`, one or more. A key alone is of the first."""
    keys = {}
    for text in read_secret(secret).decode("ascii", "replace").split():
        found = _KEY.fullmatch(text)
        generation = int(found[1] or FIRST) if found else 0
        if not found or not FIRST <= generation <= LAST or generation in keys:
            raise ConfigurationFaults(
                [f"secret in {secret}: want 64 hex digits, or generation:64 hex digits, each generation once"]
            )
        keys[generation] = bytes.fromhex(found[2])
    return keys


def replace_keys(path: Path, keys: Mapping[int, bytes]) -> None:
    """Put these keys in place of a secret file, which only its owner can read: there are the old or the new, whole."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    write_private(beside, "".join(f"{generation}:{keys[generation].hex()}\n" for generation in sorted(keys)).encode())
    beside.replace(path)
    make_durable(path.parent)


def read_public(path: Path) -> bytes:
    """A public key of 32 octets, kept as 64 hex digits. Raises Refusal(BAD_CONFIGURATION)."""
    try:
        key = bytes.fromhex(read_file(path).decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != 32:
        raise Refusal(Code.BAD_CONFIGURATION, f"{path.name} is no public key: want 64 hex digits")
    return key


def write_private(path: Path, content: bytes) -> None:
    """A new file only its owner can read, on disk before this returns."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def write_public(path: Path, content: bytes) -> None:
    """A new file that others may read, on disk before this returns."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_public(path: Path, content: bytes) -> None:
    """Put new content in a file's place at once: readers see the old or the new, never a part."""
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    write_public(beside, content)
    beside.replace(path)
    make_durable(path.parent)


def make_durable(path: Path) -> None:
    """Have renames and new names in a folder survive a power cut."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One at a time: two that add keys at once would each put the other's out of place."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
