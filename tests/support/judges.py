"""Outside programs that judge what we made, each in its own words: OpenSSL, GnuTLS, Java and curl."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 60
_PLAIN = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
_JAVA = Path(__file__).parents[1] / "interop" / "java"


def run(*command: str | Path) -> str:
    """What a program prints: first on standard error, then on standard output."""
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_PATIENCE, env=_PLAIN)
    return ended.stderr + ended.stdout


# --- OpenSSL ----------------------------------------------------------------------------------------------------------


def openssl_verify(certificate: Path, *arguments: str | Path) -> str:
    """`OK`, or every error that `openssl verify -x509_strict` finds."""
    printed = run("openssl", "verify", "-x509_strict", *arguments, certificate)
    errors = re.findall(r"^error \d+ at \d+ depth lookup: (.*)$", printed, re.MULTILINE)
    assert bool(errors) != printed.endswith(": OK\n"), printed
    return "; ".join(errors) or "OK"


_STATUS = re.compile(r"(?:.+: )?(good|revoked|unknown|ERROR: No Status found\.|WARNING: Status times invalid\.)")


def openssl_ocsp(*arguments: str | Path) -> str:
    """What `openssl ocsp` says that matters: warnings and errors, whether the answer is verified, and each status with
    its reason. Its exit code is not looked at: it is 0 for *revoked*, too."""
    found: list[str] = []
    for line in run("openssl", "ocsp", *arguments).splitlines():
        if matched := re.fullmatch(r"Response verify (OK)|Response Verify Failure", line):
            found.append("verified" if matched[1] else "not verified")
        elif matched := re.fullmatch(r"\tReason: (\w+)", line):
            found[-1] += f" {matched[1]}"
        elif matched := _STATUS.fullmatch(line):
            found.append(matched[1])
        elif re.fullmatch(r"WARNING: .+|Nonce Verify error|Responder Error: .+", line):
            found.append(line)
    return ", ".join(found)


# --- GnuTLS -----------------------------------------------------------------------------------------------------------

_UNTRUSTED = re.compile(r"^Not verified\. +The certificate is NOT trusted\. ")


def certtool(*arguments: str | Path) -> str:
    """`trusted`, or what GnuTLS has against a certificate (`--verify`) or a list (`--verify-crl`)."""
    printed = run("certtool", *arguments)
    (verdict,) = re.findall(r"^(?:Chain v|V)erification output: (.*?)\s*$", printed, re.MULTILINE)
    return "trusted" if verdict == "Verified. The certificate is trusted." else _UNTRUSTED.sub("", verdict)


@dataclass(frozen=True, slots=True)
class GnutlsAnswer:
    """What `ocsptool` reads in an answer, and whether it trusts it: `Success` says nothing of what was asked."""

    verification: str
    status: str
    serial: int
    this_update: str
    next_update: str
    nonce: str


def ocsptool(*arguments: str | Path) -> GnutlsAnswer:
    printed = run("ocsptool", *arguments)

    def after(label: str) -> str:
        found = re.search(rf"^\s*{label}: (.*?)\.?$", printed, re.MULTILINE)
        return found[1] if found else ""

    return GnutlsAnswer(
        after("Verifying OCSP Response"),
        after("Certificate Status") or after("Response Status"),
        int(after("Serial Number") or "0", 16),
        after("This Update"),
        after("Next Update"),
        after("Nonce"),
    )


# --- Java -------------------------------------------------------------------------------------------------------------


def compile_java(folder: Path, program: str = "Judge") -> Path:
    """The folder with a compiled program of `tests/interop/java`."""
    printed = run("javac", "-Xlint:all", "-Werror", "-d", folder, _JAVA / f"{program}.java")
    assert printed == ""
    return folder


def java_verdicts(classes: Path, cases: Iterable[Mapping[str, str | Path]], *options: str) -> dict[str, str]:
    """Verdicts of Java's PKIX by the cases' `id`s, all in one run; `options` are for the virtual machine."""
    lines = ["\t".join(f"{word}={value}" for word, value in case.items()) for case in cases]
    file = classes / "cases"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    # Starting is most of the work: no compiler that optimises.
    printed = run("java", "-XX:TieredStopAtLevel=1", *options, "-cp", classes, "Judge", file)
    verdicts = dict(line.split("\t") for line in printed.splitlines())
    assert len(verdicts) == len(lines), printed
    return verdicts


# --- curl -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fetched:
    """An HTTP answer: status, headers by their names in small letters, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def curl(*arguments: str | Path) -> Fetched:
    command = ["curl", "--silent", "--include", "--max-time", "30", *arguments]
    printed = subprocess.run(command, check=True, capture_output=True, timeout=_PATIENCE).stdout
    head, _, body = printed.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return Fetched(int(first.split()[1]), headers, body)
