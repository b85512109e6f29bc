"""The key of handles as a file: generations are put beside each other, and retired ones are taken away."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from config.assemble import Services
from config.document import Secret
from config.files import alone, read_keys, replace_keys, write_private
from domain.parties import LOCAL_OPERATOR
from domain.ports import UnitOfWork
from verifiers.admit import named_provider
from verifiers.handle_office import HandleOffice
from verifiers.handle_rotation import HandleRotation, add_key, newest, put_next_key
from verifiers.handles import KEY_OCTETS, HandleRing


def handle_office(services: Services) -> HandleOffice:
    """What gives out the handles of a state directory."""
    return HandleOffice(
        begin=services.begin,
        clock=services.clock,
        ring=HandleRing(partial(_keys, _file(services))),
        issuers=services.issuers,
        gate=services.gate,
        record=services.record,
        provider_of=partial(named_provider, services.register, services.gate, services.clock),
    )


def handle_rotation(services: Services) -> HandleRotation:
    """The rotation of this state directory's key of handles, ordered from its terminal."""
    return HandleRotation(services.begin, services.clock, services.handles.ring, LOCAL_OPERATOR)


def add_handle_key(services: Services) -> tuple[int, bool]:
    """Put a key of the next generation into the secrets, unless it is there, and on record; the generation, and
    whether it is the first, which is in use at once. Refuses as `add_key` does."""
    path = _file(services)
    with alone(services.settings.state):
        with services.begin(write=False) as work:
            known, waiting = newest(work)
        keys = _keys(path)
        if not waiting and known + 1 not in keys:
            key = services.random(KEY_OCTETS)
            if keys:
                replace_keys(path, {**keys, known + 1: key})
            else:
                write_private(path, f"{known + 1}:{key.hex()}\n".encode())
        return add_key(handle_rotation(services))


def found_handle_key(services: Services, work: UnitOfWork) -> None:
    """Put the first key into the secrets and on record, in the unit of work that founds the authority."""
    write_private(_file(services), f"1:{services.random(KEY_OCTETS).hex()}\n".encode())
    put_next_key(handle_rotation(services), work)


def drop_handle_keys(services: Services) -> list[int]:
    """Take generations that are retired out of the secrets; those that were there."""
    path = _file(services)
    with services.begin(write=False) as work:
        retired = {record.generation for record in work.handles.generations() if record.retired_at is not None}
    with alone(services.settings.state):
        keys = _keys(path)
        if gone := sorted(keys.keys() & retired):
            replace_keys(path, {generation: key for generation, key in keys.items() if generation not in retired})
    return gone


def require_handle_keys(services: Services) -> None:
    """Raises Refusal(BAD_CONFIGURATION) when a key of handles that is on record and not retired is not at hand."""
    ring = HandleRing(partial(_keys, _file(services)))
    with services.begin(write=False) as work:
        records = [record for record in work.handles.generations() if record.retired_at is None]
    for record in records:
        ring.key(record)


def _file(services: Services) -> Path:
    return services.settings.state / "secrets" / "handles.key"


def _keys(path: Path) -> dict[int, bytes]:
    return read_keys(Secret(file=path)) if path.exists() else {}
