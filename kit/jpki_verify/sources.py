"""Sources of status and of handles, opened as the settings say."""

from __future__ import annotations

import ssl
from urllib.parse import quote

from jpki_verify.exchange import Limits, fetch, post, tls
from jpki_verify.filters import Filters
from jpki_verify.handles import LARGEST_ANSWER as LARGEST_HANDLES
from jpki_verify.handles import AuthorityHandles, Handles
from jpki_verify.lists import MEDIA_TYPE, ListRules, Lists
from jpki_verify.ocsp_answer import LARGEST_ANSWER, AnswerRules
from jpki_verify.ocsp_request import RequestSigner
from jpki_verify.rejection import Code, Rejected
from jpki_verify.settings import Credential, Declared, Kind, Settings
from jpki_verify.status import Ask, Responder
from jpki_verify.store import Store


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
        lambda url, kind: fetch(url, MEDIA_TYPE, limits, context, _said(settings.declared, kind) if context else None),
        store.is_newest,
    )
    return lambda holder, now, _nonce: found.status_of(holder, now)


def _said(declared: Declared, kind: Kind) -> dict[str, str]:
    """What a list is fetched for, in the words of the authority: over TLS alone, where nobody else hears it."""
    said = {"JPKI-Purpose": declared.purposes[kind], "JPKI-Provider": declared.provider}
    return {name: quote(word) for name, word in said.items() if word is not None}


def _filter(settings: Settings) -> Ask:
    rules = settings.status
    if rules.filters is None or rules.filter_key is None:
        raise Rejected(Code.BAD_CONFIGURATION, "the filter wants filters and filter_key")
    found = Filters(rules.filters, rules.filter_key, rules.tolerance)
    return lambda holder, now, _nonce: found.status_of(holder, now)
