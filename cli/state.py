"""The state directory of a command: its services, open for as long as the command runs."""

from __future__ import annotations

from pathlib import Path

import click

from config.assemble import Services, assemble


def open_state(state: Path) -> Services:
    """The services of the state directory; the command's end closes them. Raises ConfigurationFaults."""
    services = assemble(state)
    click.get_current_context().call_on_close(services.close)
    return services
