"""The keys of provision records: one that files them, and one that only two officers together can use."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread

from config.document import ConfigurationFaults
from config.files import read_public, read_secret, write_private, write_public
from config.provision_settings import ProvisionSettings
from config.settings import Settings
from domain.ports import Clock, RandomSource
from provisions.segment import SealKeys
from provisions.shares import SHARES, public_of, split, write_share
from provisions.tags import filing_key
from provisions.writer import SegmentWriter

_TURN = 20.0
"""Seconds between two looks at the age of a segment."""


def found_provisions(settings: Settings, random: RandomSource) -> Path | None:
    """Make the keys that are missing. The folder with the shares of the key for unlocking if that was made: nothing
    else holds it, so they are handed to three officers and deleted here."""
    provisions, secret = settings.provisions, settings.secrets.provisions
    if secret.file is not None and not secret.file.exists():
        write_private(secret.file, random(32).hex().encode() + b"\n")
    if not provisions.filing_key.exists():
        write_public(provisions.filing_key, public_of(filing_key(master_key(settings))).hex().encode() + b"\n")
    if provisions.unlocking_key.exists():
        return None
    folder = settings.state / "credentials" / "unlocking"
    private = random(32)
    for share in split(private, random(32)):
        write_private(folder / f"share-{share.number}-of-{SHARES}", write_share(share).encode())
    write_public(provisions.unlocking_key, public_of(private).hex().encode() + b"\n")
    return folder


def make_writer(settings: ProvisionSettings, clock: Clock, random: RandomSource) -> SegmentWriter:
    """Where a process puts provisions on record. Raises Refusal(BAD_CONFIGURATION) without the keys."""
    keys = SealKeys(read_public(settings.filing_key), read_public(settings.unlocking_key))
    return SegmentWriter(settings.folder, keys, clock, random)


def keep_turning(writer: SegmentWriter) -> None:
    """Have a thread let go of segments that are old enough, so that a quiet worker's records are filed, too."""
    stop = Event()

    def turn() -> None:
        while not stop.wait(_TURN):
            writer.turn()

    Thread(target=turn, name="provisions-turn", daemon=True).start()


def master_key(settings: Settings) -> bytes:
    """The secret from which the key for filing and those of the ledger follow. Raises ConfigurationFaults."""
    secret = settings.secrets.provisions
    try:
        key = bytes.fromhex(read_secret(secret).decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ConfigurationFaults([f"secret in {secret}: want 64 hex digits"])
    return key


def require_provision_keys(settings: Settings) -> None:
    """Raises ConfigurationFaults, or Refusal(BAD_CONFIGURATION), when a key is missing or two do not fit."""
    provisions = settings.provisions
    read_public(provisions.unlocking_key)
    if read_public(provisions.filing_key) != public_of(filing_key(master_key(settings))):
        raise ConfigurationFaults([f"{provisions.filing_key.name} is not the public half of what files provisions"])
