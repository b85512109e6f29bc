"""JSON bodies: read strictly, so that what was read is exactly what was sent."""

from __future__ import annotations

import json
from typing import NoReturn

from flask import request

from domain.errors import Code, Refusal

BODY_LIMIT = 64 * 1024
"""Octets of the largest JSON body. Two PKCS#10 requests in base64 and a record take less than 8 KiB."""


def receive_json(limit: int = BODY_LIMIT) -> object:
    """The body of the request at hand, as `read_json` gives it. Raises what `receive_json_octets` raises, too."""
    return read_json(receive_json_octets(limit))


def receive_json_octets(limit: int = BODY_LIMIT) -> bytes:
    """The body of the request at hand, not yet read as JSON.

    Raises Refusal(WRONG_TYPE) unless it says application/json; more than `limit` is answered with 413, also when no
    length was announced.
    """
    if request.mimetype != "application/json":
        raise Refusal(Code.WRONG_TYPE, "send the body as Content-Type: application/json")
    return receive(limit)


def receive(limit: int) -> bytes:
    """The octets of the request's body. More than `limit` is answered with 413, before anything looks at them."""
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    # One more than wanted, because a body of chunks is silently cut off at Flask's limit.
    request.max_content_length = limit + 1
    octets = request.get_data(cache=False)
    if len(octets) > limit:
        raise _too_large(limit)
    return octets


def _too_large(limit: int) -> Refusal:
    return Refusal(Code.TOO_LARGE, f"send at most {limit} octets")


def read_json(octets: bytes) -> object:
    """The value of a JSON text in UTF-8 (RFC 8259), or Refusal(MALFORMED).

    Refused besides broken syntax: names that stand twice in one object, NaN and Infinity, numbers with a fraction
    (nothing here has one), a byte order mark, nesting deeper than the parser's stack. The text is never repeated.
    """
    try:
        return json.loads(
            octets.decode("utf-8"),
            object_pairs_hook=_distinct,
            parse_constant=_refuse_number,
            parse_float=_refuse_number,
        )
    except UnicodeDecodeError:
        raise Refusal(Code.MALFORMED, "the body is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise Refusal(Code.MALFORMED, f"the body is not JSON: see character {error.pos + 1}") from None
    except RecursionError:
        raise Refusal(Code.MALFORMED, "the body is nested too deeply") from None
    except ValueError:  # an integer of more digits than Python converts
        raise Refusal(Code.MALFORMED, "the body holds a number that is too long") from None


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refusal(Code.MALFORMED, "an object of the body has two members of the same name")
    return members


def _refuse_number(_text: str) -> NoReturn:
    raise Refusal(Code.MALFORMED, "the body holds a number with a fraction, NaN or Infinity; none is wanted here")
