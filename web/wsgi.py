"""The services as WSGI applications: settings, then assembly, then the doors."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from flask import Flask

from ca.batches import cancel_batch, list_batches, progress_of, results_of, take_batch
from ca.deliver import report_delivery
from ca.hold import place_hold, preview_hold
from ca.issue import issue
from ca.release import preview_release, release_hold
from ca.revoke import preview, revoke_resident
from ca.visibility import visibility_of
from config.assemble import Services, assemble
from config.batching import make_batching
from config.detection import alarms_of, title_of
from config.filters import class_key, shelf_of
from config.ledger import disclosure_office
from config.provisions import keep_turning
from config.register import make_desk
from config.signing import counts_of
from config.validating import make_sandbox, make_validation
from config.watching import gauges_of, health_of, takes_writes_of
from detection.judging import appeal, justify
from domain.errors import AWAY, Refusal
from domain.provisions import Channel
from mass.account import find_account, list_accounts
from ocsp.responder import answer
from policies.characters import propose
from provisions.disclosure import disclose_at_counter, disclose_to_owner, make_challenge
from residents.intake import apply_all, apply_event, preview_event, rehearse
from residents.listing import list_notices
from validation.answer import validate
from verifiers.admit import status_admission
from verifiers.handle_news import fetch_news, subscribe
from verifiers.handle_office import HandleOffice, translate
from verifiers.handle_pairs import counterparts
from web.alarms import AlarmParts
from web.api import ApiParts, create_api
from web.batches import BatchParts, read_line
from web.filters import FilterParts
from web.handles import HandleParts
from web.ledger import LedgerParts
from web.lists import ListParts
from web.proposals import parts_of
from web.status import StatusParts, create_status

_log = logging.getLogger("jpki.web")

STATE = "JPKI_STATE"
"""The environment variable that names the state directory to a WSGI server of one's own choice."""


def api(state: Path | None = None) -> Flask:
    """The API of a state directory. Raises ConfigurationFaults, Refusal(BAD_CONFIGURATION), and what storage raises
    while the database is away."""
    with _services(state) as services:
        _require_database(services)
        return create_api(_api_parts(services))


def _api_parts(services: Services) -> ApiParts:
    authority = services.authority
    batching = make_batching(services, read_line)
    office = disclosure_office(services)
    return ApiParts(
        status=_status_parts(services, takes_writes_of(services)),
        credential_of=services.register.credential,
        issue=partial(issue, authority),
        batches=BatchParts(
            take=partial(take_batch, batching),
            progress=partial(progress_of, batching),
            listed=partial(list_batches, batching),
            results=partial(results_of, batching),
            cancel=partial(cancel_batch, batching),
        ),
        propose=partial(propose, authority.variants),
        report_delivery=partial(report_delivery, authority),
        revoke=partial(revoke_resident, authority),
        preview_revocation=partial(preview, authority),
        visibility=partial(visibility_of, services.begin),
        place_hold=partial(place_hold, authority),
        preview_hold=partial(preview_hold, authority),
        release_hold=partial(release_hold, authority),
        preview_release=partial(preview_release, authority),
        apply_event=partial(apply_event, services.intake),
        preview_event=partial(preview_event, services.intake),
        apply_notices=partial(apply_all, services.intake),
        rehearse_notices=partial(rehearse, services.intake),
        list_notices=partial(list_notices, services.intake.begin),
        handles=_handle_parts(services.handles),
        filters=_filter_parts(services),
        proposals=parts_of(services.board),
        verifiers=make_desk(services),
        list_mass_events=partial(list_accounts, services.mass),
        find_mass_event=partial(find_account, services.mass),
        validate=partial(validate, make_validation(services, make_sandbox(services.settings.validation))),
        alarms=AlarmParts(
            listed=partial(alarms_of, services),
            justify=lambda party, id_, why: justify(services.begin, party, id_, why, services.clock()),
            appeal=lambda party, id_, why: appeal(services.begin, party, id_, why, services.clock()),
            title=partial(title_of, services),
        ),
        ledger=LedgerParts(
            challenge=partial(make_challenge, office),
            to_owner=partial(disclose_to_owner, office),
            at_counter=partial(disclose_at_counter, office),
        ),
        causes=authority.causes.values(),
        municipalities=authority.municipalities,
    )


def _handle_parts(office: HandleOffice) -> HandleParts:
    return HandleParts(
        provider_of=office.provider_of,
        purpose_of=office.purpose_of,
        of_many=office.of_many,
        translate=partial(translate, office),
        counterparts=partial(counterparts, office),
        subscribe=partial(subscribe, office),
        fetch_news=partial(fetch_news, office),
    )


def _filter_parts(services: Services) -> FilterParts:
    """Filters are for notified verifiers alone, whatever the settings say of OCSP and lists."""
    return FilterParts(
        shelf=shelf_of(services),
        issuers=services.issuers,
        key_of=partial(class_key, services.settings.state),
        admit=status_admission(services.register, "notified-verifiers", Channel.FILTER, services.gate),
        record=services.record,
        clock=services.clock,
    )


def status(state: Path | None = None, node: str | None = None) -> Flask:
    """The status service of a state directory, or of its node of that name; it opens no issuing key.

    It starts while the database is away, too: it says tryLater of what its model cannot be believed about. Raises
    ConfigurationFaults, and Refusal(BAD_CONFIGURATION).
    """
    with _services(state, node) as services:
        try:
            _require_database(services)
        except Refusal as refusal:
            if refusal.code not in AWAY:
                raise
            _log.warning("the status service starts without the database", extra={"facts": {"why": refusal.code.value}})
        return create_status(_status_parts(services))


@contextmanager
def _services(state: Path | None, node: str | None = None) -> Iterator[Services]:
    """What a service is made of; what keeps it up to date begins when it is made."""
    services = assemble(state or Path(os.environ[STATE]), node)
    try:
        yield services
    except BaseException:
        services.close()
        raise
    services.node.keep_following()
    keep_turning(services.record)
    services.admission.keep()


def _require_database(services: Services) -> None:
    services.require_schema()
    services.admission()  # so that a broken table stops the start


def _status_parts(services: Services, takes_writes: Callable[[], bool] = lambda: True) -> StatusParts:
    """The parts are made here, before the first request, so that a broken one stops the start."""
    return StatusParts(
        answer=partial(answer, services.responder),
        lists=ListParts(
            directory=services.settings.crl_directory,
            issuers=services.issuers,
            admit=status_admission(services.register, services.settings.crl_access, Channel.CRL, services.gate),
            record=services.record,
            clock=services.clock,
        ),
        clock=services.clock,
        random=services.random,
        health=partial(health_of, services, takes_writes),
        lags=services.lags,
        gauges=partial(gauges_of, services),
        hear_signatures=services.signing.hear,
        signed_elsewhere=partial(counts_of, services.settings.state),
    )
