"""Sources of status and of handles, opened as the settings say."""

from __future__ import annotations

import ssl
from urllib.parse import quote

from jpki_verify.anchors import Anchor
from jpki_verify.exchange import Limits, Reply, exchange, fetch, post, tls
from jpki_verify.filters import Filters, read_class_key
from jpki_verify.handles import LARGEST_ANSWER as LARGEST_HANDLES
from jpki_verify.handles import AuthorityHandles, Handles
from jpki_verify.lists import MEDIA_TYPE, ListRules, Lists
from jpki_verify.ocsp_answer import LARGEST_ANSWER, AnswerRules
from jpki_verify.ocsp_request import RequestSigner
from jpki_verify.rejection import Code, Rejected
from jpki_verify.settings import Credential, Declared, Kind, Settings
from jpki_verify.status import Ask, Responder
from jpki_verify.store import Store
from jpki_verify.upkeep import Upkeep


def open_sources(settings: Settings, store: Store) -> dict[str, Ask]:
    """The sources by name, in their order. Raises Rejected(BAD_CONFIGURATION)."""
    opened: dict[str, Ask] = {}
    for name in settings.status.sources:
        match name:
            case "ocsp":
                opened[name] = _ocsp(settings)
            case "lists":
                opened[name] = _lists(settings, store)
            case _:
                opened[name] = _filter(settings)
    return opened


def open_handles(settings: Settings) -> Handles:
    """Who gives handles. Raises Rejected(BAD_CONFIGURATION)."""
    limits = Limits(settings.status.patience, LARGEST_HANDLES)
    return AuthorityHandles(settings.handles, settings.declared, client_tls(settings.credential), limits)


def open_upkeep(settings: Settings, anchors: tuple[Anchor, ...], store: Store) -> Upkeep:
    """What keeps the filters. Raises Rejected(BAD_CONFIGURATION)."""
    rules, base = settings.status, settings.status.filters_url
    if base is None or rules.filters is None or rules.filter_key is None:
        raise Rejected(Code.BAD_CONFIGURATION, "nothing says where filters are fetched: see [status] filters_url")
    limits, context = Limits(rules.filter_patience, rules.list_octets), client_tls(settings.credential)

    def get(path: str, kind: Kind) -> Reply:
        return exchange("GET", base + path, None, said_by(settings.declared, kind), limits, context)

    return Upkeep(rules.filters, rules.filter_key, anchors, rules.tolerance, get, store.is_newest)


def client_tls(credential: Credential) -> ssl.SSLContext:
    """TLS that shows the credential and knows the authority's servers alone."""
    return tls(str(credential.authority), str(credential.certificate), str(credential.key))


def _ocsp(settings: Settings) -> Ask:
    rules, url = settings.status, settings.status.ocsp or ""
    limits = Limits(rules.patience, LARGEST_ANSWER)
    context = client_tls(settings.credential) if url.startswith("https") else None
    signer = RequestSigner(settings.credential)

    def send(request: bytes) -> bytes:
        return post(url, request, "application/ocsp-request", "application/ocsp-response", limits, context)

    answers = AnswerRules(rules.tolerance, settings.trust.distrusted)
    return Responder(send, signer, settings.declared, answers).status_of


def _lists(settings: Settings, store: Store) -> Ask:
    rules, base = settings.status, settings.status.lists or ""
    limits = Limits(rules.patience, rules.list_octets)
    context = client_tls(settings.credential) if base.startswith("https") else None
    found = Lists(
        ListRules(base, rules.tolerance, rules.oldest_list),
        lambda url, kind: fetch(
            url, MEDIA_TYPE, limits, context, said_by(settings.declared, kind) if context else None
        ),
        store.is_newest,
    )
    return lambda holder, now, _nonce: found.status_of(holder, now)


def said_by(declared: Declared, kind: Kind) -> dict[str, str]:
    """What a list or filter is fetched for, in the words of the authority: over TLS alone, where nobody else hears."""
    said = {"JPKI-Purpose": declared.purposes[kind], "JPKI-Provider": declared.provider}
    return {name: quote(word) for name, word in said.items() if word is not None}


def _filter(settings: Settings) -> Ask:
    rules = settings.status
    if rules.filters is None or rules.filter_key is None:
        raise Rejected(Code.BAD_CONFIGURATION, "the filter wants filters, and filters_url or filter_key")
    if rules.filters_url is None:
        try:
            read_class_key(rules.filter_key)
        except OSError as error:
            raise Rejected(
                Code.BAD_CONFIGURATION, f"{rules.filter_key.name} cannot be read: {error.strerror}"
            ) from None
    found = Filters(rules.filters, rules.filter_key, rules.tolerance)
    return lambda holder, now, _nonce: found.status_of(holder, now)
