"""The keys of resident codes as the two secrets hold them."""

from __future__ import annotations

from config.document import ConfigurationFaults
from config.files import read_keys
from config.settings import SecretSettings
from domain.code_keys import CodeKeys


def read_ring(secrets: SecretSettings) -> dict[int, CodeKeys]:
    """Generations of which both keys are at hand: while new ones are put in place, one comes before the other."""
    index, seal = read_keys(secrets.resident_index), read_keys(secrets.resident_seal)
    return {generation: CodeKeys(index[generation], seal[generation]) for generation in index.keys() & seal.keys()}


def require_whole_ring(secrets: SecretSettings) -> None:
    """Raises ConfigurationFaults when one of the secrets holds a generation that the other lacks."""
    if read_keys(secrets.resident_index).keys() != read_keys(secrets.resident_seal).keys():
        names = f"{secrets.resident_index} and {secrets.resident_seal}"
        raise ConfigurationFaults([f"{names} hold keys of different generations; put those that are missing in place"])
