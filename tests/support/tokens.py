"""SoftHSM tokens: made in a temporary folder, filled with known keys."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from keys.software import PrivateKey

PIN = "123456"

TOKENS = ("keys", "guarded", "authority", "other")
"""The tokens of a process: for keys that are put there, one that nobody logs in to, and two for authorities."""


def softhsm_module() -> str:
    """The path of SoftHSM's library."""
    found = sorted(Path("/usr/lib").glob("**/softhsm/libsofthsm2.so"))
    assert found, "SoftHSM is missing; run `make system-packages`"
    return str(found[0])


@dataclass(frozen=True)
class TokenStore:
    """A folder of tokens; SOFTHSM2_CONF must name `configuration` before the module is first used."""

    folder: Path

    @property
    def configuration(self) -> Path:
        return self.folder / "softhsm2.conf"

    def prepare(self) -> None:
        (self.folder / "tokens").mkdir()
        self.configuration.write_text(f"directories.tokendir = {self.folder / 'tokens'}\nlog.level = ERROR\n")

    def add_token(self, label: str) -> None:
        self._run("--init-token", "--free", "--label", label, "--so-pin", PIN, "--pin", PIN)

    def add_key(self, token: str, label: str, key: PrivateKey, number: int) -> None:
        file = self.folder / "key.pem"
        file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        named = ("--label", label, "--id", f"{number:02x}")
        self._run("--import", str(file), "--token", token, *named, "--pin", PIN)

    def _run(self, *arguments: str) -> None:
        subprocess.run(
            ["softhsm2-util", *arguments],
            env={"SOFTHSM2_CONF": str(self.configuration), "PATH": "/usr/bin:/bin"},
            check=True,
            capture_output=True,
        )
