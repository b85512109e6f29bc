"""Settings: every fault is told at once, with its place and what to do; anchors must be those that are pinned."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.certificates import Kind
from jpki_verify import Code, Rejected, Verifier
from jpki_verify.inspection import inspect
from jpki_verify.settings import load_settings
from tests.support.authority import NOW, make_issuer, make_responder_certificate
from tests.support.documents import ROOT
from tests.support.operator import write_settings
from tests.support.specimens import holder_certificate

TEMPLATE = ROOT / "kit" / "jpki_verify" / "template.toml"
ISSUER = make_issuer(Kind.SIGNATURE)


@pytest.fixture
def path(tmp_path: Path, credential: Path) -> Path:
    issuers = [make_issuer(kind, generation) for kind in Kind for generation in ("g1", "g2")]
    return write_settings(tmp_path / "operator", issuers, credential)


def faults(path: Path) -> list[str]:
    with pytest.raises(Rejected) as caught:
        Verifier.open(path, clock=lambda: NOW)
    assert caught.value.code is Code.BAD_CONFIGURATION
    return caught.value.detail.split("; ")


def rewrite(path: Path, before: str, after: str) -> Path:
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")
    return path


def test_settings_are_read_with_defaults(path: Path) -> None:
    settings = load_settings(path)
    assert settings.status.sources == ("ocsp", "lists")
    assert settings.store.challenge_life == timedelta(minutes=3)
    assert settings.store.path == path.parent / "jpki-verify.db"
    assert [anchor.kind.value for anchor in settings.trust.anchors] == ["signature"] * 2 + ["authentication"] * 2


def test_the_template_wants_anchors_and_nothing_else() -> None:
    with pytest.raises(Rejected) as caught:
        load_settings(TEMPLATE)
    assert caught.value.detail == "anchor: want one [[anchor]] for each authority that you trust"


def test_every_fault_is_told_at_once(path: Path) -> None:
    rewrite(path, 'ocsp = "http://127.0.0.1:9/ocsp"', 'ocsp = "ftp://x"\nspeed = 1')
    rewrite(path, "[store]", '[store]\naccount_days = "many"\nevidence_days = -1')
    rewrite(path, "[handles]", "[declared]\nprovider = 3\n[handles]\npurpose = 3")
    rewrite(path, "[policies]", "[extra]\n[policies]")
    assert faults(path) == [
        "status.ocsp: want an address that begins with http:// or https://",
        "status.sources: ocsp is among the sources, but its setting is missing: ocsp is not there",
        "status.speed: is not a setting: is it misspelt?",
        "declared.provider: want a text",
        "handles.purpose: is not a setting: is it misspelt?",
        "store.account_days: want a whole number from 1 to 36500",
        "store.evidence_days: want a whole number from 0 to 36500",
        "extra: is not a setting: is it misspelt?",
    ]


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('audience = "bank.example"', 'audience = ""', "audience: want a text"),
        ('audience = "bank.example"', 'audience = "a\\nb"', "audience: want a text"),
        ('kind = "signature"', 'kind = "seal"', "anchor[0].kind: want signature or authentication"),
        ("[status]", '[status]\nsources = ["ocsp", "hearsay"]', "status.sources: want some of ocsp, lists, filter"),
        ("[status]", "[status]\nsources = []", "status.sources: want some of ocsp, lists, filter"),
        ("[status]", '[status]\nsources = ["filter"]', "filters, and filters_url or filter_key, are not there"),
        ('"2.999.8.5.1.1.20"', '"2.999.8.5.1.3.30"', "policies.signature: no policy belongs to both kinds"),
        ('"2.999.8.5.1.1.20"', '"signing"', "policies.signature: want object identifiers"),
        ('url = "https:', 'url = "http:', "handles.url: want an address that begins with https://"),
        ('url = "https://', 'url = "https://me:secret@', "handles.url: want an address"),
        ('url = "https://127.0.0.1:9/', 'url = "https://127.0.0.1:99999/', "handles.url: want an address"),
    ],
)
def test_a_fault_names_its_place(path: Path, before: str, after: str, fault: str) -> None:
    assert fault in "; ".join(faults(rewrite(path, before, after)))


def test_a_secret_in_an_address_is_not_repeated(path: Path) -> None:
    assert "secret" not in "; ".join(faults(rewrite(path, 'url = "https://', 'url = "https://me:secret@')))


@pytest.mark.parametrize("content", [b"audience = ", b"\xff\xfe"], ids=["cut-short", "not-utf-8"])
def test_what_is_no_toml(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert "is not TOML" in faults(path)[0]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "make one with jpki-verify init" in faults(tmp_path / "nothing.toml")[0]


def anchored(tmp_path: Path, credential: Path, octets: bytes, digest: bytes | None = None, **changes: Any) -> list[str]:
    """The faults of settings whose one anchor is in a file with these octets."""
    path = write_settings(tmp_path / "operator", [ISSUER], credential)
    (path.parent / f"{ISSUER.id}.cer").write_bytes(octets)
    pinned = hashlib.sha256(ISSUER.certificate).hexdigest()
    rewrite(path, pinned, (digest or hashlib.sha256(octets).digest()).hex())
    return faults(path)


def test_an_anchor_that_is_not_the_pinned_one(tmp_path: Path, credential: Path) -> None:
    other = make_issuer(Kind.SIGNATURE, "g2").certificate
    (fault,) = anchored(tmp_path, credential, other, hashlib.sha256(ISSUER.certificate).digest())
    assert fault.startswith(f"signature-g1.cer: its SHA-256 is {hashlib.sha256(other).hexdigest()}, not the one")


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        pytest.param(b"", "this is no X.509 certificate", id="nothing"),
        pytest.param(holder_certificate("signature-rsa2048"), "it is not signed by itself", id="a-holder-s"),
        pytest.param(make_responder_certificate(), "it may not sign certificates and lists", id="a-responder-s"),
    ],
)
def test_what_is_no_anchor(tmp_path: Path, credential: Path, octets: bytes, said: str) -> None:
    assert any(said in fault for fault in anchored(tmp_path, credential, octets))


def test_a_distrusted_anchor_is_none(path: Path) -> None:
    digest = hashlib.sha256(ISSUER.certificate).hexdigest()
    rewrite(path, 'audience = "bank.example"', f'audience = "bank.example"\ndistrusted = ["{digest}"]')
    assert faults(path) == ["signature-g1.cer: it is among the distrusted"]


def test_an_anchor_that_is_over_is_told(path: Path) -> None:
    later = ISSUER.validity.not_after + timedelta(seconds=1)
    with pytest.raises(Rejected) as caught:
        Verifier.open(path, clock=lambda: later)
    assert "it is not valid now" in caught.value.detail


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("client.key", b"", "client.key is no private key in PEM without a passphrase"),
        ("client.pem", b"", "this is no X.509 certificate in DER or PEM"),
        ("authority.pem", b"", "the files for TLS cannot be used"),
        ("client.key", None, "client.key cannot be read: No such file or directory"),
    ],
)
def test_a_credential_that_cannot_be_used_is_told(
    path: Path, credential: Path, tmp_path: Path, name: str, content: bytes | None, fault: str
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in credential.iterdir():
        if file.name != name or content is not None:
            (broken / file.name).write_bytes(file.read_bytes() if file.name != name else content or b"")
    rewrite(path, str(credential), str(broken))
    assert fault in "; ".join(faults(path))


def test_check_config_says_what_is_in_order_and_what_to_do(path: Path) -> None:
    found = inspect(path, online=False, clock=lambda: NOW)
    assert found.next == []
    assert found.checks[1:3] == ["4 trust anchors fit their pinned digests", "status comes from ocsp, then lists"]


def test_check_config_looks_ahead(path: Path, credential: Path, tmp_path: Path) -> None:
    rewrite(path, 'audience = "bank.example"', 'audience = "www.example.jp"')
    open_key = tmp_path / "open.key"
    open_key.write_bytes((credential / "client.key").read_bytes())
    open_key.chmod(0o644)
    rewrite(path, str(credential / "client.key"), str(open_key))
    soon = ISSUER.validity.not_after - timedelta(days=3)
    found = "; ".join(inspect(path, online=False, clock=lambda: soon).next)
    for said in ("the anchor signature", "chmod 600", "audience is still that of the template"):
        assert said in found


def test_check_config_tells_when_a_credential_ends(path: Path) -> None:
    found = inspect(path, online=False, clock=lambda: NOW + timedelta(days=340))
    assert found.next == ["client.pem ends on 2028-03-31: ask the authority for the next one"]


def test_check_config_asks_whether_somebody_is_there(path: Path) -> None:
    found = inspect(path, online=True, clock=lambda: NOW)
    assert found.next == ["ocsp: nothing there speaks OCSP (unreachable): see [status] ocsp"]
