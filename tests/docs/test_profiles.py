"""The page of profiles says what the profile files say."""

from __future__ import annotations

from tests.support.documents import read
from tests.support.profile_page import PAGE, render


def test_the_page_is_what_the_files_make_of_it() -> None:
    assert read(PAGE) == render(), "run: python -m tests.support.profile_page"


def test_every_profile_is_on_the_page() -> None:
    page = read(PAGE)
    for name in ("signature-rsa2048-general", "authentication-p384", "ca-rsa2048", "ocsp-responder-p384"):
        assert f"`{name}`" in page
