"""The kit as a package of its own: what it imports, and that it installs and speaks by itself."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

from tests.support.documents import ROOT

KIT = ROOT / "kit"
MODULES = sorted((KIT / "jpki_verify").glob("*.py"))
PROJECT = tomllib.loads((KIT / "pyproject.toml").read_text("utf-8"))
ALLOWED = {"jpki_verify", "asn1crypto", "cryptography", "pyhanko", *sys.stdlib_module_names}


def imported(module: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def test_the_kit_imports_nothing_of_the_authority() -> None:
    assert len(MODULES) > 15
    assert {module.name: imported(module) - ALLOWED for module in MODULES if imported(module) - ALLOWED} == {}


def test_signed_documents_are_an_extra() -> None:
    assert [module.name for module in MODULES if "pyhanko" in imported(module)] == ["cms.py"]
    assert [name.partition(">")[0] for name in PROJECT["project"]["dependencies"]] == ["asn1crypto", "cryptography"]


def test_modules_can_be_read_at_a_sitting_and_say_what_they_hold() -> None:
    for module in MODULES:
        text = module.read_text("utf-8")
        assert text.count("\n") <= 250, module.name
        assert (ast.get_docstring(ast.parse(text)) or "").splitlines()[0].endswith("."), module.name


def test_it_installs_by_itself_and_its_command_speaks(tmp_path: Path) -> None:
    """Into an environment of its own, without a download: its two dependencies are looked for where this runs."""
    wheels, source = tmp_path / "wheels", tmp_path / "kit"
    shutil.copytree(KIT, source)  # building leaves things in the folder
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheel_of = ["wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(source)]
    subprocess.run([*pip, *wheel_of], check=True, capture_output=True, timeout=120)
    (wheel,) = wheels.glob("*.whl")
    place = tmp_path / "venv"
    venv.create(place, with_pip=False, system_site_packages=False)
    site = next((place / "lib").glob("python*/site-packages"))
    install = ["--python", str(place), "install", "--no-index", "--no-deps", str(wheel)]
    subprocess.run([*pip, *install], check=True, timeout=120)
    here = next(path for path in sys.path if (Path(path) / "cryptography").is_dir())
    (site / "beside.pth").write_text(here + "\n")
    command = [str(place / "bin" / "jpki-verify"), "--help"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, cwd=tmp_path).stdout
    for word in ("check-config", "certificate", "signature", "challenge", "login-challenge", "erase", "exit codes"):
        assert word in told
    assert {path.name for path in (site / "jpki_verify").glob("*.toml")} == {"messages.toml", "template.toml"}
