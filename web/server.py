"""The server processes: gunicorn with settings for an open port, and TLS for the API."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import ssl
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

from gunicorn.app.base import BaseApplication

from config import settings as configuration
from config.document import ConfigurationFaults
from config.files import read_secret
from config.settings import Settings
from domain.errors import Code, Refusal
from web.environ import MULTIPROCESS
from web.logs import ServerLogger
from web.worker import BoundedTlsSocket, PatientWorker

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

Service = Literal["api", "status"]

_SHARED = "/dev/shm"  # noqa: S108 - who makes something there gives it a name that nobody knows

_log = logging.getLogger("jpki.web")


def serve(service: Service, state: Path, node: str | None = None, bind: str | None = None) -> NoReturn:
    """Run a service of the state directory until told to stop, then leave the process (1 if it cannot start).

    `node` names one of several status nodes of the directory, which listens at `bind`. On SIGHUP the settings, keys and
    certificates are read again.
    """

    def load() -> WSGIApplication:
        from config.assemble import system_random  # in the workers: what there is belongs to one process, and must
        from web import beginning, wsgi  # not be forked

        if service == "status":
            return wsgi.status(state, node)
        return beginning.begin(partial(wsgi.api, state), system_random)

    def settings() -> dict[str, object]:
        found = server_settings(service, configuration.load(state))
        return {**found, "bind": [bind]} if bind else found

    run_server(settings, load)


def run_server(configure: Callable[[], Mapping[str, object]], load: Callable[[], WSGIApplication]) -> NoReturn:
    """Run gunicorn. `configure` gives its settings, also on SIGHUP; `load` makes the application in each worker."""
    if "prometheus_client" in sys.modules:
        raise RuntimeError("prometheus-client was imported before it could be told where workers share their counts")
    server = _Server(configure, load)
    os.environ[MULTIPROCESS] = tempfile.mkdtemp(prefix="jpki-counts-", dir=_memory())
    server.run()
    sys.exit()


def _memory() -> str | None:
    """Where workers keep their counts and show that they live: in memory, where the system has such a place. A disk
    that is full kills who counts in a mapped file, and one that may only be read who shows a sign of life."""
    return _SHARED if os.access(_SHARED, os.W_OK) else None


def server_settings(service: Service, settings: Settings) -> dict[str, object]:
    """gunicorn's settings for a service.

    Nothing that arrives in a header changes who or where a client is: forwarded headers are dropped. A request line
    may be as long as gunicorn reads (8,190 octets), for OCSP by GET.
    """
    listen = settings.api if service == "api" else settings.status
    common: dict[str, object] = {
        "bind": [listen.bind],
        "workers": listen.workers,
        "threads": listen.threads,
        "worker_class": "web.event_worker.EventWorker" if listen.event_loop else PatientWorker,
        "worker_tmp_dir": _memory(),
        "worker_connections": 8192 if listen.event_loop else 1000,
        "proc_name": f"jpki-{service}",
        "preload_app": False,
        "umask": 0o077,
        "timeout": 60,
        "graceful_timeout": 20,
        "keepalive": 15,
        "limit_request_line": 8190,
        "limit_request_fields": 32,
        "limit_request_field_size": 4096,
        "forwarded_allow_ips": "",
        "forwarder_headers": "",
        "secure_scheme_headers": {},
        "control_socket_disable": True,
        "logger_class": ServerLogger,
        "accesslog": "-",
        "errorlog": "-",
    }
    return {**common, **_tls(settings)} if service == "api" else common


def tls_context(settings: Settings) -> ssl.SSLContext:
    """Server side TLS 1.2 and 1.3 of the API: client certificates of the transport authority are asked for.

    They are not demanded, so that a caller without one hears why it is refused. There are no session tickets: their
    key would live as long as the process, and with it the secrecy of every connection. Raises
    Refusal(BAD_CONFIGURATION) for files that do not open or do not fit.
    """
    transport = settings.transport
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    passphrase = read_secret(settings.secrets.key_passphrase)
    try:
        context.load_cert_chain(transport.server_certificate, transport.server_key, password=passphrase)
        context.load_verify_locations(cafile=transport.authority_certificate)
    except OSError as error:  # OpenSSL's are some; they do not say which file they are about
        files = (transport.server_key, transport.server_certificate, transport.authority_certificate)
        names = ", ".join(f"{path.parent.name}/{path.name}" for path in files)
        raise Refusal(
            Code.BAD_CONFIGURATION, f"TLS cannot be offered with {names} ({error.strerror}); run: jpki check-config"
        ) from None
    context.verify_mode = ssl.CERT_OPTIONAL
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    context.sslsocket_class = BoundedTlsSocket
    return context


def _tls(settings: Settings) -> dict[str, object]:
    # One context for all connections: gunicorn asks for it at each, and reading the encrypted key takes long.
    context = tls_context(settings)
    return {
        "certfile": str(settings.transport.server_certificate),
        "keyfile": str(settings.transport.server_key),
        "ssl_context": lambda _config, _default: context,
    }


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, told everything by this project and nothing by a command line, a file or its own environment."""

    def __init__(self, configure: Callable[[], Mapping[str, object]], load: Callable[[], WSGIApplication]) -> None:
        self._configure = configure
        self._load = load
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._configure().items():
            self.cfg.set(name, value)
        # A hook, because a worker that ends also passes through whatever stands after `run()`.
        self.cfg.set("on_exit", lambda _arbiter: shutil.rmtree(os.environ[MULTIPROCESS], ignore_errors=True))

    def load(self) -> WSGIApplication:
        try:
            app = self._load()
        except (ConfigurationFaults, Refusal) as error:
            # These are written for the operator; gunicorn's own line would have the trace and not the reason.
            _log.critical("the service cannot start: %s", error)
            raise
        # Tables and rules are read for good: to look for garbage among them again and again costs a tenth of the time.
        gc.collect()
        gc.freeze()
        return app
