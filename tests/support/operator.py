"""An operator that uses `jpki-verify`: a folder with its settings, and people with cards."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from domain.certificates import Issuer
from keys.software import PrivateKey

POLICIES = {
    "signature": ["2.999.8.5.1.1.20", "2.999.8.5.1.1.40"],
    "authentication": ["2.999.8.5.1.3.30", "2.999.8.5.1.3.40"],
}
AUDIENCE = "bank.example"
FILES = {"certificate": "client.pem", "key": "client.key", "authority": "authority.pem"}
"""A verifier's folder, as `jpki verifiers add` makes it."""


def card_signs(key: PrivateKey, octets: bytes) -> bytes:
    """What the key in a card makes of octets: PKCS #1 v1.5 and SHA-256, or ECDSA and SHA-384."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(octets, ec.ECDSA(hashes.SHA384()))


def write_settings(folder: Path, issuers: Iterable[Issuer], credential: Path, **changes: Mapping[str, Any]) -> Path:
    """A settings file in a new folder, with the issuers as anchors; `changes` are laid over its tables, and a value of
    None leaves a setting out."""
    folder.mkdir(parents=True)
    anchors = []
    for issuer in issuers:
        file = folder / f"{issuer.id}.cer"
        file.write_bytes(issuer.certificate)
        digest = hashlib.sha256(issuer.certificate).hexdigest()
        anchors.append({"file": file.name, "sha256": digest, "kind": issuer.kind.value})
    tables: dict[str, dict[str, Any]] = {
        "policies": dict(POLICIES),
        "status": {"ocsp": "http://127.0.0.1:9/ocsp", "lists": "http://127.0.0.1:9/crl", "patience_seconds": 5},
        "credential": {name: str(credential / file) for name, file in FILES.items()},
        "handles": {"url": "https://127.0.0.1:9/v1/handles"},
        "store": {},
    }
    for name, table in changes.items():
        tables[name] = {**tables.get(name, {}), **table}
    path = folder / "jpki-verify.toml"
    lines = [f"audience = {json.dumps(AUDIENCE)}"]
    for anchor in anchors:
        lines += ["[[anchor]]", *_lines(anchor)]
    for name, table in tables.items():
        lines += [f"[{name}]", *_lines(table)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def spellings(certificate: bytes) -> dict[str, bytes]:
    """Every way a certificate's serial may have come to lie somewhere, by a name for it: raw and in DER, in hex and
    decimal, in base64 at each offset, both byte orders; and the certificate itself."""
    serial = x509.load_der_x509_certificate(certificate).serial_number
    raw = serial.to_bytes((serial.bit_length() + 7) // 8)
    found: dict[str, bytes] = {"decimal": str(serial).encode(), "certificate": certificate[40:72]}
    pem = x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM).splitlines()
    found["certificate in base64"] = pem[4]
    for order, octets in (("big", raw), ("little", raw[::-1])):
        found[f"raw {order}"] = octets
        found[f"DER {order}"] = b"\x02" + bytes((len(octets),)) + octets
        found[f"hex {order}"] = octets.hex().encode()
        found[f"HEX {order}"] = octets.hex().upper().encode()
        for separator in (":", " ", "-"):
            found[f"hex {order} with {separator}"] = octets.hex(separator).encode()
            found[f"HEX {order} with {separator}"] = octets.hex(separator).upper().encode()
        found[f"decimal {order}"] = str(int.from_bytes(octets)).encode()
        for offset in range(3):
            found[f"base64 {order} at {offset}"] = _base64_core(octets, offset)
            found[f"base64url {order} at {offset}"] = _base64_core(octets, offset).translate(_URL)
    return found


_URL = bytes.maketrans(b"+/", b"-_")


def _base64_core(octets: bytes, offset: int) -> bytes:
    """The base64 of octets that stand at that offset in something longer, without the ends that depend on it."""
    whole = base64.b64encode(bytes(offset) + octets + bytes(2))
    first = 4 if offset else 0
    last = (offset + len(octets)) // 3 * 4
    return whole[first:last]


def _lines(table: Mapping[str, Any]) -> list[str]:
    return [f"{name} = {json.dumps(value)}" for name, value in table.items() if value is not None]
