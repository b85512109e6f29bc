"""Names in environments: what the doors note in a request's for the access log, and one variable of the process."""

from __future__ import annotations

PARTY = "jpki.party"
"""The label of the party that called. The access log writes it down."""

ROUTE = "jpki.route"
"""The rule that matched. The access log writes it down instead of the path."""

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""The directory in which the workers of a service share their counts; read when prometheus-client is first imported."""
