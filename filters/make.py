"""Making filters: a base of what is revoked, or a delta of what changed since a base; each proved, then signed."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from domain.certificates import Issuer
from domain.ports import RandomSource, Signer
from domain.signing import LintedTbs, sign_once
from filters.build import build_filter
from filters.census import Census
from filters.container import FilterFile, FilterLabel, encode_filter
from filters.placement import Placement

MARGIN = timedelta(hours=1)
"""An application reads the clock first and is recorded later: certificates of the last hour may be missing from a
census, and so no filter speaks of them."""


def make_filter(
    census: Census,
    *,
    issuer: Issuer,
    signer: Signer,
    verifiers: str,
    key: bytes,
    number: int,
    base: FilterFile | None,
    now: datetime,
    lifetime: timedelta,
    random: RandomSource,
) -> bytes:
    """The signed file (DER) of a filter over the census taken at `now`; a delta when a `base` is given.

    What a delta says is reckoned from what the base answers: together they are right for every certificate of the
    census, whatever the base says of those it never knew. Raises RuntimeError when a filter proves wrong.
    """
    chosen = census.revoked
    if base is not None:
        known = census.not_before <= int(base.label.covers.timestamp())
        said = base.filter.contains(Placement(key, base.filter.salt), census.serials.view(np.uint8).data)
        chosen = census.revoked ^ (known & said)
    found = build_filter(key, *census.split(chosen), random)
    label = FilterLabel(
        issuer=issuer.id,
        key_identifier=issuer.key_identifier,
        verifiers=verifiers,
        number=number,
        base=base.label.number if base else None,
        covers=now - MARGIN,
        this_update=now,
        next_update=now + lifetime,
    )
    return sign_once(LintedTbs(encode_filter(label, found, signer.algorithm)), signer)
