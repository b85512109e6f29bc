"""Logs: one JSON object a line on standard error, without personal data, serials, paths or addresses of clients."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from traceback import extract_tb
from typing import Any

from gunicorn.glogging import Logger

from web.environ import PARTY, ROUTE


class JsonLines(logging.Formatter):
    """A record as one line: when, level, where from, what, the facts it carries, and the trace of an exception.

    The texts of exceptions and the texts given to other people's log messages are left out, because they quote what
    they were about; types, files, lines and whole numbers stay.
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "event": _event(record),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[1]:
            line["trace"] = trace(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def trace(error: BaseException) -> list[str]:
    """Types and places of an exception and its causes, the innermost cause last; no text of any of them."""
    found: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(found) < 8:
        places = (f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in extract_tb(seen.__traceback__))
        found.append(f"{type(seen).__name__} at {' > '.join(places)}")
        seen = seen.__cause__ or seen.__context__
    return found


def log_to_stderr() -> logging.Handler:
    """Send the records of this process to standard error as JSON lines; the handler, for loggers that stand apart."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it says what it loads whenever the schema is looked at
    return handler


class ServerLogger(Logger):  # type: ignore[misc]
    """gunicorn's logger, made to say nothing of what was in a request.

    Its own access log and its warnings about requests it cannot read would write down the request line, and a GET
    for OCSP has a serial number there.
    """

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        handler = log_to_stderr()
        self.error_log.handlers = [handler]
        self.access_log.handlers = [handler]

    def warning(self, msg: str, *args: object, **kwargs: Any) -> None:
        if msg.startswith("Invalid request"):
            failure = _TLS_FAILURE.search(msg)
            msg, args = f"a TLS handshake failed: {failure[1]}" if failure else "a request could not be read", ()
        super().warning(msg, *args, **kwargs)

    def access(self, resp: Any, _req: object, environ: Mapping[str, Any], request_time: timedelta) -> None:
        """One line for each request: the rule that matched instead of the path, the party instead of the address."""
        facts = {
            "method": environ.get("REQUEST_METHOD"),
            "route": environ.get(ROUTE),
            "status": int(str(resp.status).split(maxsplit=1)[0]),
            "octets": getattr(resp, "sent", None),
            "ms": round(request_time.total_seconds() * 1000, 1),
            "party": environ.get(PARTY),
        }
        self.access_log.info("request", extra={"facts": {key: fact for key, fact in facts.items() if fact is not None}})


# OpenSSL's own words, for example `CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired`.
_TLS_FAILURE = re.compile(r"\[SSL: \w+\] ([^(]*[^( ])")


def _event(record: logging.LogRecord) -> str:
    args = record.args
    if not args or record.levelno < logging.WARNING or record.name.split(".")[0] in _OURS:
        return record.getMessage()
    if not isinstance(args, tuple):
        return str(record.msg)
    return str(record.msg) % tuple(arg if isinstance(arg, int) else "…" for arg in args)


# Records of these packages are written by the rules of this project and hold nothing that must not be seen.
_OURS = frozenset(("jpki", "ca", "cli", "config", "crl", "keys", "ocsp", "oversight", "residents", "store", "web"))
