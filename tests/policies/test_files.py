"""Every rule file that ships with the project: it loads, it is counted, and it says nothing of the real service's."""

from __future__ import annotations

import tomllib

import pytest

from domain.detection import Grade
from domain.events import EventType
from domain.revocation import RevocationCause
from domain.substitution import VariantRule
from policies.causes import load_causes
from policies.detection import load_detection
from policies.events import load_events
from policies.extension_rules import EXTENSIONS
from policies.issuance import IssuanceRule, load_issuance
from policies.profile import load_profile
from policies.variants import load_project_rows, load_rules
from tests.support.profiles import CONFIG, PROFILE_NAMES, make_profile, parsed, profile_content

LEAVES = [name for name in PROFILE_NAMES if name.startswith(("signature", "authentication"))]


def test_no_rule_file_is_forgotten_or_unknown() -> None:
    found = {str(path.relative_to(CONFIG)) for path in CONFIG.rglob("*.toml")} - {"template.toml"}
    assert found == {
        *(f"profiles/{name}.toml" for name in PROFILE_NAMES),
        "law/admission.toml",
        "law/causes.toml",
        "law/detection.toml",
        "law/events.toml",
        "law/holds.toml",
        "law/retention.toml",
        "law/issuance.toml",
        "law/verifiers.toml",
        "data/substitution.toml",
        "data/variants.toml",
        "data/town/names.toml",
        "data/town/rates.toml",
    }
    assert PROFILE_NAMES == (
        "authentication-mobile-p384",
        "authentication-mobile-rsa2048",
        "authentication-p384",
        "authentication-rsa2048",
        "ca-p384",
        "ca-rsa2048",
        "ocsp-responder",
        "ocsp-responder-p384",
        "signature-mobile-p384",
        "signature-mobile-rsa2048",
        "signature-p384",
        "signature-rsa2048",
        "signature-rsa2048-general",
    )


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_each_profile_loads_and_has_a_digest_of_its_own(name: str) -> None:
    profile = load_profile(name, profile_content(name))
    assert [other for other in PROFILE_NAMES if make_profile(other).digest == profile.digest] == [name]
    assert {row.name for row in profile.extensions} <= EXTENSIONS.keys()


def test_the_tables_of_law_and_of_variants_load_whole() -> None:
    assert len(load_causes(parsed("law/causes.toml"))) == len(RevocationCause) == 11
    assert len(load_events(parsed("law/events.toml"))) == len(EventType) == 13
    assert {rule.grade for rule in load_detection(parsed("law/detection.toml")).values()} == set(Grade) - {Grade.BLOCK}
    assert len(load_rules(parsed("data/substitution.toml"))) == len(VariantRule) == 9
    assert len(load_project_rows(parsed("data/variants.toml"))) == 11
    assert len(load_issuance(parsed("law/issuance.toml"))) == len(IssuanceRule) == 7


@pytest.mark.parametrize("path", sorted(CONFIG.rglob("*.toml")), ids=lambda path: path.name)
def test_nothing_is_issued_under_names_of_the_real_service(path: object) -> None:
    text = str(tomllib.loads((CONFIG / str(path)).read_text("utf-8")))
    assert "1.2.392.200149" not in text
    assert "jpki.go.jp" not in text
    assert "'JPKI'" not in text


def test_the_signing_certificate_has_the_order_and_flags_of_the_real_one() -> None:
    rows = [(row.name, row.critical) for row in make_profile("signature-rsa2048").extensions]
    assert rows == [
        ("key-usage", True),
        ("subject-alt-name", False),
        ("certificate-policies", True),
        ("issuer-alt-name", False),
        ("crl-distribution-points", False),
        ("authority-info-access", False),
        ("authority-key-identifier", False),
        ("subject-key-identifier", False),
    ]


def test_the_general_signing_profile_differs_in_one_flag_only() -> None:
    real, general = make_profile("signature-rsa2048").extensions, make_profile("signature-rsa2048-general").extensions
    changed = [(a, b) for a, b in zip(real, general, strict=True) if (a.critical, a.value) != (b.critical, b.value)]
    assert [(a.name, a.critical, b.critical) for a, b in changed] == [("certificate-policies", True, False)]


def test_the_authority_certificate_has_the_order_and_flags_of_the_real_ones() -> None:
    for name in ("ca-rsa2048", "ca-p384"):
        rows = [(row.name, row.critical) for row in make_profile(name).extensions]
        assert rows == [
            ("key-usage", True),
            ("subject-alt-name", False),
            ("basic-constraints", True),
            ("crl-distribution-points", False),
            ("subject-key-identifier", False),
        ]


@pytest.mark.parametrize("name", LEAVES)
def test_authorities_live_at_least_long_enough_to_issue_for_four_years(name: str) -> None:
    leaf, authority = (
        make_profile(name).validity,
        make_profile("ca-" + ("p384" if "p384" in name else "rsa2048")).validity,
    )
    assert leaf.birthdays is not None
    assert authority.years is not None
    assert authority.years - (leaf.birthdays + 1) >= 4
