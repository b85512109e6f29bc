"""Files of the state directory: secrets where settings say, new files private, replaced ones never half."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from config.document import ConfigurationFaults, Secret
from config.files import read_file, read_keys, read_secret, replace_public, write_private, write_public
from domain.errors import Code, Refusal

HEX = "0a" * 32


def test_a_secret_is_read_without_the_space_around_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b" s3cret\n")
    monkeypatch.setenv("JPKI_TEST_SECRET", "s3cret ")
    assert read_secret(Secret(file=tmp_path / "a")) == b"s3cret"
    assert read_secret(Secret(environment="JPKI_TEST_SECRET")) == b"s3cret"


@pytest.mark.parametrize(
    ("secret", "fault"),
    [
        pytest.param(Secret(file=Path("/nowhere/a")), "secret a: No such file", id="no file"),
        pytest.param(Secret(file=Path("/dev/null")), "is empty or missing", id="an empty file"),
        pytest.param(
            Secret(environment="JPKI_NO_SUCH"), "environment variable JPKI_NO_SUCH is empty", id="no variable"
        ),
    ],
)
def test_a_secret_that_is_not_there_is_a_fault(secret: Secret, fault: str) -> None:
    with pytest.raises(ConfigurationFaults, match=fault):
        read_secret(secret)


def test_a_key_is_64_hex_digits(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(HEX + "\n")
    assert read_keys(Secret(file=tmp_path / "a")) == {1: b"\x0a" * 32}


@pytest.mark.parametrize("text", [HEX[:-2], HEX + "0a", "x" * 64, "０" * 64, "password"])
def test_anything_else_is_no_key_and_is_not_repeated(text: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text(text)
    with pytest.raises(ConfigurationFaults, match="want 64 hex digits") as caught:
        read_keys(Secret(file=tmp_path / "a"))
    assert text not in str(caught.value)


def test_private_files_are_their_owners_alone(tmp_path: Path) -> None:
    write_private(tmp_path / "folder" / "a", b"x")
    assert stat.S_IMODE((tmp_path / "folder" / "a").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o700


@pytest.mark.parametrize("write", [write_private, write_public])
def test_no_file_is_overwritten(write: object, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"kept")
    with pytest.raises(FileExistsError):
        write(tmp_path / "a", b"new")  # type: ignore[operator]
    assert (tmp_path / "a").read_bytes() == b"kept"


def test_a_file_is_replaced_whole_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    (tmp_path / ".a.new").write_bytes(b"left by a crash")
    for content in (b"first", b"second"):
        replace_public(tmp_path / "a", content)
        assert (tmp_path / "a").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("name", ["nothing", ".", "nul\0"], ids=["no file", "a folder", "a name that cannot be"])
def test_a_file_that_cannot_be_read_is_refused_by_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="cannot be read") as refused:
        read_file(tmp_path / name)
    assert refused.value.code is Code.BAD_CONFIGURATION
