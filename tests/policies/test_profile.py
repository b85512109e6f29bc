from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.extension_rules import EXTENSIONS, PURPOSES, REQUIRED
from policies.profile import Profile, ProfileFaults, digest_of, load_profile
from policies.profile_faults import SUBJECTS
from tests.support.profiles import PROFILE_NAMES, make_profile, profile_content

KEY_USAGE, FOUR_ITEMS, POLICIES = 0, 1, 2


def faults_of(content: Any) -> tuple[str, ...]:
    with pytest.raises(ProfileFaults) as caught:
        load_profile("spoilt", content)
    assert caught.value.name == "spoilt"
    return caught.value.faults


def spoilt(*path: str | int, value: object = None, name: str = "signature-rsa2048") -> dict[str, Any]:
    """A profile's content with one place set to `value`, or removed when that is None."""
    content = profile_content(name)
    place: Any = content
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return content


ROW = ("extension", KEY_USAGE)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        pytest.param(spoilt("colour", value="red"), "colour: nobody knows this key", id="an unknown key"),
        pytest.param(spoilt("purpose"), "purpose is missing", id="no purpose"),
        pytest.param(spoilt("purpose", value="root"), "purpose: want one of", id="an unknown purpose"),
        pytest.param(spoilt("signature", value="md5"), "signature: want one of", id="an unknown signature"),
        pytest.param(spoilt("keys", value=[]), "keys: want a list of", id="no keys"),
        pytest.param(spoilt("keys", value=["rsa-1024"]), "keys: want a list of", id="an unknown key type"),
        pytest.param(spoilt("keys", value="rsa-2048"), "keys: want a list of", id="keys that are no list"),
        pytest.param(spoilt("subject", value="nobody"), "subject: want one of", id="an unknown subject scheme"),
        pytest.param(
            spoilt("subject", value="authority"), "subject: authority is not for signature", id="a foreign scheme"
        ),
        pytest.param(spoilt("subject", value=["authority"]), "subject: want one of", id="a scheme that is a list"),
        pytest.param(spoilt("source"), "source: say where", id="a profile without a source"),
        pytest.param(spoilt("validity"), "validity is missing", id="no validity"),
        pytest.param(spoilt("validity", value=5), "validity: want a table", id="a validity that is no table"),
        pytest.param(spoilt("validity", "source"), "validity.source: say where", id="a validity without a source"),
        pytest.param(spoilt("validity", "birthdays"), "validity: want exactly one of", id="a validity without a unit"),
        pytest.param(spoilt("validity", "years", value=5), "validity: want exactly one of", id="two units of validity"),
        pytest.param(
            spoilt("validity", value={"days": 90, "source": "x"}),
            "counted in birthdays",
            id="a leaf that lives for days",
        ),
        pytest.param(
            spoilt("validity", "birthdays", name="ca-rsa2048", value=3),
            "validity: want exactly one of",
            id="an authority with birthdays",
        ),
        pytest.param(
            spoilt("validity", "birthdays", value=0),
            "validity.birthdays: want a whole number",
            id="no birthdays at all",
        ),
        pytest.param(
            spoilt("validity", "birthdays", value=True),
            "validity.birthdays: want a whole number",
            id="a yes for a number",
        ),
        pytest.param(
            spoilt("validity", "birthdays", value=11), "validity.birthdays: want a whole number", id="eleven birthdays"
        ),
        pytest.param(
            spoilt("validity", "renewal_months"), "validity.renewal_months is missing", id="no renewal window"
        ),
        pytest.param(
            spoilt("validity", "renewal_months", name="ca-rsa2048", value=3),
            "validity.renewal_months: nobody knows this key",
            id="an authority with a renewal window",
        ),
        pytest.param(spoilt("extension"), "extension is missing", id="no extensions"),
        pytest.param(
            spoilt("extension", value={}), "extension: want a list of tables", id="extensions that are no list"
        ),
        pytest.param(spoilt(*ROW, "name", value="netscape"), "nobody knows this name", id="an unknown extension"),
        pytest.param(spoilt(*ROW, "name", value=["key-usage"]), "nobody knows this name", id="a name that is a list"),
        pytest.param(spoilt(*ROW, "name"), "extension 1: name is missing", id="an extension without a name"),
        pytest.param(
            spoilt(*ROW, "colour", value=1), "extension 1 (key-usage): colour: nobody", id="an unknown row key"
        ),
        pytest.param(spoilt(*ROW, "source"), "extension 1 (key-usage): source: say where", id="a row without a source"),
        pytest.param(spoilt(*ROW, "source", value=" "), "extension 1 (key-usage): source: say", id="a blank source"),
        pytest.param(spoilt(*ROW, "value"), "extension 1 (key-usage): value is missing", id="a row without a value"),
        pytest.param(
            spoilt(*ROW, "critical"), "extension 1 (key-usage): critical is missing", id="a row without a flag"
        ),
        pytest.param(spoilt(*ROW, "critical", value="yes"), "critical: want true or false", id="a flag in words"),
        pytest.param(
            spoilt(*ROW, "critical", value=False),
            "must be critical (RFC 5280 §4.2.1.3)",
            id="a key usage to be ignored",
        ),
        pytest.param(
            spoilt("extension", FOUR_ITEMS, "critical", value=True),
            "must not be critical (RFC 5280 §4.2.1.6)",
            id="a critical alternative name beside a subject",
        ),
        pytest.param(spoilt(*ROW, "value", value=["fly"]), "value: want a list of", id="an unknown key usage"),
        pytest.param(spoilt(*ROW, "value", value=[]), "value: want a list of", id="an empty key usage"),
        pytest.param(
            spoilt(*ROW, "value", value=["digital-signature"] * 2),
            "value: want a list of",
            id="a key usage named twice",
        ),
        pytest.param(
            spoilt(*ROW, "value", value=["key-cert-sign"]), "value: want a list of", id="a leaf that certifies"
        ),
        pytest.param(
            spoilt("extension", FOUR_ITEMS, "value", value="authority-alternative"),
            "value: want 'four-items'",
            id="a signing certificate named like an authority",
        ),
        pytest.param(
            spoilt("extension", POLICIES, "value", value={"oid": "3.1", "cps": "http://x"}),
            "value: want { oid",
            id="an OID that cannot be",
        ),
        pytest.param(
            spoilt("extension", POLICIES, "value", value={"oid": "2.999", "cps": "http://日本"}),
            "value: want { oid",
            id="a location that is not ASCII",
        ),
        pytest.param(
            spoilt("extension", POLICIES, "value", "notice", value="x"), "value: want { oid", id="a third policy key"
        ),
        pytest.param(
            spoilt("extension", 2, "value", name="ca-rsa2048", value={"ca": 1}),
            "value: want {'ca': True}",
            id="a one for a yes",
        ),
        pytest.param(
            spoilt("signature", name="ca-p384", value="sha256-with-rsa"),
            "a key ec-p384 cannot sign itself",
            id="an authority whose key cannot sign itself",
        ),
    ],
)
def test_a_fault_is_found_and_is_the_only_one_told(content: dict[str, Any], fault: str) -> None:
    faults = faults_of(content)
    assert any(fault in told for told in faults)
    # What is missing because it was spoilt may be told too; nothing else is.
    assert len([told for told in faults if "certificates need" not in told]) == 1


def test_all_faults_are_told_at_once() -> None:
    content = profile_content()
    content["colour"] = "red"
    content["validity"]["birthdays"] = "five"
    content["extension"][KEY_USAGE]["critical"] = False
    del content["extension"][FOUR_ITEMS]["source"]
    content["extension"][POLICIES]["value"] = "2.999"
    faults = faults_of(content)
    assert len(faults) == 5
    with pytest.raises(ProfileFaults, match=r"profile spoilt: colour.*; validity.*; extension 1.*; extension 2.*; ext"):
        load_profile("spoilt", content)


def test_an_extension_may_not_stand_twice() -> None:
    content = profile_content()
    content["extension"].append(content["extension"][KEY_USAGE])
    assert faults_of(content) == ("extension 9 (key-usage): this name stands twice (RFC 5280 §4.2)",)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_what_a_purpose_cannot_do_without_is_missed(purpose: str) -> None:
    content = profile_content(next(name for name in PROFILE_NAMES if make_profile(name).purpose == purpose))
    content["extension"] = []
    assert faults_of(content) == tuple(f"extension: {purpose} certificates need {name}" for name in REQUIRED[purpose])


@pytest.mark.parametrize(
    ("purpose", "name"),
    [
        pytest.param("authentication-rsa2048", "subject-alt-name", id="an authentication certificate names nobody"),
        pytest.param("signature-rsa2048", "extended-key-usage", id="a signing certificate has no extended usage"),
        pytest.param("signature-rsa2048", "basic-constraints", id="a leaf is no authority"),
        pytest.param("signature-rsa2048", "ocsp-nocheck", id="a leaf is always checked"),
        pytest.param("ocsp-responder", "crl-distribution-points", id="a responder is never looked up"),
    ],
)
def test_an_extension_has_its_place(purpose: str, name: str) -> None:
    content = profile_content(purpose)
    row = {"name": name, "critical": EXTENSIONS[name].critical or False, "value": "x", "source": "x"}
    content["extension"].append(row)
    (fault,) = faults_of(content)
    assert f"({name}): has no place in" in fault


def test_a_policy_row_may_be_critical_or_not() -> None:
    loaded = [load_profile("either", spoilt("extension", POLICIES, "critical", value=flag)) for flag in (True, False)]
    assert [profile.extensions[POLICIES].critical for profile in loaded] == [True, False]


def test_rows_come_out_in_order_and_cannot_be_changed() -> None:
    content = profile_content()
    profile = load_profile("signature-rsa2048", content)
    assert [row.name for row in profile.extensions] == [row["name"] for row in content["extension"]]
    content["extension"][KEY_USAGE]["value"].append("crl-sign")
    content["extension"][POLICIES]["value"]["oid"] = "2.999.1"
    assert profile.extensions[KEY_USAGE].value == ("digital-signature", "content-commitment")
    assert profile.extensions[POLICIES].value == {"oid": "2.999.8.5.1.1.20", "cps": "http://jpki-demo.example/cps.html"}


def test_the_digest_is_of_the_content_and_not_of_its_layout() -> None:
    content = profile_content()
    turned = dict(reversed(content.items()))
    assert load_profile("a", turned).digest == load_profile("b", content).digest == digest_of(content)
    other = profile_content()
    other["extension"].reverse()
    assert digest_of(other) != digest_of(content)


def test_the_rule_table_knows_every_purpose_scheme_and_required_extension() -> None:
    assert set(SUBJECTS.values()) == set(PURPOSES) == set(REQUIRED)
    assert {name for names in REQUIRED.values() for name in names} <= EXTENSIONS.keys()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.datetimes(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def loads_or_tells(content: dict[str, object]) -> bool:
    try:
        return isinstance(load_profile("any", content), Profile)
    except ProfileFaults as found:
        return bool(found.faults)


@given(st.sampled_from(["purpose", "signature", "keys", "subject", "validity", "extension", "source"]), anything)
def test_any_value_anywhere_is_a_profile_or_a_list_of_faults(key: str, value: object) -> None:
    assert loads_or_tells(profile_content() | {key: value})


@given(st.sampled_from(["name", "critical", "value", "source"]), st.integers(0, 7), anything)
def test_any_value_in_any_row_is_a_profile_or_a_list_of_faults(key: str, row: int, value: object) -> None:
    content = profile_content()
    content["extension"][row][key] = value
    assert loads_or_tells(content)
