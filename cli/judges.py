"""OpenSSL as the judge of the demonstration: what its own programs say of our certificates."""

from __future__ import annotations

import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Verdict = Literal["good", "revoked"]

_PATIENCE = 30.0
"""Seconds a new list may take to appear."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was run and what came of it; `verdict` is None when the program said neither."""

    command: str
    verdict: Verdict | None
    said: str


def by_list(issuer: Path, certificate: Path) -> Judgement:
    """`openssl verify` with the list that the certificate itself points to, fetched anew."""
    done = _run("openssl", "verify", "-x509_strict", "-crl_check", "-crl_download", "-CAfile", issuer, certificate)
    text = done.stdout + done.stderr
    verdict: Verdict | None = "good" if done.returncode == 0 else "revoked" if "certificate revoked" in text else None
    return Judgement(_shown(done), verdict, _line(text, ("certificate revoked", ": OK", "error")))


def by_list_in_time(issuer: Path, certificate: Path, expected: Verdict) -> Judgement:
    """`by_list`, asked again while the next list is being published, up to half a minute."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        judgement = by_list(issuer, certificate)
        if judgement.verdict == expected or time.monotonic() > deadline:
            return judgement
        time.sleep(0.5)


def by_ocsp(issuer: Path, certificate: Path, url: str, verifier: Path) -> Judgement:
    """`openssl ocsp` with a nonce and a request signed by the verifier whose credential lies in that folder."""
    done = _run(
        *("openssl", "ocsp", "-issuer", issuer, "-cert", certificate, "-CAfile", issuer, "-url", url),
        *("-signer", verifier / "client.pem", "-signkey", verifier / "client.key"),
    )
    text = done.stdout + done.stderr
    verdict: Verdict | None = None
    if "Response verify OK" in text and "WARNING" not in text:
        verdict = "good" if f"{certificate}: good" in text else "revoked" if f"{certificate}: revoked" in text else None
    return Judgement(_shown(done), verdict, _line(text, (f"{certificate}:", "Responder Error", "rror")))


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in arguments], capture_output=True, text=True, timeout=60, check=False)


def _shown(done: subprocess.CompletedProcess[str]) -> str:
    return shlex.join(done.args)


def _line(text: str, marks: tuple[str, ...]) -> str:
    """The first line that tells something."""
    return next((line.strip() for mark in marks for line in text.splitlines() if mark in line), text.strip()[-200:])
