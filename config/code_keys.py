"""The secrets of resident codes as files: a new generation is put beside the old, a retired one is taken away."""

from __future__ import annotations

from collections.abc import Collection

from config.assemble import Services
from config.document import Secret
from config.files import alone, read_keys, replace_keys
from domain.errors import Code, Refusal
from domain.parties import LOCAL_OPERATOR
from residents.rotation import Rotation, add_generation, newest, require_same_keys

KEY_OCTETS = 32


def rotation_of(services: Services) -> Rotation:
    """The rotation of this state directory's keys, ordered from its terminal."""
    return Rotation(services.begin, services.clock, services.sealer, LOCAL_OPERATOR)


def add_keys(services: Services) -> int:
    """Put keys of the next generation into the secret files, unless they are there, and the generation on record.

    Processes take them up when they read their secrets next. Raises Refusal(BAD_CONFIGURATION) for secrets in the
    environment that do not have them, and as `add_generation` does.
    """
    secrets = services.settings.secrets
    with alone(services.settings.state):
        with services.begin(write=False) as work:
            require_same_keys(services.sealer, work)
            in_use, generation = work.code_keys.in_use(), newest(work)
        if len(in_use) == 1 and generation == in_use[0]:
            for secret in (secrets.resident_index, secrets.resident_seal):
                _add(secret, generation + 1, services.random(KEY_OCTETS))
        return add_generation(rotation_of(services))


def drop_keys(services: Services) -> list[Secret]:
    """Take retired generations out of the secret files; the secrets that are no files and still hold one."""
    with services.begin(write=False) as work:
        retired = {record.generation for record in work.code_keys.all() if record.retired_at}
    secrets = services.settings.secrets
    with alone(services.settings.state):
        return [secret for secret in (secrets.resident_index, secrets.resident_seal) if _holds(secret, retired)]


def _add(secret: Secret, generation: int, key: bytes) -> None:
    keys = read_keys(secret)
    if generation in keys:
        return
    if secret.file is None:
        raise Refusal(
            Code.BAD_CONFIGURATION,
            f"{secret} is kept elsewhere: add {generation}:<64 random hex digits> behind what it holds, separated by a "
            "space, on every machine; then begin again",
        )
    replace_keys(secret.file, {**keys, generation: key})


def _holds(secret: Secret, retired: Collection[int]) -> bool:
    """Whether keys of these generations are left in a secret; a file is rid of them."""
    keys = read_keys(secret)
    if keys.keys().isdisjoint(retired):
        return False
    if secret.file is None:
        return True
    replace_keys(secret.file, {generation: key for generation, key in keys.items() if generation not in retired})
    return False
