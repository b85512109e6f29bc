"""A revocation list as decided and not yet encoded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.certificates import Issuer
from domain.lists import Scope


@dataclass(frozen=True, slots=True)
class ListPlan:
    """Everything but its entries that a list says. `algorithm` is the signer's AlgorithmIdentifier (DER), `point` the
    DistributionPointName of the scope as its certificates carry it (DER), `freshest` the CRLDistributionPoints (DER) of
    its delta list, if it has one with an address."""

    issuer: Issuer
    algorithm: bytes
    scope: Scope
    point: bytes
    number: int
    this_update: datetime
    next_update: datetime
    freshest: bytes = b""
