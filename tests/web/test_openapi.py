"""The written guide agrees with the description and the tables."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from residents.feed import read_notice
from web import delivery, issuance, notices, people, revocation
from web.openapi import describe
from web.problems import INTERNAL, STATUS

GUIDE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")


def test_the_guide_names_every_path() -> None:
    for path in describe()["paths"]:
        shown = path.partition("{")[0]
        assert shown in GUIDE, path


def test_the_guide_s_table_of_codes_is_that_of_the_program() -> None:
    rows = re.findall(r"^\| (\d{3}) \| (.+) \|$", GUIDE, re.MULTILINE)
    told = {code: int(status) for status, codes in rows for code in re.findall(r"`([a-z-]+)`", codes)}
    assert told == {code.value: status for code, status in STATUS.items()} | {INTERNAL: 500}


@pytest.mark.parametrize("path", [issuance.PATH, delivery.PATH, revocation.PATH, notices.PATH])
def test_the_guide_names_the_roles_of_each_act(path: str) -> None:
    (roles,) = [door.ROLES for door in (issuance, delivery, revocation, notices) if path == door.PATH]
    (row,) = re.findall(rf"^\| `POST {path}` \| (.+) \|$", GUIDE, re.MULTILINE)
    assert row.partition(";")[0] == ", ".join(role.value for role in roles)


def test_the_guide_s_examples_are_read() -> None:
    examples = [json.loads(text) for text in re.findall(r"```json\n(.+?)```", GUIDE, re.DOTALL)]
    revocations = [example for example in examples if "cause" in example and "receipt" not in example]
    (revoked,) = revocations
    assert revocation.REVOCATION.read(revoked, "")
    (application,) = [example for example in examples if "card" in example]
    application["requests"] = dict.fromkeys(application["requests"], "MIIC")
    assert issuance.APPLICATION.read(application, "")
    (notice,) = [example for example in examples if "effective_on" in example]
    event = read_notice(notice, "municipality:kiyose", {people.MUNICIPALITY_CODE.read("132217", "")})
    assert event.notice_id == notice["notice_id"]


def test_the_description_is_made_once() -> None:
    assert describe() is describe()
