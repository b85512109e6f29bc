"""Rules that are data: what ships is sound, and what an operator writes is refused in words."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from config.document import ConfigurationFaults
from config.rules import (
    load_causes,
    load_events,
    load_profiles,
    load_variants,
    load_weak_keys,
    shipped_profiles,
    template,
)
from domain.errors import Refusal
from domain.events import EventType
from domain.revocation import RevocationCause
from domain.substitution import VariantRule

PUBLISHED = "e2563328dfabf68188606b91324281c1d58a4456431b09d510b35fecc9f307ca1822846fa2671371a9a81bac0e35749d"
"""The private key testECCP384 of RFC 9500 §2.3."""


def write_profiles(folder: Path) -> Path:
    for name, text in shipped_profiles().items():
        (folder / name).write_text(text, "utf-8")
    return folder


def test_every_cause_and_every_event_has_its_row() -> None:
    assert set(load_causes()) == set(RevocationCause)
    assert set(load_events()) == set(EventType)


def test_variants_are_characters_for_characters() -> None:
    row, choices = load_variants().choices("髙")
    assert row is not None
    assert (row.rule, choices) == (VariantRule.MJ_UNIFICATION, ("高",))
    targets = [target for table in load_variants().tables.values() for row in table.values() for target in row]
    assert len(targets) > 20_000
    assert all(len(target) == 1 for target in targets)


def test_shipped_profiles_are_without_fault_and_the_template_names_only_them(tmp_path: Path) -> None:
    profiles = load_profiles(write_profiles(tmp_path))
    assert {f"{name}.toml" for name in profiles} == set(shipped_profiles())
    named = [line.split('"')[1] for line in template().splitlines() if "profile = " in line]
    assert named
    assert set(named) <= set(profiles)


def test_the_faults_of_all_profiles_are_told_together(tmp_path: Path) -> None:
    write_profiles(tmp_path)
    (tmp_path / "ca-p384.toml").write_text("[[")
    (tmp_path / "signature-p384.toml").write_bytes(b"\xff")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(ConfigurationFaults) as caught:
        load_profiles(tmp_path)
    assert [fault.partition(":")[0] for fault in caught.value.faults] == [
        "ca-p384.toml",
        "folder.toml",
        "signature-p384.toml",
    ]


def test_a_folder_without_profiles_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationFaults, match="there is no profile in"):
        load_profiles(tmp_path)


def test_weak_keys_are_digests_with_comments(tmp_path: Path) -> None:
    path = tmp_path / "weak.txt"
    path.write_text(f"# known\n{'0a' * 32}  # from somewhere 既知\n\n", "utf-8")
    assert load_weak_keys(path) == {b"\x0a" * 32} | load_weak_keys(None)


def test_the_published_test_keys_are_weak_without_any_setting() -> None:
    key = ec.derive_private_key(int(PUBLISHED, 16), ec.SECP384R1()).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert hashlib.sha256(spki).digest() in load_weak_keys(None)
    assert len(load_weak_keys(None)) == 3


@pytest.mark.parametrize(
    "content",
    [b"zz", b"0a" * 20, b"\xff\xfe", b"0a" * 32 + b" " + b"0b" * 32 + b" more"],
    ids=["not hex", "SHA-1", "not text", "two on a line"],
)
def test_a_list_of_weak_keys_that_is_none_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "weak.txt").write_bytes(content)
    with pytest.raises(ConfigurationFaults, match=r"weak\.txt: want one SHA-256 in hex a line"):
        load_weak_keys(tmp_path / "weak.txt")


def test_a_list_of_weak_keys_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"weak\.txt cannot be read"):
        load_weak_keys(tmp_path / "weak.txt")
