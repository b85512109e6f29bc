"""What oversight looks at, and what files provisions: parts of one state directory joined for these two."""

from __future__ import annotations

import socket
from datetime import timedelta

from config.assemble import Services
from config.provisions import master_key
from config.tracers import watch_of
from detection.hearing import hear_with
from keys.algorithms import verify
from oversight.inspection import Inspection
from provisions.filing import Filing


def filing_of(services: Services) -> Filing:
    """What files the provisions of this node, and erases them in time."""
    folder = services.settings.provisions.folder
    master = master_key(services.settings)
    return Filing(
        folder,
        socket.gethostname(),
        master,
        services.begin,
        services.clock,
        services.random,
        watch_of(services),
        hear_with(master),
    )


def inspection_of(services: Services) -> Inspection:
    """What `oversight` looks at."""
    settings = services.settings
    return Inspection(
        begin=services.begin,
        status=services.status,
        issuers=services.issuers,
        directory=settings.crl_directory,
        provisions=settings.provisions.folder,
        node=socket.gethostname(),
        verify_signature=verify,
        check_head=services.check_head,
        crl=settings.crl,
        causes=services.law.causes,
        holds=services.law.holds,
        events=services.law.events,
        delivery_within=settings.delivery_within,
        patience=settings.publish_poll * 10 + timedelta(minutes=5),
        now=services.clock(),
    )
