"""Forms of requests: which heads are kept, and for what they are taken."""

from __future__ import annotations

import pytest

from web.forms import Forms

BODY = b"octets"
HEAD = b"POST /ocsp HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n"
NAMES = (b"Host", b"Content-Length")


def test_a_head_that_was_read_is_known_with_any_body_of_its_length() -> None:
    forms = Forms()
    assert forms.find(HEAD + BODY) is None
    forms.learn(HEAD + BODY, NAMES, BODY, keep_alive=False)
    assert forms.find(HEAD + b"others") == (b"others", False)
    assert forms.find(HEAD + b"\r\n\r\n..") == (b"\r\n\r\n..", False)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(HEAD[:-1], id="a-piece-of-the-head"),
        pytest.param(HEAD + BODY[:-1], id="a-piece-of-the-body"),
        pytest.param(HEAD + BODY + b"G", id="more-behind-it"),
        pytest.param(HEAD.replace(b"x", b"y") + BODY, id="another-head"),
        pytest.param(b"\r\n" + HEAD + BODY, id="something-before-it"),
    ],
)
def test_anything_else_is_not_known(data: bytes) -> None:
    forms = Forms()
    forms.learn(HEAD + BODY, NAMES, BODY, keep_alive=True)
    assert forms.find(data) is None


@pytest.mark.parametrize(
    ("data", "names"),
    [
        pytest.param(HEAD + BODY, (*NAMES, b"EXPECT"), id="waits-to-be-asked"),
        pytest.param(HEAD + BODY, (*NAMES, b"Transfer-Encoding"), id="chunks"),
        pytest.param(HEAD + BODY, (*NAMES, b"content-length"), id="two-lengths"),
        pytest.param(HEAD + BODY, (b"Host",), id="no-length"),
        pytest.param(HEAD + BODY + HEAD + BODY, NAMES, id="two-requests"),
        pytest.param(HEAD.replace(b"x", b"x" * 1024) + BODY, NAMES, id="a-long-head"),
    ],
)
def test_only_plain_requests_have_a_form(data: bytes, names: tuple[bytes, ...]) -> None:
    forms = Forms()
    forms.learn(data, names, BODY, keep_alive=True)
    assert forms.find(data) is None


def test_too_many_forms_are_forgotten() -> None:
    forms = Forms()
    for number in range(1025):
        forms.learn(HEAD.replace(b"x", b"%d" % number) + BODY, NAMES, BODY, keep_alive=True)
    assert forms.find(HEAD.replace(b"x", b"0") + BODY) is None
    assert forms.find(HEAD.replace(b"x", b"1024") + BODY) == (BODY, True)
